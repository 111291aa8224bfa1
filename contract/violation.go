package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// Side says which half of an exchange departs from the contract.
type Side string

// The two sides of an exchange.
const (
	Request  Side = "request"
	Response Side = "response"
)

// Violation is one departure of an exchange from the contract. It holds no string that came
// over the wire, so it can be logged.
type Violation struct {
	Side Side
	// Pointer names the place. Inside a body it is a JSON pointer (RFC 6901), such as
	// "/queue/media/0/id"; "" is the whole body. Outside it is one of "method", "path",
	// "path:userId", "status" and "header:apiKey", with the contract's own names. A member that
	// the contract does not name is "*".
	Pointer string
	// Kind is the kind of the value found: "missing", "null", "boolean", "number", "string",
	// "array" or "object"; for a body that is not JSON, "text".
	Kind string
	// Found describes the value without quoting it, such as "a string of 12 characters".
	Found string
	// Want is what the contract asks for, such as "true or false".
	Want string
}

// String is the violation as one line for a person.
func (v Violation) String() string {
	line := fmt.Sprintf("%s %s: found %s, want %s", v.Side, cmp.Or(v.Pointer, "body"), v.Found, v.Want)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, line)
}

// unread is a body that could not be read as JSON.
func unread(side Side, found, want string) Violation {
	return Violation{Side: side, Kind: "text", Found: found, Want: want}
}

// sortAndDedupe gives violations their order and leaves one for each place, the first found.
func sortAndDedupe(vs []Violation) []Violation {
	slices.SortStableFunc(vs, func(a, b Violation) int {
		return cmp.Or(
			cmp.Compare(a.Side, b.Side),
			cmp.Compare(rank(a.Pointer), rank(b.Pointer)),
			comparePointers(a.Pointer, b.Pointer),
		)
	})
	return slices.CompactFunc(vs, func(a, b Violation) bool {
		return a.Side == b.Side && a.Pointer == b.Pointer
	})
}

// rank puts what stands in front of a message first: its first line, its headers, its body.
func rank(pointer string) int {
	order := []string{"method", "path", "query", "status", "header", "cookie"}
	place, _, _ := strings.Cut(pointer, ":")
	if i := slices.Index(order, place); i >= 0 {
		return i
	}
	return len(order)
}

// comparePointers puts item 2 of an array in front of item 10.
func comparePointers(a, b string) int {
	for {
		stepA, restA, moreA := strings.Cut(a, "/")
		stepB, restB, moreB := strings.Cut(b, "/")
		if isIndex(stepA) && isIndex(stepB) && len(stepA) != len(stepB) {
			return cmp.Compare(len(stepA), len(stepB))
		}
		if stepA != stepB {
			return cmp.Compare(stepA, stepB)
		}
		if !moreA || !moreB {
			return cmp.Compare(len(a), len(b))
		}
		a, b = restA, restB
	}
}

func isIndex(step string) bool { return step != "" && '0' <= step[0] && step[0] <= '9' }

// describeValue says what kind a decoded JSON value is of, and describes it without quoting a
// string.
func describeValue(value any) (kind, text string) {
	const longest = 32 // a longer number is not printed as it came
	switch value := value.(type) {
	case nil:
		return "null", "null"
	case bool:
		return "boolean", fmt.Sprint(value)
	case json.Number:
		if len(value) > longest {
			return "number", fmt.Sprintf("a number of %d characters", len(value))
		}
		return "number", "the number " + string(value)
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

// describeMethod is safe to print: a name from the standard, or a length.
func describeMethod(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return name
	}
	_, text := describeValue(name)
	return text
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// isDescribed reports whether describeSchema puts the demand of this keyword in words.
func isDescribed(keyword string) bool {
	return slices.Contains([]string{"type", "nullable", "required", "enum", "pattern", "format", "minLength", "maxLength", "oneOf", "anyOf"}, keyword)
}

// describeSchema says in words what a schema asks for.
func describeSchema(schema *openapi3.Schema) string {
	text := describeType(schema)
	if schema.PermitsNull() && !strings.HasSuffix(text, "null") {
		text += ", or null"
	}
	return text
}

func describeType(schema *openapi3.Schema) string {
	switch {
	case len(schema.Enum) > 0:
		return "one of " + list(schema.Enum, ", ", func(value any) string { return fmt.Sprint(value) })
	case schema.Type.Is(openapi3.TypeString):
		return describeString(schema)
	case schema.Type.Is(openapi3.TypeInteger) && schema.Format == "int32":
		return "an integer of 32 bits"
	case schema.Type.Is(openapi3.TypeInteger) && schema.Format == "int64":
		return "an integer of 64 bits"
	case schema.Type.Is(openapi3.TypeInteger):
		return "an integer"
	case schema.Type.Is(openapi3.TypeNumber):
		return "a number"
	case schema.Type.Is(openapi3.TypeBoolean):
		return "true or false"
	case schema.Type.Is(openapi3.TypeArray):
		return "an array"
	case schema.Type.Is(openapi3.TypeObject):
		return "an object"
	}
	describe := func(ref *openapi3.SchemaRef) string { return describeSchema(ref.Value) }
	text := list(slices.Concat(schema.OneOf, schema.AnyOf), ", or ", describe)
	return cmp.Or(text, list(schema.AllOf, ", and ", describe), "what the contract allows")
}

// list joins descriptions, each once.
func list[T any](items []T, separator string, describe func(T) string) string {
	var texts []string
	for _, item := range items {
		if text := describe(item); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, separator)
}

func describeString(schema *openapi3.Schema) string {
	text := "a string"
	switch least, most := schema.MinLength, schema.MaxLength; {
	case most != nil:
		text += fmt.Sprintf(" of %d to %d characters", least, *most)
	case least > 0:
		text += " of at least " + count(int(least), "character") //nolint:gosec // the contract's own
	}
	if schema.Pattern != "" {
		text += " that matches " + schema.Pattern
	}
	if schema.Format != "" {
		text += " in the form " + schema.Format
	}
	return text
}
