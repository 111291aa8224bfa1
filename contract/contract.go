// Package contract checks real HTTP exchanges against openapi.yaml, the contract of this module,
// and reports what real responses have that it does not describe.
//
// In a test, one line fails it with a list of every violation:
//
//	contract.Check(t, req, resp)
//
// [Transport] reports the violations in the traffic of any http.Client, which it leaves unchanged.
// [Drift] collects members, kinds, statuses and types of errors that openapi.yaml lacks. [ReadCapture]
// reads what `curl -i` printed, and [Validator] returns the [Violation] values themselves.
//
// # What is checked
//
// The method, path, parameters, credentials, media type and body of a request; the status,
// headers, media type and body of a response. All violations are reported, at most one for each
// place, always in the same order.
//
// The host is not checked, so that tests can use loopback. If a server in the document has a path,
// such as /v1, requests may have it in front of theirs or not. A path behind another prefix, such as
// that of a proxy, is a violation.
//
// A status that the contract does not list is a violation, even if the contract has a default
// response. The body is then checked against the default response. Members that the contract does
// not name are allowed everywhere, whatever their values are.
//
// The checks are stricter than a JSON library: a body is UTF-8 and a single JSON value; a member
// that the contract names occurs once in its object; an integer has no fraction and no exponent,
// and fits 64 bits if the contract requires it.
//
// # What is never printed
//
// A violation describes the kind and length of a value, and prints numbers, true and false. It
// never holds a string of the exchange: no credential, no message text. A [Finding] holds names of
// members and types of errors, and no other text of a response.
//
// # Limits
//
// At most 8 MiB of each body are read into memory. A longer body is a violation, and so is one of
// more than 50,000 JSON values or nested deeper than 100 levels. What was read is put back, so that
// the next reader gets the body as it came.
package contract

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/internal/spec"
)

// Validator checks exchanges against the contract. It is immutable and safe for concurrent use.
type Validator struct {
	document   []byte
	schemas    map[*openapi3.Schema]jsontext.Pointer // where the document has them
	operations []*operation                          // concrete paths before templated ones
	fallback   *operation                            // of a response without a request; nil if it could be one of several
}

// Option changes what [New], [NewDrift] and [Transport] check against.
type Option func(*options)

type options struct {
	document  []byte
	operation *string
}

// ForOperation names the operation that a response without a request is checked against, by its
// operationId or, if it has none, by method and path, as in "GET /v2/users". It is required only
// if the document has several operations, and never overrides a request.
func ForOperation(id string) Option {
	return func(o *options) { o.operation = &id }
}

// WithDocument replaces the contract of this module by another OpenAPI 3.0 document, in YAML or
// JSON, such as a longer one of a program's own.
func WithDocument(document []byte) Option {
	return func(o *options) { o.document = document }
}

// New returns a validator of the contract that this module embeds. Loading takes about 10 ms; without
// options it is done once in a program. An error means that the
// document of [WithDocument] is not a valid OpenAPI document or has no operation, that it has no
// operation of the id in [ForOperation], or that an option is nil.
func New(opts ...Option) (*Validator, error) {
	if len(opts) == 0 {
		return shared()
	}
	return newValidator(opts)
}

// shared is the validator without options, loaded when it is first needed.
var shared = sync.OnceValues(func() (*Validator, error) { return newValidator(nil) })

func newValidator(opts []Option) (*Validator, error) {
	o := options{document: spec.Document}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("contract option is nil")
		}
		opt(&o)
	}
	v, err := load(o.document)
	if err != nil {
		return nil, err
	}
	switch {
	case o.operation != nil:
		i := slices.Index(v.Operations(), *o.operation)
		if i < 0 {
			return nil, fmt.Errorf("contract has no operation %q: name one of %s", *o.operation, strings.Join(v.Operations(), ", "))
		}
		v.fallback = v.operations[i]
	case len(v.operations) == 1:
		v.fallback = v.operations[0]
	}
	return v, nil
}

// Document returns a copy of openapi.yaml, the contract of this module.
func Document() []byte {
	return bytes.Clone(spec.Document)
}

// Operations returns the id of each operation, as [ForOperation] takes them.
func (v *Validator) Operations() []string {
	ids := make([]string, len(v.operations))
	for i, op := range v.operations {
		ids[i] = op.id()
	}
	return ids
}

// Operation returns the id of the operation that a request is for, and the decoded values of the
// parameters in its path. The id is empty if there is no such operation.
func (v *Validator) Operation(req *http.Request) (id string, path map[string]string) {
	m, ok := v.find(normalized(req))
	if !ok {
		return "", nil
	}
	return m.id(), m.params
}

// CheckRequest returns all violations in req, or nil. A request that matches no
// operation is compared with the operation that it is closest to.
//
// The body is read from GetBody if req has it, which leaves Body alone; otherwise from Body,
// which is then put back to be read again. A nil request is a violation.
func (v *Validator) CheckRequest(req *http.Request) []Violation {
	if req == nil {
		return []Violation{{Side: Request, Kind: "missing", Found: "no request", Want: "a request"}}
	}
	b := readRequest(req)
	req = normalized(req)
	if m, ok := v.find(req); ok {
		return m.checkRequest(req, b)
	}
	path := req.URL.EscapedPath()
	return fewest(v.operations, func(op *operation) []Violation { return match{op, op.match(path)}.checkRequest(req, b) })
}

// CheckResponse returns all violations in resp, or nil. The body is read and put
// back. A nil response is a violation.
//
// The response is checked against the operation of req or, if req is nil, of resp.Request. If that
// is no request of an operation, it is checked against the operation of [ForOperation], or the only
// one of the document. If several remain, that is the only violation; it lists them.
func (v *Validator) CheckResponse(req *http.Request, resp *http.Response) []Violation {
	if resp == nil {
		return []Violation{{Side: Response, Kind: "missing", Found: "no response", Want: "a response"}}
	}
	m, err := v.findResponse(req, resp)
	if err != nil {
		want := "one of " + strings.Join(v.Operations(), " ")
		return []Violation{{Side: Response, Pointer: "operation", Kind: "missing", Found: "no known operation", Want: want}}
	}
	vs, content := m.checkHead(resp.StatusCode, resp.Header)
	if hasNoBody(m.method, resp.StatusCode) { // that of a 101 is a connection
		return vs
	}
	return append(vs, checkBody(Response, content, resp.Header, readAndPutBack(&resp.Body), true)...)
}

// TB is the part of *testing.T that Check uses.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails the test with a list of every violation of the contract of this module. Either side
// may be nil, and is then not checked; a response without a request is checked as by
// [Validator.CheckResponse]. Bodies are read and put back.
//
// Check a request before it is sent, as its body cannot be read a second time unless it has GetBody.
// To check what a client sends and receives, give it a [Transport].
func Check(t TB, req *http.Request, resp *http.Response) {
	t.Helper()
	v, err := New()
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
		t.Errorf("nothing to check: pass a request, a response or both")
	case len(vs) > 0:
		var lines strings.Builder
		for _, v := range vs {
			lines.WriteString("\n\t" + v.String())
		}
		t.Errorf("the exchange violates the contract in %s:%s", count(len(vs), "place"), lines.String())
	}
}
