package contract_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/contract"
)

// The rows of this file are made from the contract itself, so that no property of it, present
// or to come, can be forgotten: each is given a value of every kind, and left out.

// kinds has a JSON text of each kind of value. A number counts as an integer as it is written.
var kinds = map[string]string{
	"null": "null", "boolean": "true", "integer": "7", "number": "7.5", "string": `"x"`, "array": "[]", "object": "{}",
}

func TestEveryPropertyIsHeldToTheContract(t *testing.T) {
	t.Parallel()
	v, op := newValidator(t), unsendOperation(t)
	schemaOf := func(content openapi3.Content) *openapi3.Schema { return content["application/json"].Schema.Value }
	for name, body := range map[string]struct {
		schema     *openapi3.Schema
		check      func(body string) []contract.Violation
		properties int // at least
	}{
		"request": {
			schemaOf(op.RequestBody.Value.Content),
			func(body string) []contract.Violation { return v.CheckRequest(newRequest(t, body)) }, 1,
		},
		"200": {
			schemaOf(op.Responses.Status(http.StatusOK).Value.Content),
			func(body string) []contract.Violation { return v.CheckResponse(nil, newResponse(http.StatusOK, body)) }, 112,
		},
		"400": {
			schemaOf(op.Responses.Status(http.StatusBadRequest).Value.Content),
			func(body string) []contract.Violation {
				return v.CheckResponse(nil, newResponse(http.StatusBadRequest, body))
			}, 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tried := 0
			eachProperty(body.schema, nil, func(path []string, schema *openapi3.Schema, required bool) {
				tried++
				p := property{path: path, schema: schema, check: func(value string) []contract.Violation {
					return body.check(render(body.schema, path, value))
				}}
				p.checkKinds(t)
				p.checkAbsence(t, required)
				p.checkIntegers(t)
				p.checkBounds(t)
			})
			if tried < body.properties {
				t.Errorf("only %d properties were tried", tried)
			}
		})
	}
}

// property is one property of a body, inside the first item of the arrays around it. check
// checks a body with everything in it, and this value in the property's place.
type property struct {
	path   []string
	schema *openapi3.Schema
	check  func(value string) []contract.Violation
}

// passes and departs check the body with one value.
func (p property) passes(t *testing.T, value string) {
	t.Helper()
	wantPointers(t, p.check(value))
}

func (p property) departs(t *testing.T, value, kind string) {
	t.Helper()
	vs := p.check(value)
	wantPointers(t, vs, "/"+strings.Join(p.path, "/"))
	if len(vs) == 1 && vs[0].Kind != kind {
		t.Errorf("%q: kind %q, want %q", p.path, vs[0].Kind, kind)
	}
}

func (p property) checkKinds(t *testing.T) {
	t.Helper()
	admitted := admittedKinds(p.schema)
	for kind, text := range kinds {
		switch {
		case !slices.Contains(admitted, kind):
			p.departs(t, text, strings.Replace(kind, "integer", "number", 1))
		case kind == "object" || kind == "string":
			p.passes(t, render(p.schema, nil, ""))
		default:
			p.passes(t, text)
		}
	}
}

func (p property) checkAbsence(t *testing.T, required bool) {
	t.Helper()
	if required {
		p.departs(t, "", "missing")
		return
	}
	p.passes(t, "")
}

func (p property) checkIntegers(t *testing.T) {
	t.Helper()
	admitted := admittedKinds(p.schema)
	if !slices.Contains(admitted, "integer") || slices.Contains(admitted, "number") {
		return
	}
	for _, text := range []string{"7.0", "7e0", "7E2", "7.5"} {
		p.departs(t, text, "number")
	}
	for _, text := range []string{"0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808"} {
		p.passes(t, text)
	}
	isInt64 := func(s *openapi3.Schema) bool { return s.Format == "int64" }
	if !slices.ContainsFunc(append(branches(p.schema), p.schema), isInt64) {
		return
	}
	for _, text := range []string{"9223372036854775808", "-9223372036854775809", "1" + strings.Repeat("0", 400)} {
		p.departs(t, text, "number")
	}
}

func (p property) checkBounds(t *testing.T) {
	t.Helper()
	all := append(branches(p.schema), p.schema)
	open := func(s *openapi3.Schema) bool {
		return s.Type.Is("string") && len(s.Enum) == 0 && s.MinLength == 0 && s.MaxLength == nil
	}
	if slices.ContainsFunc(all, open) {
		return // whatever else a union lists, this branch admits any string
	}
	for _, schema := range all {
		if len(schema.Enum) > 0 {
			p.departs(t, `"no such value"`, "string")
		}
		if schema.MinLength > 0 {
			p.departs(t, `"`+strings.Repeat("x", int(schema.MinLength)-1)+`"`, "string") //nolint:gosec // the contract's own
		}
		if schema.MaxLength != nil {
			p.departs(t, `"`+strings.Repeat("x", int(*schema.MaxLength)+1)+`"`, "string") //nolint:gosec // the contract's own
		}
	}
}

func eachProperty(schema *openapi3.Schema, path []string, visit func([]string, *openapi3.Schema, bool)) {
	for name, ref := range schema.Properties {
		child := append(slices.Clone(path), name)
		visit(child, ref.Value, slices.Contains(schema.Required, name))
		eachProperty(ref.Value, child, visit)
	}
	if schema.Items != nil {
		eachProperty(schema.Items.Value, append(slices.Clone(path), "0"), visit)
	}
}

// render is a JSON text that meets the schema, with every property and one item in each array,
// but for the value at path; an empty one leaves the member out.
func render(schema *openapi3.Schema, path []string, value string) string {
	switch {
	case len(schema.Enum) > 0:
		return fmt.Sprintf("%q", schema.Enum[0])
	case schema.Items != nil && len(path) > 0:
		return "[" + render(schema.Items.Value, path[1:], value) + "]"
	case schema.Items != nil:
		return "[" + render(schema.Items.Value, nil, "") + "]"
	case schema.Type.Is("object"):
		var members []string
		for name, ref := range schema.Properties {
			text := ""
			switch {
			case len(path) == 0 || path[0] != name:
				text = render(ref.Value, nil, "")
			case len(path) == 1:
				text = value
			default:
				text = render(ref.Value, path[1:], value)
			}
			if text != "" {
				members = append(members, fmt.Sprintf("%q:%s", name, text))
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	case schema.Type.Is("string"):
		return `"` + strings.Repeat("x", max(int(schema.MinLength), 1)) + `"` //nolint:gosec // the contract's own
	case schema.Type.Is("integer"):
		return "6432457811894"
	case schema.Type.Is("number"):
		return "19.99"
	case schema.Type.Is("boolean"):
		return "true"
	}
	for _, branch := range branches(schema) {
		if branch.Type.Is("string") {
			return render(branch, nil, "")
		}
	}
	return "{}"
}

func branches(schema *openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, ref := range slices.Concat(schema.OneOf, schema.AnyOf) {
		all = append(all, ref.Value)
	}
	return all
}

// admittedKinds says which kinds a schema admits, read from its keywords alone.
func admittedKinds(schema *openapi3.Schema) []string {
	var all []string
	for _, branch := range branches(schema) {
		all = append(all, admittedKinds(branch)...)
	}
	if schema.Nullable {
		all = append(all, "null")
	}
	for _, name := range schema.Type.Slice() {
		all = append(all, name)
		if name == "number" {
			all = append(all, "integer")
		}
	}
	if schema.IsEmpty() { // it admits anything
		for kind := range kinds {
			all = append(all, kind)
		}
	}
	return all
}
