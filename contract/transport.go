package contract

import (
	"net/http"
	"sync"
)

// Transport wraps the transport of a client (nil means [http.DefaultTransport]) and reports each
// exchange that violates the contract. It passes requests and responses on unchanged.
//
// report is called once for such an exchange, with the violations of both sides, before the
// client gets the response. It may be called from several goroutines at once. If no response
// comes, it is called with the violations of the request.
//
// Each body is read whole before it is passed on, up to 8 MiB: a response that never ends holds
// its caller until the request's context ends. Longer bodies pass through and are reported as one
// violation. Read errors and trailers pass through as well.
//
// An invalid option makes each request fail with the error of [New].
func Transport(next http.RoundTripper, report func([]Violation), opts ...Option) http.RoundTripper {
	load := sync.OnceValues(func() (*Validator, error) { return New(opts...) })
	return newTransport(next, func(req *http.Request) (func(*http.Response), error) {
		v, err := load()
		if err != nil {
			return nil, err
		}
		vs := v.CheckRequest(req)
		return func(resp *http.Response) {
			if resp != nil {
				vs = append(vs, v.CheckResponse(req, resp)...)
			}
			if len(vs) > 0 {
				report(vs)
			}
		}, nil
	})
}

// transport shows each exchange to an observer, which reads bodies and puts them back.
type transport struct {
	next http.RoundTripper
	// observe is called with a request before it is sent. What it returns is called with the
	// response, or with nil if there is none.
	observe func(req *http.Request) (observeResponse func(*http.Response), err error)
}

func newTransport(next http.RoundTripper, observe func(*http.Request) (func(*http.Response), error)) *transport {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{next, observe}
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.Clone(req.Context()) // the caller's own must not change
	sent.GetBody = nil               // which may count its calls
	observeResponse, err := t.observe(sent)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	sent.GetBody = req.GetBody
	resp, err := t.next.RoundTrip(sent)
	if err != nil {
		observeResponse(nil)
		return resp, err
	}
	observeResponse(resp)
	if resp != nil && resp.Request == sent {
		resp.Request = req
	}
	return resp, nil
}

// CloseIdleConnections implements [http.Client.CloseIdleConnections] for the wrapped transport.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
