package contract

import (
	"context"
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
// Bodies are passed on as they are read, copied up to 8 MiB for as long as their exchange
// lasts, and checked at the end of the response. A response body that is closed before its end,
// or a request body that the transport did not read to its end, is checked where what was read
// is all that Content-Length announced or a whole JSON value, and passed over where it is not.
// A response body that is neither read to its end nor closed is never reported.
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
	out, sent := req, &recorder{ended: true}
	if req.Body != nil && req.Body != http.NoBody {
		sent = &recorder{ReadCloser: req.Body, length: req.ContentLength, done: func() {}}
		out = req.WithContext(req.Context())
		out.Body = sent
	}
	// The caller may change the request as soon as the answer is there.
	head := req.Clone(context.Background())
	check := func(checkResponse func() []Violation) {
		vs := append(v.checkRequest(head, sent.body()), checkResponse()...)
		if len(vs) > 0 {
			t.report(vs)
		}
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil || resp == nil {
		check(func() []Violation { return nil })
		return resp, err
	}
	if resp.Request == out {
		resp.Request = req
	}
	status, header, received := resp.StatusCode, resp.Header.Clone(), &recorder{ReadCloser: resp.Body, length: resp.ContentLength}
	received.done = sync.OnceFunc(func() {
		check(func() []Violation { return v.checkResponse(head, status, header, received.body()) })
	})
	switch {
	case resp.Body == nil || resp.Body == http.NoBody:
		received.ended = true
		received.done()
	case status == http.StatusSwitchingProtocols: // its body is a connection
		received.done()
	default:
		resp.Body = received
	}
	return resp, nil
}

// CloseIdleConnections passes on what [http.Client.CloseIdleConnections] asks for.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// recorder is a body that is copied, up to the limit, while it is read. The transport may still
// read a request's body while its answer is read, so the copy has a lock.
type recorder struct {
	io.ReadCloser
	length int64  // Content-Length; 0 or less: unknown
	done   func() // called when the body ends or is closed

	mu      sync.Mutex
	data    []byte
	tooLong bool
	ended   bool
	err     error
}

// Read implements [io.Reader].
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.add(p[:n], err)
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

func (r *recorder) add(p []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.data)+len(p) > maxBody:
		r.tooLong, r.data = true, nil
	case !r.tooLong:
		r.data = append(r.data, p...)
	}
	switch {
	case errors.Is(err, io.EOF):
		r.ended = true
	case err != nil:
		r.ended, r.err = true, err
	}
}

// body is what is known once nobody reads on. Readers often stop at Content-Length or after the
// JSON value, without reading EOF. Treat either as a complete body.
func (r *recorder) body() body {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := body{data: r.data, tooLong: r.tooLong, err: r.err}
	complete := r.ended || r.tooLong || r.length > 0 && int64(len(r.data)) >= r.length
	b.unseen = !complete && new(walker).walk(r.data) != nil
	return b
}
