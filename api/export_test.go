package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// What the tests reach beyond the exported names.

// ReadSuccess reads the top-level success of a body.
func ReadSuccess(body []byte) (success, ok bool) { return readSuccess(body) }

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

// Table is the table of meanings as a page has it; each sentinel is there by its name.
func Table(sentinels map[string]error) string {
	var text strings.Builder
	for _, m := range meanings {
		names := []string{}
		for _, sentinel := range m.sentinels {
			for name, err := range sentinels {
				if errors.Is(err, sentinel) {
					names = append(names, "`"+name+"`")
				}
			}
		}
		named, scope := cmp.Or(strings.Join(names, ", "), "–"), cmp.Or(string(m.scope), "–")
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n", m.what, named, scope, m.retried, m.ambiguous, m.hint)
	}
	return text.String()
}

// FullJitter draws a wait.
func FullJitter(ceiling time.Duration) time.Duration { return fullJitter(ceiling) }
