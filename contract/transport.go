package contract

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Transport wraps a client's transport (nil: [http.DefaultTransport]) and reports every
// exchange that departs from the contract. It changes nothing of what passes.
//
// report is called once for such an exchange, with the violations of both sides, and never
// with none. It is called before the caller sees the end of the body, on the goroutine that
// reads or closes it, and may be called from many at once. An exchange that ends without an
// answer reports its request.
//
// A request's body is read before it is sent, up to 8 MiB. A response's body is passed on as it
// is read, copied up to 8 MiB, and checked at its end. One that is closed before its end is
// checked where what was read is a whole JSON value, and passed over where it is not. One that is
// neither read to its end nor closed is never reported.
func Transport(next http.RoundTripper, report func([]Violation)) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{next: next, report: report}
}

type transport struct {
	next   http.RoundTripper
	report func([]Violation)
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	v, err := shared()
	if err != nil {
		return nil, err
	}
	// The caller's request is not to be touched, and the caller's again once the answer is there.
	sent := req.Clone(req.Context())
	sent.GetBody = nil // for those who send again, and may be counted
	vs := v.CheckRequest(sent)
	sent.GetBody = req.GetBody
	report := func(answer *http.Response) {
		if answer != nil {
			vs = append(vs, v.CheckResponse(sent, answer)...)
		}
		if len(vs) > 0 {
			t.report(vs)
		}
	}
	resp, err := t.next.RoundTrip(sent)
	if err != nil || resp == nil {
		report(nil)
		return resp, err
	}
	if resp.Request == sent {
		resp.Request = req
	}
	answer := &http.Response{StatusCode: resp.StatusCode, Header: resp.Header.Clone()}
	if resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		report(answer) // there is no body; that of a switch is a connection
		return resp, nil
	}
	copied := &recorder{ReadCloser: resp.Body}
	copied.done = sync.OnceFunc(func() {
		answer.Body = copied.replay()
		report(answer)
	})
	resp.Body = copied
	return resp, nil
}

// CloseIdleConnections passes on what [http.Client.CloseIdleConnections] asks for.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// recorder is a body that is copied, up to the limit, while it is read. It has a lock, since a
// body may be closed by another goroutine than its reader's.
type recorder struct {
	io.ReadCloser
	done func() // called when the body ends or is closed

	mu   sync.Mutex
	data []byte // one byte more than maxBody where it is too long
	err  error  // reading ended with this
}

// Read implements [io.Reader].
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.mu.Lock()
	r.data = append(r.data, p[:min(n, maxBody+1-len(r.data))]...)
	r.err = err
	r.mu.Unlock()
	if err != nil {
		r.done()
	}
	return n, err
}

// Close implements [io.Closer].
func (r *recorder) Close() error {
	err := r.ReadCloser.Close()
	r.done()
	return err
}

// replay is the body as far as it was read. A JSON decoder stops behind the value, without
// reading EOF: treat that as a complete body.
func (r *recorder) replay() io.ReadCloser {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := body{r.data, r.err}
	switch {
	case errors.Is(r.err, io.EOF):
		b.err = nil
	case r.err == nil && len(r.data) <= maxBody && !json.Valid(r.data):
		b.err = errUnknown
	}
	return io.NopCloser(b.reader(http.NoBody))
}
