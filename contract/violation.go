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

// Side is a half of an exchange.
type Side string

// The two sides of an exchange.
const (
	Request  Side = "request"
	Response Side = "response"
)

// Violation is a place where an exchange violates the contract. It holds no string of the exchange,
// so it can be logged.
type Violation struct {
	Side Side `json:"side"`
	// Pointer names the place. Inside a body it is a JSON pointer (RFC 6901), such as
	// "/queue/media/0/id"; "" is the whole body. Outside it is one of "method", "path",
	// "path:userId", "status", "header:apiKey", with the contract's own names, and "operation". A
	// member that the contract does not name is "*".
	Pointer string `json:"pointer"`
	// Kind is the kind of the value found: "missing", "null", "boolean", "number", "string",
	// "array" or "object"; for a body that is not JSON, "text".
	Kind string `json:"kind"`
	// Found describes the value without quoting it, such as "a string of 12 characters".
	Found string `json:"found"`
	// Want describes what the contract requires, such as "true or false".
	Want string `json:"want"`
}

// String returns the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: found %s, want %s", v.Side, cmp.Or(v.Pointer, "body"), v.Found, v.Want)
}

// unreadable returns the violation of a body that could not be read as JSON.
func unreadable(side Side, found, want string) Violation {
	return Violation{Side: side, Kind: "text", Found: found, Want: want}
}

// sortAndDedupe orders the violations of a body and keeps the first of each place.
func sortAndDedupe(vs []Violation) []Violation {
	slices.SortStableFunc(vs, func(a, b Violation) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return slices.CompactFunc(vs, func(a, b Violation) bool { return a.Pointer == b.Pointer })
}

// isIndex reports whether a step of a pointer can be an index.
func isIndex(step string) bool {
	return len(step) <= len("50000") && strings.Trim(step, "0123456789") == ""
}

// describeValue returns the kind of a decoded JSON value, and a text that quotes no string.
func describeValue(value any) (kind, text string) {
	switch value := value.(type) {
	case nil:
		return "null", "null"
	case bool:
		return "boolean", fmt.Sprint(value)
	case json.Number:
		if len(value) > 32 {
			return "number", fmt.Sprintf("a number of %d characters", len(value))
		}
		return "number", "the number " + string(value)
	case float64: // as which kin-openapi reports a number
		if math.Abs(value) >= 1<<53 {
			return "number", "a large number" // it may not be the one that was found
		}
		return "number", "the number " + strconv.FormatFloat(value, 'f', -1, 64)
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

// count returns "1 item" or "2 items".
func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// describeSchema returns what a schema requires in words.
func describeSchema(schema *openapi3.Schema) string {
	var texts []string
	for _, branch := range slices.Concat(schema.OneOf, schema.AnyOf) {
		texts = append(texts, describeType(branch.Value))
	}
	if len(texts) == 0 {
		texts = append(texts, describeType(schema))
	}
	if schema.PermitsNull() {
		texts = append(texts, "null")
	}
	return strings.Join(texts, ", or ")
}

func describeType(schema *openapi3.Schema) string {
	if len(schema.Enum) > 0 {
		return "one of " + strings.Trim(fmt.Sprint(schema.Enum), "[]")
	}
	text := "what the contract allows"
	switch kind := strings.Join(schema.Type.Slice(), " or "); kind {
	case openapi3.TypeBoolean:
		return "true or false"
	case openapi3.TypeString, openapi3.TypeNumber:
		text = "a " + kind
	case openapi3.TypeInteger, openapi3.TypeArray, openapi3.TypeObject:
		text = "an " + kind
	}
	if bits, ok := strings.CutPrefix(schema.Format, "int"); ok {
		text += " of " + bits + " bits"
	}
	if most := schema.MaxLength; most != nil {
		text += fmt.Sprintf(" of %d to %d characters", schema.MinLength, *most)
	} else if schema.MinLength > 0 {
		text += " of at least " + count(int(schema.MinLength), "character") //nolint:gosec // the contract's own
	}
	if schema.Pattern != "" {
		text += " that matches " + schema.Pattern
	}
	return text
}
