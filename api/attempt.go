package api

import (
	"context"
	"net/http"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/wire"
)

// attempt is one request and what came back.
type attempt struct {
	status    int // 0 where no answer came
	header    http.Header
	body      []byte
	err       error // why no answer came, or why its body ends early
	unwritten bool  // no answer came, and provably no request was written
	tls       bool  // no answer came, for TLS or a certificate was refused
	took      time.Duration
}

// send makes one attempt. It returns always; what went wrong is in the attempt.
func (c *Client) send(ctx context.Context, userID, messageID string, body gen.UnsendRequest, connection string) (a attempt) {
	started := time.Now()
	defer func() { a.took = time.Since(started) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var watch wire.Watch
	ctx = watch.Trace(ctx)
	resp, err := c.generated.UnsendChatMessage(ctx, userID, messageID, body, onConnection(connection))
	if err != nil {
		return attempt{err: c.veil(err), unwritten: watch.Unwritten(err), tls: watch.Refused(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	a = attempt{status: resp.StatusCode, header: resp.Header}
	if a.status >= 200 { // a 101 has no body, but an open connection
		a.body, a.err = wire.ReadBody(resp.Body, resp.ContentLength)
		a.err = c.veil(a.err)
	}
	return a
}

// retryAfter is how long the answer asks to wait.
func (a *attempt) retryAfter() time.Duration {
	return parseRetryAfter(a.header.Get("Retry-After"), time.Now())
}
