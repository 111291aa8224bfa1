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
	ofResponse := func(status, properties int) {
		schema := op.Responses.Status(status).Value.Content["application/json"].Schema.Value
		checkProperties(t, schema, properties, func(body string) []contract.Violation {
			return v.CheckResponse(nil, newResponse(status, body))
		})
	}
	ofResponse(http.StatusOK, 112)
	ofResponse(http.StatusBadRequest, 3)
	checkProperties(t, op.RequestBody.Value.Content["application/json"].Schema.Value, 1, func(body string) []contract.Violation {
		return v.CheckRequest(newRequest(t, body))
	})
}

// checkProperties gives each property, of which there are at least so many, values of every kind
// in a body that is whole otherwise.
func checkProperties(t *testing.T, body *openapi3.Schema, properties int, check func(body string) []contract.Violation) {
	t.Helper()
	eachProperty(body, nil, func(path []string, schema *openapi3.Schema, required bool) {
		properties--
		passes := func(value string) {
			t.Helper()
			wantPointers(t, check(render(body, path, value)))
		}
		departs := func(kind, value string) {
			t.Helper()
			vs := check(render(body, path, value))
			wantPointers(t, vs, "/"+strings.Join(path, "/"))
			if len(vs) == 1 && vs[0].Kind != kind {
				t.Errorf("%q: kind %q, want %q", path, vs[0].Kind, kind)
			}
		}
		admitted := admittedKinds(schema)
		for kind, text := range kinds {
			switch {
			case !slices.Contains(admitted, kind):
				departs(strings.Replace(kind, "integer", "number", 1), text)
			case kind == "object" || kind == "string":
				passes(render(schema, nil, ""))
			default:
				passes(text)
			}
		}
		if required {
			departs("missing", "")
		} else {
			passes("")
		}
		all := append(branches(schema), schema)
		has := func(is func(*openapi3.Schema) bool) bool { return slices.ContainsFunc(all, is) }
		if has(func(s *openapi3.Schema) bool { return s.Type.Is("integer") }) && !slices.Contains(admitted, "number") {
			for _, text := range []string{"7.0", "7e0", "7E2", "7.5"} {
				departs("number", text)
			}
			for _, text := range []string{"0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808"} {
				passes(text)
			}
		}
		if has(func(s *openapi3.Schema) bool { return s.Format == "int64" }) {
			for _, text := range []string{"9223372036854775808", "-9223372036854775809", "1" + strings.Repeat("0", 400)} {
				departs("number", text)
			}
		}
		if has(func(s *openapi3.Schema) bool { return s.MinLength > 0 }) {
			departs("string", `""`)
		}
	})
	if properties > 0 {
		t.Errorf("%d properties were not tried", properties)
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
		return `"x"`
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
