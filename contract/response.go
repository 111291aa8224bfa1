package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckResponse returns every departure of resp, the answer to req, from the contract; nil
// where there is none. The body is read and put back. Where req is nil, resp.Request is
// taken; without either, or for a request that the contract does not know, resp is judged as
// an answer of the contract's one operation. A nil response is a violation.
func (v *Validator) CheckResponse(req *http.Request, resp *http.Response) []Violation {
	if resp == nil {
		return []Violation{{Side: Response, Kind: "missing", Found: "no response", Want: "a response"}}
	}
	if req == nil {
		req = resp.Request
	}
	op, _, _ := v.find(req)
	toHead := req != nil && req.Method == http.MethodHead
	return tidy(op.judgeResponse(toHead, resp.StatusCode, resp.Header, take(&resp.Body)))
}

// judgeResponse judges a response whose body was read already; toHead is one to a HEAD request.
func (op *operation) judgeResponse(toHead bool, status int, header http.Header, b body) []Violation {
	var vs []Violation
	responses := op.route.Operation.Responses
	ref := responses.Status(status)
	if ref == nil {
		vs = append(vs, Violation{
			Side: Response, Pointer: "status", Kind: "number", Found: fmt.Sprintf("status %d", status), Want: statuses(responses),
		})
		ref = responses.Default()
	}
	if ref == nil {
		return vs
	}
	for _, name := range slices.Sorted(maps.Keys(ref.Value.Headers)) {
		parameter := ref.Value.Headers[name].Value.Parameter
		parameter.Name, parameter.In = name, openapi3.ParameterInHeader
		vs = append(vs, judgeParameter(Response, op, &parameter, &http.Request{Header: header}, nil)...)
	}
	if !toHead && hasBody(status) {
		vs = append(vs, judgeBody(Response, ref.Value.Content, header, b, true)...)
	}
	return vs
}

// hasBody reports whether HTTP lets an answer of this status carry a body.
func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

func statuses(responses *openapi3.Responses) string {
	names := slices.Sorted(maps.Keys(responses.Map()))
	return "one of " + strings.Join(slices.DeleteFunc(names, func(name string) bool { return name == "default" }), " ")
}
