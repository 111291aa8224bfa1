package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// operation is one method of one path of the contract.
type operation struct {
	routers.Route
	segments   []string            // of the path's template
	parameters openapi3.Parameters // its own, and those of its path
	security   openapi3.SecurityRequirements
}

func load(document []byte) (*Validator, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("contract cannot be read: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("contract is not sound: %w", err)
	}
	v := &Validator{}
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		methods := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			op := &operation{
				Route:      routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: methods[method]},
				segments:   strings.Split(path, "/"),
				parameters: slices.Clone(methods[method].Parameters),
				security:   doc.Security,
			}
			for _, p := range item.Parameters {
				if op.parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil {
					op.parameters = append(op.parameters, p)
				}
			}
			if own := op.Operation.Security; own != nil {
				op.security = *own
			}
			v.operations = append(v.operations, op)
		}
	}
	if len(v.operations) == 0 {
		return nil, errors.New("contract has no operation: add one under paths")
	}
	return v, nil
}

// match is an operation that a message is compared with.
type match struct {
	*operation
	params map[string]string // of the path; nil where the path is another one
}

// find returns the operation that a request asks for. Where there is none it returns those of
// the request's path, and where that is unknown too, all.
func (v *Validator) find(req *http.Request) []match {
	segments := strings.Split(req.URL.EscapedPath(), "/")
	var all, ofPath []match
	for _, op := range v.operations {
		m := match{op, op.match(segments)}
		if m.params != nil && op.Method == req.Method {
			return []match{m}
		}
		if m.params != nil {
			ofPath = append(ofPath, m)
		}
		all = append(all, m)
	}
	if ofPath != nil {
		return ofPath
	}
	return all
}

// match compares the segments of an escaped path with the operation's template and returns the
// decoded value of each parameter. Splitting before decoding keeps an encoded slash inside its
// id, where the id's pattern refuses it; the routers of kin-openapi do not.
func (op *operation) match(segments []string) map[string]string {
	if len(segments) != len(op.segments) {
		return nil
	}
	params := map[string]string{}
	for i, want := range op.segments {
		name, isParam := strings.CutPrefix(want, "{")
		switch {
		case isParam:
			value, err := url.PathUnescape(segments[i])
			if err != nil {
				value = segments[i]
			}
			params[strings.TrimSuffix(name, "}")] = value
		case segments[i] != want:
			return nil
		}
	}
	return params
}

// fewest checks a message against each candidate and returns what departs from the closest.
func fewest(candidates []match, check func(match) []Violation) []Violation {
	var best []Violation
	for i, m := range candidates {
		if vs := sortAndDedupe(check(m)); i == 0 || len(vs) < len(best) {
			best = vs
		}
	}
	return best
}

// normalized copies what is read of a request's head: one made by hand may lack parts of it,
// or have header names in another case than net/http gives them.
func normalized(req *http.Request) *http.Request {
	if req == nil {
		return &http.Request{URL: &url.URL{}}
	}
	return &http.Request{
		Method: cmp.Or(req.Method, http.MethodGet),
		URL:    cmp.Or(req.URL, &url.URL{}),
		Header: canonical(req.Header),
	}
}

func canonical(header http.Header) http.Header {
	copied := make(http.Header, len(header))
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		copied[name] = append(copied[name], values...)
	}
	return copied
}

func (m match) checkRequest(req *http.Request, b body) []Violation {
	vs := m.checkCredentials(req)
	if m.params == nil {
		vs = append(vs, Violation{Side: Request, Pointer: "path", Kind: "string", Found: "another path", Want: m.Path})
	}
	if m.Method != req.Method {
		methods := slices.Sorted(maps.Keys(m.PathItem.Operations()))
		vs = append(vs, Violation{Side: Request, Pointer: "method", Kind: "string", Found: "another method", Want: strings.Join(methods, " or ")})
	}
	for _, ref := range m.parameters {
		if ref.Value.In != openapi3.ParameterInPath || m.params != nil {
			vs = append(vs, m.checkParameter(Request, ref.Value, req)...)
		}
	}
	if ref := m.Operation.RequestBody; ref != nil {
		vs = append(vs, checkBody(Request, ref.Value.Content, req.Header, b, ref.Value.Required)...)
	}
	return vs
}

func (m match) checkResponse(status int, header http.Header, b body) []Violation {
	var vs []Violation
	responses := m.Operation.Responses
	ref := responses.Status(status)
	if ref == nil {
		names := slices.Sorted(maps.Keys(responses.Map()))
		names = slices.DeleteFunc(names, func(name string) bool { return name == "default" })
		vs = append(vs, Violation{
			Side: Response, Pointer: "status", Kind: "number",
			Found: fmt.Sprintf("status %d", status), Want: "one of " + strings.Join(names, " "),
		})
		ref = responses.Default()
	}
	if ref == nil {
		return vs
	}
	for name, ref := range ref.Value.Headers {
		parameter := ref.Value.Parameter
		parameter.Name, parameter.In = name, openapi3.ParameterInHeader
		vs = append(vs, m.checkParameter(Response, &parameter, &http.Request{Header: header})...)
	}
	return append(vs, checkBody(Response, ref.Value.Content, header, b, true)...)
}

// checkParameter checks a value outside the body: a part of the path, of the query, or a header.
func (m match) checkParameter(side Side, parameter *openapi3.Parameter, req *http.Request) []Violation {
	err := openapi3filter.ValidateParameter(context.Background(), &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: m.params,
		Route:      &m.Route,
		Options: &openapi3filter.Options{
			MultiError:              true,
			SkipSettingDefaults:     true,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails()},
		},
	}, parameter)
	if err == nil {
		return nil
	}
	v := Violation{Side: side, Pointer: parameter.In + ":" + parameter.Name, Kind: "missing", Found: "nothing", Want: "a value"}
	if parameter.Schema != nil {
		v.Want = describeSchema(parameter.Schema.Value)
	}
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		return []Violation{v}
	}
	v.Kind, v.Found = "string", "text of another form"
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		v.Kind, v.Found = describeValue(e.Value)
	}
	return []Violation{v}
}

// checkCredentials asks for every credential of the alternative that lacks the fewest. The
// filter of kin-openapi stops at the first that is missing.
func (m match) checkCredentials(req *http.Request) []Violation {
	var best []Violation
	for i, requirement := range m.security {
		var missing []Violation
		for name := range requirement {
			place, values := credential(m.Spec.Components.SecuritySchemes[name].Value, req)
			v := Violation{Side: Request, Pointer: place, Kind: "missing", Found: "nothing", Want: "a credential"}
			if len(values) > 0 {
				v.Kind, v.Found = "string", "an empty string"
			}
			isBlank := func(s string) bool { return strings.TrimSpace(s) == "" }
			if len(values) == 0 || slices.ContainsFunc(values, isBlank) {
				missing = append(missing, v)
			}
		}
		if i == 0 || len(missing) < len(best) {
			best = missing
		}
	}
	return best
}

// credential returns where a security scheme has its credential, and what stands there.
func credential(scheme *openapi3.SecurityScheme, req *http.Request) (place string, values []string) {
	name := scheme.Name
	switch {
	case scheme.Type == "apiKey" && scheme.In == openapi3.ParameterInQuery:
		values = req.URL.Query()[name]
	case scheme.Type == "apiKey" && scheme.In == openapi3.ParameterInCookie:
		for _, cookie := range req.CookiesNamed(name) {
			values = append(values, cookie.Value)
		}
	case scheme.Type == "apiKey":
		values = req.Header.Values(name)
	default: // http, oauth2 and openIdConnect
		return "header:Authorization", req.Header.Values("Authorization")
	}
	return scheme.In + ":" + name, values
}
