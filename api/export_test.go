package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// What the tests reach beyond the exported names.

// ReadSuccess reads the top-level success of a body.
func ReadSuccess(body []byte) (success, ok bool) { return readSuccess(body) }

// ParseRetryAfter reads a Retry-After header.
func ParseRetryAfter(h http.Header, now time.Time) time.Duration { return parseRetryAfter(h, now) }

// ParseReset reads an X-RateLimit-Reset header.
func ParseReset(s string, now time.Time) time.Time { return parseReset(s, now) }

// Count reads an X-RateLimit-Limit or X-RateLimit-Remaining header.
func Count(s string) int { return count(s) }

// CheckID holds an id against the contract's pattern.
func CheckID(id string) error { return checkID("id", id) }

// SetJitter replaces the random part of the backoff.
func (c *Client) SetJitter(jitter func(ceiling time.Duration) time.Duration) { c.jitter = jitter }

// Transport is the client's own, for a test to set up before the first call.
func (c *Client) Transport() *http.Transport {
	client, ok := c.generated.Client.(*http.Client)
	if !ok {
		return nil
	}
	return transport.Standard(client)
}

// QueueByParts decodes a body as Queue does where it cannot decode it at once.
func QueueByParts(raw []byte) (*gen.Queue, error) { return decodeByParts(raw, nil) }

// MaxBody is how much of a body is read.
const MaxBody = transport.MaxBody

// Meanings are the rows of the table that decides, as the documentation has them.
func Meanings() []string {
	var rows []string
	for _, m := range meanings {
		scope := m.scope.String()
		if m.ambiguous == alreadyGone {
			scope = AlreadyGoneRow
		}
		rows = append(rows, strings.Join([]string{m.what, string(m.retried), string(m.ambiguous), scope}, " "))
	}
	return rows
}

// AlreadyGoneRow is what stands in the place of a scope where the call succeeded.
const AlreadyGoneRow = "AlreadyGone"
