package contract

import (
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

var escapeStep = strings.NewReplacer("~", "~0", "/", "~1")

// jsonPointer writes a path inside a body as RFC 6901 has it.
func jsonPointer(path []string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		_, _ = escapeStep.WriteString(&b, step)
	}
	return b.String()
}

// lookup returns the value at path, and whether there is one.
func lookup(value any, path []string) (any, bool) {
	for _, step := range path {
		switch parent := value.(type) {
		case map[string]any:
			child, ok := parent[step]
			if !ok {
				return nil, false
			}
			value = child
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return nil, false
			}
			value = parent[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// schemaAt returns the schema of the value at path, or nil where the contract knows none.
func schemaAt(schema *openapi3.Schema, path []string) *openapi3.Schema {
	if len(path) == 0 {
		return schema
	}
	if ref := schema.Properties[path[0]]; ref != nil {
		return schemaAt(ref.Value, path[1:])
	}
	if _, err := strconv.Atoi(path[0]); err == nil && schema.Items != nil {
		return schemaAt(schema.Items.Value, path[1:])
	}
	for _, branch := range slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf) {
		if found := schemaAt(branch.Value, path); found != nil {
			return found
		}
	}
	return nil
}
