// Package contract checks real HTTP exchanges against openapi.yaml, the contract of this module.
//
// In a test, one line fails it with a list of every departure:
//
//	contract.Check(t, req, resp)
//
// [Transport] watches the traffic of any http.Client: it reports and changes nothing.
// [ReadCapture] reads what `curl -i` printed. [Validator] serves them all, for programs that
// want the [Violation] values themselves, and [Document] is the contract's text.
//
// # What is checked
//
// Of a request: its method, its path, its parameters, its credentials, the media type, and the
// body. Of a response: its status, its headers, the media type, and the body. All violations
// are found, not the first one: one for each place, always in the same order. The host is not
// checked, so that tests can use loopback.
//
// A status that the contract does not list is a violation, although the contract has a default
// response; the body of such an answer is still checked by the default. Members that the
// contract does not know are allowed everywhere and not looked into.
//
// Stricter than a JSON library: a body is UTF-8, one JSON value and nothing behind it; a member
// that the contract knows stands only once in its object; an integer has no fraction and no
// exponent, and fits 64 bits where the contract says so.
//
// # What is never printed
//
// A violation says what kind of value was found and how long it is, and prints numbers, true
// and false. It never holds a string that came over the wire: no credential, no message text.
//
// # Limits
//
// Of each body at most 8 MiB are read into memory; a longer one is a violation, and so is one
// of more than 50,000 JSON values, where some hundred are usual, or one nested deeper than 100
// levels. What was read is put back, so that the next reader sees the body as it came.
package contract

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/unsend-go/unsend/internal/spec"
)

// Validator checks exchanges against the contract. It is safe for concurrent use and never
// changes: make one and keep it.
type Validator struct {
	operations []*operation // concrete paths before templated ones
}

// New loads the contract that this module embeds, which takes some ten milliseconds. Its error
// means that the contract itself is unsound, which the tests of this module rule out.
func New() (*Validator, error) {
	return load(spec.Document)
}

// Document returns a copy of openapi.yaml, the contract as it was written.
func Document() []byte {
	return bytes.Clone(spec.Document)
}

// shared is the validator of Check and Transport: loaded by the first that needs it.
var shared = sync.OnceValues(New)

// CheckRequest returns every departure of req from the contract, nil where there is none. A
// request for no path of the contract is compared with the operation that it is closest to.
//
// The body is read from GetBody where req has it, which leaves Body alone; else from Body, which
// is then put back to be read again. A nil request is a violation.
func (v *Validator) CheckRequest(req *http.Request) []Violation {
	if req == nil {
		return []Violation{{Side: Request, Kind: "missing", Found: "no request", Want: "a request"}}
	}
	b := readRequest(req)
	req = normalized(req)
	return fewest(v.find(req), func(m match) []Violation { return m.checkRequest(req, b) })
}

// CheckResponse returns every departure of resp, the answer to req, from the contract; nil
// where there is none. The body is read and put back. Where req is nil, resp.Request is taken.
// Without either, or for a request of no operation, resp has to meet one operation, whichever
// it is. A nil response is a violation.
func (v *Validator) CheckResponse(req *http.Request, resp *http.Response) []Violation {
	if resp == nil {
		return []Violation{{Side: Response, Kind: "missing", Found: "no response", Want: "a response"}}
	}
	if req == nil {
		req = resp.Request
	}
	req = normalized(req)
	b := readAndPutBack(&resp.Body)
	status := resp.StatusCode
	if req.Method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified {
		b.err = errUnknown // HTTP lets none of these carry a body
	}
	return fewest(v.find(req), func(m match) []Violation { return m.checkResponse(status, resp.Header, b) })
}

// TB is what Check needs of *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails the test with a list of every departure of the exchange from the contract. Either
// side may be nil, and is then not checked. Bodies are read and put back; a request body that
// was read before, and cannot be had again from GetBody, counts as missing.
func Check(t TB, req *http.Request, resp *http.Response) {
	t.Helper()
	v, err := shared()
	if err != nil {
		t.Errorf("the exchange cannot be checked: %v", err)
		return
	}
	var vs []Violation
	if req != nil {
		vs = append(vs, v.CheckRequest(req)...)
	}
	if resp != nil {
		vs = append(vs, v.CheckResponse(req, resp)...)
	}
	switch {
	case req == nil && resp == nil:
		t.Errorf("there is no exchange to check: pass a request, a response or both")
	case len(vs) > 0:
		var lines strings.Builder
		for _, v := range vs {
			lines.WriteString("\n\t" + v.String())
		}
		t.Errorf("the exchange departs from the contract in %s:%s", count(len(vs), "place"), lines.String())
	}
}
