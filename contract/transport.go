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
		t.report([]Violation{{Side: Request, Kind: "missing", Found: err.Error(), Want: "a contract to check by"}})
		return t.next.RoundTrip(req)
	}
	// The request is the caller's again as soon as the answer is there, so its head is copied.
	x := &exchange{validator: v, report: t.report, req: req.Clone(context.Background()), sent: &recorder{ended: true}}
	out := req
	if req.Body != nil && req.Body != http.NoBody {
		x.sent = &recorder{length: req.ContentLength}
		out = req.WithContext(req.Context())
		out.Body = &tee{ReadCloser: req.Body, seen: x.sent, done: func() {}}
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil || resp == nil {
		x.finish(nil, nil)
		return resp, err
	}
	if resp.Request == out {
		resp.Request = req
	}
	x.receive(resp)
	return resp, nil
}

// CloseIdleConnections passes on what [http.Client.CloseIdleConnections] asks for.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// exchange is a request and its answer while they pass.
type exchange struct {
	validator *Validator
	report    func([]Violation)
	req       *http.Request // a copy of the head
	sent      *recorder
	once      sync.Once
}

// receive watches the answer's body, where there is one to watch.
func (x *exchange) receive(resp *http.Response) {
	head := &http.Response{StatusCode: resp.StatusCode, Header: resp.Header.Clone()}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // its body is a connection
		x.finish(head, &recorder{})
	case resp.Body == nil || resp.Body == http.NoBody:
		x.finish(head, &recorder{ended: true})
	default:
		received := &recorder{length: resp.ContentLength}
		resp.Body = &tee{ReadCloser: resp.Body, seen: received, done: func() { x.finish(head, received) }}
	}
}

// finish checks and reports, once. A head of nil is no answer.
func (x *exchange) finish(head *http.Response, received *recorder) {
	x.once.Do(func() {
		vs := x.validator.checkRequest(x.req, x.sent.body())
		if head != nil {
			vs = append(vs, x.validator.checkResponse(x.req, head.StatusCode, head.Header, received.body())...)
		}
		if len(vs) > 0 {
			x.report(vs)
		}
	})
}

// recorder keeps what passes of a body, up to the limit. The transport may still read a
// request's body while its answer is read, so it has a lock.
type recorder struct {
	length int64 // Content-Length; 0 or less: unknown

	mu      sync.Mutex
	data    []byte
	tooLong bool
	ended   bool
	err     error
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
	if err != nil && !r.ended {
		r.ended = true
		if !errors.Is(err, io.EOF) {
			r.err = err
		}
	}
}

// body is what is known once nobody reads on. Readers often stop at Content-Length or after the
// JSON value, without reading EOF, so either counts as a complete body.
func (r *recorder) body() body {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := body{data: r.data, tooLong: r.tooLong, err: r.err}
	if !r.ended && !r.tooLong && (r.length <= 0 || int64(len(r.data)) < r.length) {
		w := walker{}
		b.unseen = w.walk(r.data) != nil
	}
	return b
}

// tee is a body that is recorded while it is read. Once it ends, or is closed, it calls done.
type tee struct {
	io.ReadCloser
	seen *recorder
	done func()
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.seen.add(p[:n], err)
	if err != nil {
		t.done()
	}
	return n, err
}

func (t *tee) Close() error {
	err := t.ReadCloser.Close()
	t.done()
	return err
}
