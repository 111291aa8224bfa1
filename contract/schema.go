package contract

import (
	"errors"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// fault is a place inside a value that departs from its schema.
type fault struct {
	path   []string
	schema *openapi3.Schema
	field  string // the keyword that was not met
}

// described are the keywords whose demand describe puts in words.
var described = []string{"type", "nullable", "required", "enum", "pattern", "format", "minLength", "maxLength", "oneOf", "anyOf"}

// violation words a fault found in value.
func (f fault) violation(side Side, value any) Violation {
	v := Violation{Side: side, Pointer: jsonPointer(f.path), Kind: "missing", Found: "nothing", Want: describe(f.schema)}
	if there, ok := lookup(value, f.path); ok {
		v.Kind, v.Found = found(there)
	}
	if !slices.Contains(described, f.field) {
		v.Want += ", within its " + f.field
	}
	return v
}

// faults flattens what VisitJSON returned. A union's branches are not looked into: its own
// place is the fault. What each part of an allOf says stands for itself.
func faults(root *openapi3.Schema, err error) []fault {
	var list openapi3.MultiError
	var one *openapi3.SchemaError
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand, every branch of it
	case nil:
		return nil
	case openapi3.MultiError:
		list = e
	case *openapi3.SchemaError:
		one = e
	}
	if one != nil && one.SchemaField == "allOf" {
		list = allOf(one)
	}
	if list != nil {
		var all []fault
		for _, e := range list {
			all = append(all, faults(root, e)...)
		}
		return all
	}
	if one == nil {
		return []fault{{schema: root, field: "type"}}
	}
	path, schema := one.JSONPointer(), one.Schema
	if one.SchemaField == "required" {
		// The error carries the object's schema; what is asked for is the member's.
		if member := schemaAt(root, path); member != nil {
			schema = member
		}
	}
	return []fault{{path: path, schema: schema, field: one.SchemaField}}
}

func allOf(err *openapi3.SchemaError) openapi3.MultiError {
	for inner := err.Origin; inner != nil; inner = errors.Unwrap(inner) {
		if list, ok := inner.(openapi3.MultiError); ok { //nolint:errorlint // one level at a time
			return list
		}
	}
	return nil
}
