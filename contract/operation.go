package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/go-json-experiment/json/jsontext"
)

// operation is one method of one path of the contract.
type operation struct {
	*openapi3.Operation
	method, path string
	template     *regexp.Regexp        // of escaped paths
	variables    [][]string            // of the path: with braces, and without
	parameters   openapi3.Parameters   // its own, and those of its path
	credentials  []openapi3.Parameters // a request needs all of one list
}

var (
	variable = regexp.MustCompile(`\{([^{}]*)\}`)  // of a path, or of a server's URL
	origin   = regexp.MustCompile(`^[^/]*//[^/]*`) // of a URL
)

// template returns what matches the escaped paths of an operation, behind the base path of a server
// or not. Matching before decoding keeps an encoded slash inside its id, so that the id's pattern
// refuses it; the routers of kin-openapi do not.
func template(path string, servers openapi3.Servers) *regexp.Regexp {
	written := func(path, variables string) string {
		literals := variable.Split(path, -1)
		for i, literal := range literals {
			literals[i] = regexp.QuoteMeta((&url.URL{Path: literal}).EscapedPath())
		}
		return strings.Join(literals, variables)
	}
	bases := []string{""}
	for _, server := range servers {
		base := strings.TrimSuffix(origin.ReplaceAllString(server.URL, ""), "/")
		bases = append(bases, written(base, "[^/]*"))
	}
	return regexp.MustCompile("^(?:" + strings.Join(bases, "|") + ")" + written(path, "([^/]*)") + "$")
}

// id returns the operation's name for ForOperation.
func (op *operation) id() string {
	return cmp.Or(op.OperationID, op.method+" "+op.path)
}

// pointer returns where the document has the operation.
func (op *operation) pointer() jsontext.Pointer {
	return jsontext.Pointer("/paths").AppendToken(op.path).AppendToken(strings.ToLower(op.method))
}

const schemasPointer jsontext.Pointer = "/components/schemas"

func load(document []byte) (*Validator, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("contract cannot be read: %w", err)
	}
	v := &Validator{document: document, schemas: map[*openapi3.Schema]jsontext.Pointer{}}
	visit := func(base jsontext.Pointer) openapi3.WalkSchemasFunc {
		return func(pointer string, ref *openapi3.SchemaRef) error {
			if ref.Ref != "" {
				return openapi3.SkipSubtree
			}
			v.schemas[ref.Value] = base + jsontext.Pointer(pointer)
			// An empty schema admits any JSON value. kin-openapi refuses null for it.
			ref.Value.Nullable = ref.Value.Nullable || ref.Value.IsEmpty()
			return nil
		}
	}
	if doc.Components != nil { // before others refer to them
		for name, ref := range doc.Components.Schemas {
			_ = ref.WalkSubtree(visit(schemasPointer.AppendToken(name)))
		}
	}
	_ = doc.WalkSchemas(visit(""))
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("contract is not sound: %w", err)
	}
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		methods := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			op := methods[method]
			parameters := slices.Clone(op.Parameters)
			for _, p := range item.Parameters {
				if parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil {
					parameters = append(parameters, p)
				}
			}
			var credentials []openapi3.Parameters
			for _, requirement := range *cmp.Or(op.Security, &doc.Security) {
				var list openapi3.Parameters
				for _, name := range slices.Sorted(maps.Keys(requirement)) {
					list = append(list, credential(doc.Components.SecuritySchemes[name].Value))
				}
				credentials = append(credentials, list)
			}
			servers := slices.Concat(doc.Servers, item.Servers, *cmp.Or(op.Servers, &openapi3.Servers{}))
			v.operations = append(v.operations, &operation{
				Operation: op, method: method, path: path, template: template(path, servers),
				variables: variable.FindAllStringSubmatch(path, -1), parameters: parameters, credentials: credentials,
			})
		}
	}
	if len(v.operations) == 0 {
		return nil, errors.New("contract has no operation: add one under paths")
	}
	return v, nil
}

// credential writes a security scheme as a parameter, so that every one that is missing or blank
// is named: the authentication of openapi3filter stops at the first.
func credential(scheme *openapi3.SecurityScheme) *openapi3.ParameterRef {
	p := openapi3.NewHeaderParameter("Authorization")
	if scheme.Type == "apiKey" {
		p.In, p.Name = scheme.In, scheme.Name
	}
	notBlank := openapi3.NewStringSchema().WithPattern(`\S`)
	return &openapi3.ParameterRef{Value: p.WithRequired(true).WithSchema(notBlank)}
}

// match is an operation that a message is compared with.
type match struct {
	*operation
	params map[string]string // of the path; nil if the path is another one
}

// find returns the operation that a request is for, and reports whether there is one.
func (v *Validator) find(req *http.Request) (match, bool) {
	for _, op := range v.operations {
		if op.method != req.Method {
			continue
		}
		if params := op.match(req.URL.EscapedPath()); params != nil {
			return match{op, params}, true
		}
	}
	return match{}, false
}

// findResponse returns the operation that a response is checked against: that of its request, or
// that of ForOperation, or the only one of the document.
func (v *Validator) findResponse(req *http.Request, resp *http.Response) (match, error) {
	m, ok := v.find(normalized(cmp.Or(req, resp.Request)))
	switch {
	case ok:
		return m, nil
	case v.fallback != nil:
		return match{operation: v.fallback}, nil
	}
	return match{}, fmt.Errorf("the response is of no known operation: name one of %s", strings.Join(v.Operations(), ", "))
}

// match compares an escaped path with the operation's and returns the decoded value of each
// parameter, or nil.
func (op *operation) match(path string) map[string]string {
	values := op.template.FindStringSubmatch(path)
	if values == nil {
		return nil
	}
	params := map[string]string{}
	for i, name := range op.variables {
		params[name[1]], _ = url.PathUnescape(values[i+1]) // of an escaped path
	}
	return params
}

// fewest checks each candidate and returns the violations of the closest.
func fewest[T any](candidates []T, check func(T) []Violation) []Violation {
	var best []Violation
	for i, candidate := range candidates {
		if vs := check(candidate); i == 0 || len(vs) < len(best) {
			best = vs
		}
	}
	return best
}

// normalized copies the parts of a request's head that are checked. A request made by hand may lack
// some, or have header names in another case than that of net/http.
func normalized(req *http.Request) *http.Request {
	if req == nil {
		req = &http.Request{}
	}
	header := http.Header{}
	for name, values := range req.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return &http.Request{
		Method: cmp.Or(req.Method, http.MethodGet),
		URL:    cmp.Or(req.URL, &url.URL{}),
		Header: header,
	}
}

func (m match) checkRequest(req *http.Request, b body) []Violation {
	var vs []Violation
	if m.method != req.Method {
		vs = append(vs, Violation{Side: Request, Pointer: "method", Kind: "string", Found: "another method", Want: m.method})
	}
	if m.params == nil {
		vs = append(vs, Violation{Side: Request, Pointer: "path", Kind: "string", Found: "another path", Want: m.path})
	}
	vs = append(vs, m.checkParameters(Request, m.parameters, req)...)
	vs = append(vs, fewest(m.credentials, func(list openapi3.Parameters) []Violation {
		missing := m.checkParameters(Request, list, req)
		for i := range missing {
			missing[i].Want = "a credential"
		}
		return missing
	})...)
	if m.RequestBody != nil {
		vs = append(vs, checkBody(Request, m.RequestBody.Value.Content, req.Header, b, m.RequestBody.Value.Required)...)
	}
	return vs
}

// checkHead checks the status and the headers of a response, and returns the media types
// that the contract lists for it.
func (m match) checkHead(status int, header http.Header) (vs []Violation, content openapi3.Content) {
	response := m.Responses.Status(status)
	if response == nil { // kin-openapi would admit it by the default
		listed := slices.Sorted(maps.Keys(m.Responses.Map()))
		listed = slices.DeleteFunc(listed, func(name string) bool { return name == "default" })
		vs = append(vs, Violation{
			Side: Response, Pointer: "status", Kind: "number",
			Found: fmt.Sprintf("status %d", status), Want: "one of " + cmp.Or(strings.Join(listed, " "), "those that the contract lists"),
		})
		response = cmp.Or(m.Responses.Default(), &openapi3.ResponseRef{Value: openapi3.NewResponse()})
	}
	var headers openapi3.Parameters
	for _, name := range slices.Sorted(maps.Keys(response.Value.Headers)) {
		parameter := response.Value.Headers[name].Value.Parameter
		parameter.Name, parameter.In = name, openapi3.ParameterInHeader
		headers = append(headers, &openapi3.ParameterRef{Value: &parameter})
	}
	return append(vs, m.checkParameters(Response, headers, &http.Request{Header: header})...), response.Value.Content
}

// checkParameters checks values outside the body: of the path, of the query, and headers.
func (m match) checkParameters(side Side, parameters openapi3.Parameters, req *http.Request) []Violation {
	var vs []Violation
	for _, ref := range parameters {
		p := ref.Value
		if p.In == openapi3.ParameterInPath && m.params == nil {
			continue
		}
		err := openapi3filter.ValidateParameter(context.Background(), &openapi3filter.RequestValidationInput{
			Request: req, PathParams: m.params, Options: &openapi3filter.Options{SkipSettingDefaults: true},
		}, p)
		if err == nil {
			continue
		}
		v := Violation{Side: side, Pointer: p.In + ":" + p.Name, Kind: "string", Found: "text of another form", Want: "a value"}
		if p.Schema != nil {
			v.Want = describeSchema(p.Schema.Value)
		}
		if errors.Is(err, openapi3filter.ErrInvalidRequired) {
			v.Kind, v.Found = "missing", "nothing"
		} else if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
			v.Kind, v.Found = describeValue(e.Value)
		}
		vs = append(vs, v)
	}
	return vs
}
