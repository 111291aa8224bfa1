package contract

import (
	"context"
	"errors"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// judgeParameter judges a value outside the body: a part of the path, or a header.
func judgeParameter(side Side, op *operation, parameter *openapi3.Parameter, req *http.Request, path map[string]string) []Violation {
	err := openapi3filter.ValidateParameter(context.Background(), &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: path,
		Route:      op.route,
		Options:    &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true},
	}, parameter)
	if err == nil {
		return nil
	}
	v := Violation{Side: side, Pointer: parameter.In + ":" + parameter.Name, Kind: "missing", Found: "nothing", Want: "a value"}
	if parameter.Schema != nil {
		v.Want = describe(parameter.Schema.Value)
	}
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		return []Violation{v}
	}
	text := ""
	switch parameter.In {
	case openapi3.ParameterInPath:
		text = path[parameter.Name]
	case openapi3.ParameterInHeader:
		text = req.Header.Get(parameter.Name)
	case openapi3.ParameterInQuery:
		text = req.URL.Query().Get(parameter.Name)
	}
	v.Kind, v.Found = found(text)
	return []Violation{v}
}
