package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/internal/spec"
)

// sideBody is a body of the contract with every property in it.
type sideBody struct {
	name   string
	schema *openapi3.Schema
	full   json.RawMessage
	check  func(body json.RawMessage) []contract.Violation
}

func bodies(t *testing.T) []sideBody {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	v := newValidator(t)
	var all []sideBody
	op := doc.Paths.Value("/v2/access/chats/{userId}/messages/{messageId}").Delete
	all = append(all, sideBody{
		name:   "request",
		schema: op.RequestBody.Value.Content["application/json"].Schema.Value,
		check: func(body json.RawMessage) []contract.Violation {
			return v.CheckRequest(newRequest(t, string(body)))
		},
	})
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		all = append(all, sideBody{
			name:   fmt.Sprint(status),
			schema: op.Responses.Status(status).Value.Content["application/json"].Schema.Value,
			check: func(body json.RawMessage) []contract.Violation {
				return v.CheckResponse(nil, newResponse(status, string(body)))
			},
		})
	}
	for i := range all {
		all[i].full = sample(all[i].schema)
	}
	return all
}

// property is one property of a body, inside the first item of the arrays around it.
type property struct {
	path     []string
	schema   *openapi3.Schema
	required bool
}

func (p property) pointer() string { return "/" + strings.Join(p.path, "/") }

func (b sideBody) eachProperty(t *testing.T, visit func(property)) {
	t.Helper()
	seen := 0
	var walk func(path []string, schema *openapi3.Schema)
	walk = func(path []string, schema *openapi3.Schema) {
		for name, ref := range schema.Properties {
			seen++
			child := append(slices.Clone(path), name)
			visit(property{path: child, schema: ref.Value, required: slices.Contains(schema.Required, name)})
			walk(child, ref.Value)
		}
		if schema.Items != nil {
			walk(append(slices.Clone(path), "0"), schema.Items.Value)
		}
	}
	walk(nil, b.schema)
	if seen == 0 || b.name == "200" && seen < 112 {
		t.Errorf("%s: only %d properties were tried", b.name, seen)
	}
}

// with returns the full body with another value at path; nil removes it.
func (b sideBody) with(t *testing.T, path []string, value json.RawMessage) json.RawMessage {
	t.Helper()
	edited, err := set(b.full, path, value)
	if err != nil {
		t.Fatalf("%s %v: %v", b.name, path, err)
	}
	return edited
}

// set edits JSON text without decoding what it does not touch, so that every number stays as
// it is written.
func set(text json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	if text[0] == '[' {
		var items []json.RawMessage
		if err := json.Unmarshal(text, &items); err != nil {
			return nil, err
		}
		item, err := set(items[0], path[1:], value) // eachProperty names no other item
		if err != nil {
			return nil, err
		}
		items[0] = item
		return json.Marshal(items)
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if len(path) == 1 && value == nil {
		delete(members, path[0])
		return json.Marshal(members)
	}
	member, err := set(members[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	members[path[0]] = member
	return json.Marshal(members)
}

// sample is a JSON text that meets the schema, with every property and one item in each array.
func sample(schema *openapi3.Schema) json.RawMessage {
	switch {
	case len(schema.Enum) > 0:
		return json.RawMessage(fmt.Sprintf("%q", schema.Enum[0]))
	case schema.Items != nil:
		return json.RawMessage("[" + string(sample(schema.Items.Value)) + "]")
	case schema.Type.Is("object"):
		var members []string
		for name, ref := range schema.Properties {
			members = append(members, fmt.Sprintf("%q:%s", name, sample(ref.Value)))
		}
		slices.Sort(members)
		return json.RawMessage("{" + strings.Join(members, ",") + "}")
	case schema.Type.Is("string"):
		return json.RawMessage(`"` + strings.Repeat("x", max(length(schema.MinLength), 1)) + `"`)
	case schema.Type.Is("integer"):
		return json.RawMessage("6432457811894")
	case schema.Type.Is("number"):
		return json.RawMessage("19.99")
	case schema.Type.Is("boolean"):
		return json.RawMessage("true")
	}
	for _, branch := range branches(schema) {
		if branch.Type.Is("string") {
			return sample(branch)
		}
	}
	return json.RawMessage("{}")
}

func branches(schema *openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, ref := range append(slices.Clone(schema.OneOf), schema.AnyOf...) {
		all = append(all, ref.Value)
	}
	return all
}

// admitted says which kinds a schema admits, read from its keywords alone.
func admitted(schema *openapi3.Schema) []string {
	var allowed []string
	for _, branch := range branches(schema) {
		allowed = append(allowed, admitted(branch)...)
	}
	if schema.Nullable {
		allowed = append(allowed, "null")
	}
	for _, name := range schema.Type.Slice() {
		allowed = append(allowed, name)
		if name == "number" {
			allowed = append(allowed, "integer")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(allowed)))
}

func isInt64(schema *openapi3.Schema) bool {
	return schema.Format == "int64" || slices.ContainsFunc(branches(schema), func(s *openapi3.Schema) bool { return s.Format == "int64" })
}
