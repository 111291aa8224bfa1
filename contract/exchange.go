package contract

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// exchange collects what is seen of a request and its answer.
type exchange struct {
	report func([]Violation)
	op     *operation
	toHead bool
	head   []Violation              // of the request
	header http.Header              // of the request, as far as its body needs it
	sent   atomic.Pointer[recorder] // the request's body; nil: it has none
	once   sync.Once
}

// newExchange judges the request's head at once: its URL and headers are the caller's again as
// soon as the answer is there.
func newExchange(v *Validator, req *http.Request, report func([]Violation)) *exchange {
	op, params, pathOK := v.find(req)
	header := http.Header{}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		header.Set(name, req.Header.Get(name))
	}
	return &exchange{
		report: report,
		op:     op,
		toHead: req.Method == http.MethodHead,
		head:   op.judgeRequestHead(req, params, pathOK),
		header: header,
	}
}

// send returns the request to pass on, its body recorded. A transport that has to send a body
// again asks GetBody for it, and what it reads then is what counts.
func (x *exchange) send(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	record := func(rc io.ReadCloser) io.ReadCloser {
		seen := &recorder{length: req.ContentLength}
		x.sent.Store(seen)
		return &tee{ReadCloser: rc, seen: seen, done: func() {}}
	}
	out := req.WithContext(req.Context())
	out.Body = record(req.Body)
	if req.GetBody != nil {
		out.GetBody = func() (io.ReadCloser, error) {
			again, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			return record(again), nil
		}
	}
	return out
}

// receive watches the answer's body, where there is one to watch.
func (x *exchange) receive(resp *http.Response) {
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		x.finish(resp.StatusCode, resp.Header, nothing) // its body is a connection
	case resp.Body == nil || resp.Body == http.NoBody:
		x.finish(resp.StatusCode, resp.Header, empty)
	default:
		status, header, seen := resp.StatusCode, resp.Header.Clone(), &recorder{length: resp.ContentLength}
		resp.Body = &tee{ReadCloser: resp.Body, seen: seen, done: func() { x.finish(status, header, seen.body) }}
	}
}

// nothing is a body that was not watched, and empty one that is known to be empty.
func nothing() body { return body{unseen: true} }
func empty() body   { return body{} }

// finish judges and reports, once. A status of 0 is no answer.
func (x *exchange) finish(status int, header http.Header, received func() body) {
	x.once.Do(func() {
		var sent body
		if seen := x.sent.Load(); seen != nil {
			sent = seen.body()
		}
		vs := slices.Concat(x.head, x.op.judgeRequestBody(x.header, sent))
		if status != 0 {
			vs = append(vs, x.op.judgeResponse(x.toHead, status, header, received())...)
		}
		if vs = tidy(vs); len(vs) > 0 {
			x.report(vs)
		}
	})
}
