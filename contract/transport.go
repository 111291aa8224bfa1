package contract

import (
	"net/http"
	"sync"
)

// shared is the validator of Transport, Handler and Check: loaded by the first that needs it.
var shared = sync.OnceValues(New)

// Transport wraps a client's transport (nil: [http.DefaultTransport]) and reports every
// exchange that departs from the contract. It changes nothing of what passes.
//
// report is called once for such an exchange, with the violations of both sides, and never
// with none. It is called before the caller sees the end of the body, on the goroutine that
// reads or closes it, and may be called from many at once. An exchange that ends without an
// answer reports its request.
//
// Bodies are passed on as they are read, and copied up to 8 MiB for as long as their exchange
// lasts. So the costs of a call are: the judgement of the request's head before it is sent,
// the copy, and the judgement of both bodies at the end of the response. A response body that
// is closed before its end, or a request body that the transport did not read to its end, is
// judged where what was read is a whole JSON value, and passed over where it is not. A
// response body that is neither read to its end nor closed is never reported.
func Transport(next http.RoundTripper, report func([]Violation)) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{next: next, report: report, load: shared}
}

type transport struct {
	next   http.RoundTripper
	report func([]Violation)
	load   func() (*Validator, error)
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	v, err := t.load()
	if err != nil {
		t.report(unsound(err))
		return t.next.RoundTrip(req)
	}
	x := newExchange(v, req, t.report)
	out := x.send(req)
	resp, err := t.next.RoundTrip(out)
	if err != nil || resp == nil {
		x.finish(0, nil, nothing)
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

// unsound reports that nothing can be judged.
func unsound(err error) []Violation {
	return []Violation{{Side: Request, Kind: "missing", Found: err.Error(), Want: "a contract to judge by"}}
}
