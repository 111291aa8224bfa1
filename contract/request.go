package contract

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// CheckRequest returns every departure of req from the contract, nil where there is none.
// The body is read from GetBody where req has it, which leaves Body alone; else from Body,
// which is then put back to be read again. A nil request is a violation.
func (v *Validator) CheckRequest(req *http.Request) []Violation {
	if req == nil {
		return []Violation{{Side: Request, Kind: "missing", Found: "no request", Want: "a request"}}
	}
	op, params, pathOK := v.find(req)
	head := op.judgeRequestHead(req, params, pathOK)
	return tidy(append(head, op.judgeRequestBody(req.Header, takeRequest(req))...))
}

func takeRequest(req *http.Request) body {
	if req.GetBody != nil {
		if fresh, err := req.GetBody(); err == nil {
			b := take(&fresh)
			_ = fresh.Close()
			return b
		}
	}
	return take(&req.Body)
}

// judgeRequestHead judges all but the body.
func (op *operation) judgeRequestHead(req *http.Request, params map[string]string, pathOK bool) []Violation {
	var vs []Violation
	if !pathOK {
		vs = append(vs, Violation{Side: Request, Pointer: "path", Kind: "string", Found: "another path", Want: op.route.Path})
	}
	if method := cmp.Or(req.Method, http.MethodGet); method != op.method {
		vs = append(vs, Violation{Side: Request, Pointer: "method", Kind: "string", Found: describeMethod(method), Want: op.method})
	}
	for _, ref := range op.params {
		if ref.Value.In == openapi3.ParameterInPath && !pathOK {
			continue
		}
		vs = append(vs, judgeParameter(Request, op, ref.Value, req, params)...)
	}
	return append(vs, op.judgeCredentials(req.Header)...)
}

// judgeRequestBody judges a body that was read already.
func (op *operation) judgeRequestBody(header http.Header, b body) []Violation {
	ref := op.route.Operation.RequestBody
	if ref == nil {
		return nil
	}
	return judgeBody(Request, ref.Value.Content, header, b, ref.Value.Required)
}

// judgeCredentials asks for every header of the alternative that lacks the fewest.
func (op *operation) judgeCredentials(header http.Header) []Violation {
	var fewest []Violation
	for i, names := range op.credentials {
		var missing []Violation
		for _, name := range names {
			v := Violation{Side: Request, Pointer: "header:" + name, Want: "a credential"}
			switch values := headerValues(header, name); {
			case len(values) == 0:
				v.Kind, v.Found = "missing", "nothing"
			case slices.ContainsFunc(values, func(s string) bool { return strings.TrimSpace(s) == "" }):
				v.Kind, v.Found = "string", "an empty string"
			default:
				continue
			}
			missing = append(missing, v)
		}
		if i == 0 || len(missing) < len(fewest) {
			fewest = missing
		}
	}
	return fewest
}

// headerValues finds a header however its key is written: a handler's tests may set the key
// of the map themselves, and on the wire case means nothing.
func headerValues(header http.Header, name string) []string {
	var all []string
	for key, values := range header {
		if strings.EqualFold(key, name) {
			all = append(all, values...)
		}
	}
	return all
}

// describeMethod is safe to print: a name from the standard, or a length.
func describeMethod(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return name
	}
	_, text := found(name)
	return text
}
