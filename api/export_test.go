package api

import (
	"net/http"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// What the tests reach beyond the exported names.

// ReadSuccess reads the top-level success of a body.
func ReadSuccess(body []byte) (success, ok bool) { return readSuccess(body) }

// ParseRetryAfter reads a Retry-After header.
func ParseRetryAfter(h http.Header, now time.Time) time.Duration { return parseRetryAfter(h, now) }

// SetJitter replaces the random part of the backoff.
func (c *Client) SetJitter(jitter func(ceiling time.Duration) time.Duration) { c.jitter = jitter }

// Transport is the client's own, for a test to set up before the first call.
func (c *Client) Transport() *http.Transport {
	return c.guard.Unwrap().(*transport.Transport).Transport //nolint:errcheck,forcetypeassert // of a client without WithHTTPClient
}

// QueueByParts decodes a body as Queue does where it cannot decode it at once.
func QueueByParts(raw []byte) (*gen.Queue, error) { return decodeByParts(raw, nil) }

// MaxBody is how much of a body is read.
const MaxBody = transport.MaxBody

// Meaning is a row of the table that decides.
type Meaning struct {
	What                        string
	Sentinels                   []error
	Scope, Retried, MayBe, Hint string
}

// Meanings are the rows of the table that decides.
func Meanings() (rows []Meaning) {
	for _, m := range meanings {
		rows = append(rows, Meaning{m.what, m.sentinels, string(m.scope), string(m.retried), string(m.ambiguous), m.hint})
	}
	return rows
}

// FullJitter draws a wait.
func FullJitter(ceiling time.Duration) time.Duration { return fullJitter(ceiling) }
