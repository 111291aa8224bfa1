package mock

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// responder is the [http.ResponseWriter] of a round trip without a socket.
type responder struct {
	req      *http.Request
	header   http.Header
	status   int // 0 until it is written
	sent     http.Header
	declared int64 // Content-Length, -1 for none
	written  int64
	ready    chan struct{} // closed when there is a response, or none will come
	started  bool          // ready is closed
	body     *stream
}

func newResponder(req *http.Request, leave context.CancelFunc) *responder {
	return &responder{
		req:    req,
		header: http.Header{},
		ready:  make(chan struct{}),
		body:   newStream(req.Context(), leave),
	}
}

func (o *responder) Header() http.Header { return o.header }

func (o *responder) WriteHeader(status int) {
	if o.status != 0 {
		return
	}
	o.status, o.sent, o.declared = status, o.header.Clone(), -1
	if o.sent.Get("Date") == "" {
		o.sent.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if n, err := strconv.ParseInt(o.sent.Get("Content-Length"), 10, 64); err == nil {
		o.declared = n
	}
	o.started = true
	close(o.ready)
}

// silent reports whether the response has no body whatever is written.
func (o *responder) silent() bool {
	return o.req.Method == http.MethodHead || bodiless(o.status)
}

func (o *responder) Write(p []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	if o.silent() {
		return len(p), nil
	}
	n, err := o.body.Write(p)
	o.written += int64(n)
	return n, err
}

// FlushError sends what was written, which here is nothing to do but for the header.
func (o *responder) FlushError() error {
	o.WriteHeader(http.StatusOK)
	return nil
}

// end is deferred around the handler: it turns a broken connection into a broken body.
func (o *responder) end() {
	broken := false
	switch reason := recover(); reason {
	case nil:
	case http.ErrAbortHandler:
		broken = true
	default:
		panic(reason)
	}
	if !broken {
		o.WriteHeader(http.StatusOK)
	}
	if broken || !o.silent() && o.written < o.declared {
		o.body.end(io.ErrUnexpectedEOF)
	} else {
		o.body.end(io.EOF)
	}
	if !o.started {
		close(o.ready)
	}
}

// response is called once ready is closed.
func (o *responder) response() (*http.Response, error) {
	if o.status == 0 {
		return nil, fmt.Errorf("mock: connection closed before an answer: %w", io.ErrUnexpectedEOF)
	}
	resp := &http.Response{
		Status:        fmt.Sprintf("%d %s", o.status, http.StatusText(o.status)),
		StatusCode:    o.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        o.sent,
		Body:          o.body,
		ContentLength: o.declared,
		Request:       o.req,
	}
	switch {
	case o.silent():
		resp.Body, resp.ContentLength = http.NoBody, max(0, o.declared)
	case o.declared < 0:
		resp.TransferEncoding = []string{"chunked"}
	}
	return resp, nil
}
