package mock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// Client returns an HTTP client that reaches the server without a socket, whatever host the
// request names. It works inside testing/synctest bubbles: every goroutine it starts ends
// with its request, and what waits there waits on virtual time.
//
// A response's body must be closed, as always; until then, a long one holds a goroutine.
// Connections that break show as errors that match [io.ErrUnexpectedEOF].
func (s *Server) Client() *http.Client { return &http.Client{Transport: transport{s}} }

// transport runs a handler for each round trip.
type transport struct{ handler http.Handler }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := context.Cause(req.Context()); err != nil {
		closeBody(req)
		return nil, err
	}
	failed := make(chan error, 1)
	in, err := serverRequest(req, failed)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	// Values of the caller's context stay with the caller, as they would over a socket.
	ctx, leave := context.WithCancel(context.Background())
	stop := context.AfterFunc(req.Context(), leave)
	out := newResponder(req, leave)
	go func() {
		defer stop()
		defer leave()
		defer closeBody(in)
		defer out.end()
		t.handler.ServeHTTP(out, in.WithContext(ctx))
	}()
	select {
	case <-out.ready:
	case <-req.Context().Done():
		closeBody(in) // a handler may be waiting for it
		return nil, context.Cause(req.Context())
	}
	select {
	case err := <-failed: // whatever the handler made of it
		leave()
		return nil, err
	default:
		return out.response()
	}
}

// serverRequest is the request as a server would have read it from a socket. An error of the
// caller's body goes to failed.
func serverRequest(req *http.Request, failed chan<- error) (*http.Request, error) {
	target := req.URL.RequestURI()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	in := &http.Request{
		Method:        req.Method,
		URL:           u,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        req.Header.Clone(),
		Body:          http.NoBody,
		ContentLength: req.ContentLength,
		Host:          req.Host,
		RemoteAddr:    "192.0.2.1:1234",
		RequestURI:    target,
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Header == nil {
		in.Header = http.Header{}
	}
	if _, set := in.Header["User-Agent"]; !set {
		in.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	if req.Body == nil || req.Body == http.NoBody {
		in.ContentLength = 0
		return in, nil
	}
	if in.ContentLength <= 0 {
		in.ContentLength, in.TransferEncoding = -1, []string{"chunked"}
	}
	in.Body = &requestBody{source: req.Body, failed: failed}
	return in, nil
}

// requestBody is closed once, by whichever side ends first.
type requestBody struct {
	source io.ReadCloser
	failed chan<- error
	once   sync.Once
	err    error
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		select {
		case b.failed <- err:
		default:
		}
	}
	return n, err
}

func (b *requestBody) Close() error {
	b.once.Do(func() { b.err = b.source.Close() })
	return b.err
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nobody is left to hear of it
	}
}
