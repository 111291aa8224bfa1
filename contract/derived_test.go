package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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
	v, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	tried := map[*openapi3.Schema]bool{} // errors share one
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			request := func(body string) *http.Request {
				req := requestTo(t, method, regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "7"))
				req.Body = io.NopCloser(strings.NewReader(body))
				req.GetBody = nil
				return req
			}
			if op.RequestBody != nil {
				checkProperties(t, jsonSchema(op.RequestBody.Value.Content), func(body string) []contract.Violation {
					return v.CheckRequest(request(body))
				})
			}
			for name, response := range op.Responses.Map() {
				schema := jsonSchema(response.Value.Content)
				status, err := strconv.Atoi(name)
				if err != nil || schema == nil || tried[schema] {
					continue
				}
				tried[schema] = true
				checkProperties(t, schema, func(body string) []contract.Violation {
					return v.CheckResponse(request(""), newResponse(status, body))
				})
			}
		}
	}
	if len(tried) < 2 {
		t.Errorf("%d schemas of responses were tried, want those of results and errors", len(tried))
	}
}

func jsonSchema(content openapi3.Content) *openapi3.Schema {
	if media := content["application/json"]; media != nil && media.Schema != nil {
		return media.Schema.Value
	}
	return nil
}

// checkProperties gives each property values of every kind, in a body that is valid otherwise.
func checkProperties(t *testing.T, body *openapi3.Schema, check func(body string) []contract.Violation) {
	t.Helper()
	eachProperty(body, nil, func(path []string, schema *openapi3.Schema, required bool) {
		passes := func(value string) {
			t.Helper()
			wantPointers(t, check(render(body, path, value)))
		}
		violates := func(kind, value string) {
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
				violates(strings.Replace(kind, "integer", "number", 1), text)
			case schema.Type.Is(kind):
				passes(render(schema, nil, ""))
			default:
				passes(text)
			}
		}
		if required {
			violates("missing", "")
		} else {
			passes("")
		}
		all := append(branches(schema), schema)
		has := func(is func(*openapi3.Schema) bool) bool { return slices.ContainsFunc(all, is) }
		isInteger := has(func(s *openapi3.Schema) bool { return s.Type.Is("integer") }) && !slices.Contains(admitted, "number")
		if isInteger {
			for _, text := range []string{"7.0", "7e0", "7E2", "7.5"} {
				violates("number", text)
			}
			for _, text := range []string{"0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808"} {
				passes(text)
			}
		}
		if isInteger && has(func(s *openapi3.Schema) bool { return s.Format == "int64" }) {
			for _, text := range []string{"9223372036854775808", "-9223372036854775809", "1" + strings.Repeat("0", 400)} {
				violates("number", text)
			}
		}
		if has(func(s *openapi3.Schema) bool { return s.MinLength > 0 }) {
			violates("string", `""`)
		}
	})
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
		return render(branch, nil, "")
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
	if schema.Type == nil && len(all) <= 1 { // it admits anything
		for kind := range kinds {
			all = append(all, kind)
		}
	}
	return all
}
