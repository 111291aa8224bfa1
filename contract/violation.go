package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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
	return fmt.Sprintf("%s %s: found %s, want %s", v.Side, cmp.Or(v.Pointer, "body"), v.Found, v.Want)
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
	case float64: // as which kin-openapi reports a number
		if math.Abs(value) >= 1<<53 {
			return "number", "a large number" // it may not be the one that was found
		}
		return describeValue(json.Number(strconv.FormatFloat(value, 'f', -1, 64)))
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

// count is "1 item" or "2 items".
func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// isDescribed reports whether describeSchema puts the demand of this keyword in words.
func isDescribed(keyword string) bool {
	return slices.Contains([]string{"type", "nullable", "required", "enum", "pattern", "format", "minLength", "maxLength", "oneOf", "anyOf"}, keyword)
}

// describeSchema says in words what a schema asks for. A union's branch may join its parent by
// allOf, so a schema that is being described is not described again.
func describeSchema(schema *openapi3.Schema, parents ...*openapi3.Schema) string {
	if slices.Contains(parents, schema) {
		return "what the contract allows"
	}
	text := describeType(schema, append(parents, schema))
	if schema.PermitsNull() && !strings.HasSuffix(text, "null") {
		text += ", or null"
	}
	return text
}

func describeType(schema *openapi3.Schema, parents []*openapi3.Schema) string {
	branches := slices.Concat(schema.OneOf, schema.AnyOf)
	switch {
	case len(schema.Enum) > 0:
		var values []string
		for _, value := range schema.Enum {
			values = append(values, fmt.Sprint(value))
		}
		return "one of " + strings.Join(values, ", ")
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
	case len(branches) > 0:
		var texts []string
		for _, branch := range branches {
			texts = append(texts, describeSchema(branch.Value, parents...))
		}
		return strings.Join(slices.Compact(texts), ", or ")
	case len(schema.AllOf) > 0:
		return describeSchema(schema.AllOf[0].Value, parents...)
	}
	return "what the contract allows"
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
