package contract

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/unsend-go/unsend/internal/spec"
)

// mainOperation is what this module is about, whatever else its contract may come to hold: a
// message that names no operation is judged as one of this.
const mainOperation = "unsendChatMessage"

// Validator judges exchanges by the contract. It is safe for concurrent use, and never
// changes: make one and keep it.
type Validator struct {
	operations []*operation // in a fixed order, the main one first
}

// operation is what the validator asks of one method and path of the contract.
type operation struct {
	method string
	path   []string // the template's segments
	route  *routers.Route
	params openapi3.Parameters
	// credentials lists the headers of each alternative; one alternative must be met.
	credentials [][]string
}

// New loads the contract that this module embeds, which takes some ten milliseconds. Its
// error means that the contract itself is unsound, which the tests of this module rule out.
func New() (*Validator, error) {
	return load(spec.Document)
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
		for method, op := range item.Operations() {
			credentials, err := credentialHeaders(doc, op)
			if err != nil {
				return nil, err
			}
			v.operations = append(v.operations, &operation{
				method:      method,
				path:        strings.Split(path, "/"),
				route:       &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
				params:      allParameters(item, op),
				credentials: credentials,
			})
		}
	}
	if len(v.operations) == 0 {
		return nil, fmt.Errorf("contract has no operation: add one under paths")
	}
	slices.SortStableFunc(v.operations, func(a, b *operation) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), cmp.Compare(a.route.Path, b.route.Path), cmp.Compare(a.method, b.method))
	})
	return v, nil
}

// place orders operations: the main one first.
func (op *operation) place() int {
	if op.route.Operation.OperationID == mainOperation {
		return 0
	}
	return 1
}

// allParameters joins an operation's parameters with those of its path that it does not
// state itself.
func allParameters(item *openapi3.PathItem, op *openapi3.Operation) openapi3.Parameters {
	params := slices.Clone(op.Parameters)
	for _, p := range item.Parameters {
		if params.GetByInAndName(p.Value.In, p.Value.Name) == nil {
			params = append(params, p)
		}
	}
	return params
}

// credentialHeaders reads the security requirements. The filter of kin-openapi stops at the
// first credential that is missing; here each is named, so each can be reported.
func credentialHeaders(doc *openapi3.T, op *openapi3.Operation) ([][]string, error) {
	requirements := doc.Security
	if op.Security != nil {
		requirements = *op.Security
	}
	var alternatives [][]string
	for _, requirement := range requirements {
		headers := []string{}
		for name := range requirement {
			scheme := doc.Components.SecuritySchemes[name].Value
			switch {
			case scheme.Type == "apiKey" && scheme.In == "header":
				headers = append(headers, scheme.Name)
			case scheme.Type == "http", scheme.Type == "oauth2", scheme.Type == "openIdConnect":
				headers = append(headers, "Authorization")
			default:
				return nil, fmt.Errorf("contract has a credential in the %s (%s): only headers can be checked", scheme.In, name)
			}
		}
		slices.Sort(headers)
		alternatives = append(alternatives, headers)
	}
	return alternatives, nil
}

// find matches a request with an operation. Where none fits it returns the closest one, the
// path's first and then the main one, so that the rest of the message is judged too.
func (v *Validator) find(req *http.Request) (op *operation, params map[string]string, pathOK bool) {
	var segments []string
	if req != nil && req.URL != nil {
		segments = strings.Split(req.URL.EscapedPath(), "/")
	}
	for _, candidate := range v.operations {
		values, ok := candidate.match(segments)
		if ok && (!pathOK || candidate.method == req.Method) {
			op, params, pathOK = candidate, values, true
		}
	}
	if op == nil {
		op = v.operations[0]
	}
	return op, params, pathOK
}
