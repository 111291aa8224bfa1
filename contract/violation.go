package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	// "path:userId", "status" and "header:apiKey", with the contract's own names.
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
	place := v.Pointer
	if place == "" {
		place = "body"
	}
	line := fmt.Sprintf("%s %s: found %s, want %s", v.Side, place, v.Found, v.Want)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, line)
}

// tidy gives violations their order and leaves one for each place, the first found.
func tidy(vs []Violation) []Violation {
	slices.SortStableFunc(vs, func(a, b Violation) int {
		return cmp.Or(
			cmp.Compare(a.Side, b.Side),
			cmp.Compare(rank(a.Pointer), rank(b.Pointer)),
			slices.CompareFunc(strings.Split(a.Pointer, "/"), strings.Split(b.Pointer, "/"), compareStep),
		)
	})
	return slices.CompactFunc(vs, func(a, b Violation) bool {
		return a.Side == b.Side && a.Pointer == b.Pointer
	})
}

// rank puts what stands in front of a message first: its first line, its headers, its body.
func rank(pointer string) int {
	switch {
	case pointer == "method":
		return 0
	case pointer == "path":
		return 1
	case strings.HasPrefix(pointer, "path:"):
		return 2
	case pointer == "status":
		return 3
	case pointer == "" || pointer[0] == '/':
		return 5
	}
	return 4
}

// compareStep puts item 2 of an array in front of item 10.
func compareStep(a, b string) int {
	n, errA := strconv.Atoi(a)
	m, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return cmp.Compare(n, m)
	}
	return cmp.Compare(a, b)
}
