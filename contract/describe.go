package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxDigits is the longest number that is printed as it came.
const maxDigits = 32

// found says what kind a decoded JSON value is of, and describes it without quoting a string.
func found(value any) (kind, text string) {
	switch value := value.(type) {
	case nil:
		return "null", "null"
	case bool:
		return "boolean", fmt.Sprint(value)
	case json.Number:
		if len(value) > maxDigits {
			return "number", fmt.Sprintf("a number of %d characters", len(value))
		}
		return "number", fmt.Sprintf("the number %s", value)
	case string:
		if value == "" {
			return "string", "an empty string"
		}
		return "string", "a string of " + count(utf8.RuneCountInString(value), "character")
	case []any:
		return "array", "an array of " + count(len(value), "item")
	case map[string]any:
		return "object", "an object of " + count(len(value), "member")
	}
	return "text", "a value of no kind of JSON"
}

func count[N int | uint64](n N, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// describe says in words what a schema asks for.
func describe(schema *openapi3.Schema) string {
	text := describeType(schema)
	if schema.PermitsNull() && !strings.HasSuffix(text, "null") {
		text += ", or null"
	}
	return text
}

func describeType(schema *openapi3.Schema) string {
	if len(schema.Enum) > 0 {
		names := make([]string, len(schema.Enum))
		for i, v := range schema.Enum {
			names[i] = fmt.Sprint(v)
		}
		return "one of " + strings.Join(names, ", ")
	}
	switch {
	case schema.Type.Is(openapi3.TypeString):
		return describeString(schema)
	case schema.Type.Is(openapi3.TypeInteger):
		return "an integer" + describeFormat(schema.Format)
	case schema.Type.Is(openapi3.TypeNumber):
		return "a number"
	case schema.Type.Is(openapi3.TypeBoolean):
		return "true or false"
	case schema.Type.Is(openapi3.TypeArray):
		return "an array"
	case schema.Type.Is(openapi3.TypeObject):
		return "an object"
	}
	var branches []string
	for _, branch := range slices.Concat(schema.OneOf, schema.AnyOf) {
		if text := describe(branch.Value); !slices.Contains(branches, text) {
			branches = append(branches, text)
		}
	}
	if len(branches) == 0 {
		return "what the contract allows"
	}
	return strings.Join(branches, ", or ")
}

func describeString(schema *openapi3.Schema) string {
	text := "a string"
	switch least, most := schema.MinLength, schema.MaxLength; {
	case most != nil:
		text += fmt.Sprintf(" of %d to %d characters", least, *most)
	case least > 0:
		text += fmt.Sprintf(" of at least %s", count(least, "character"))
	}
	if schema.Pattern != "" {
		text += " that matches " + schema.Pattern
	}
	if schema.Format != "" {
		text += " in the form " + schema.Format
	}
	return text
}

func describeFormat(format string) string {
	switch format {
	case "int32":
		return " of 32 bits"
	case "int64":
		return " of 64 bits"
	}
	return ""
}
