package contract

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// inexact finds integers that are none to the letter. kin-openapi reads numbers as floats, so
// it admits 1.0 and rounds past 53 bits; OpenAPI 3.0 defines an integer as a number without a
// fraction or exponent, and a Go program cannot decode anything else into one.
func inexact(schema *openapi3.Schema, value any, path []string) []fault {
	var all []fault
	switch value := value.(type) {
	case json.Number:
		if schema.Type.Is(openapi3.TypeInteger) && !isInteger(string(value), schema.Format) {
			return []fault{{path: slices.Clone(path), schema: schema, field: "type"}}
		}
	case map[string]any:
		for name, ref := range schema.Properties {
			if child, ok := value[name]; ok {
				all = append(all, inexact(ref.Value, child, append(path, name))...)
			}
		}
	case []any:
		if schema.Items != nil {
			for i, child := range value {
				all = append(all, inexact(schema.Items.Value, child, append(path, strconv.Itoa(i)))...)
			}
		}
	}
	for _, part := range schema.AllOf {
		all = append(all, inexact(part.Value, value, path)...)
	}
	if branches := slices.Concat(schema.OneOf, schema.AnyOf); len(branches) > 0 && !anyExact(branches, value) {
		all = append(all, fault{path: slices.Clone(path), schema: schema, field: "anyOf"})
	}
	return all
}

// anyExact reports whether a branch admits the value, integers taken to the letter.
func anyExact(branches openapi3.SchemaRefs, value any) bool {
	for _, branch := range branches {
		if branch.Value.VisitJSON(value, openapi3.FailFast()) == nil && len(inexact(branch.Value, value, nil)) == 0 {
			return true
		}
	}
	return false
}

func isInteger(literal, format string) bool {
	if strings.ContainsAny(literal, ".eE") {
		return false
	}
	switch format {
	case "int64":
		_, err := strconv.ParseInt(literal, 10, 64)
		return err == nil
	case "int32":
		_, err := strconv.ParseInt(literal, 10, 32)
		return err == nil
	}
	return true
}
