// Package ids holds the one check of the ids that requests are made of.
package ids

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxLength is the most characters that an id has.
const MaxLength = 64

// Error is returned by Check. Its text continues a sentence that names the id.
type Error struct{ reason string }

// Error returns the reason, such as "is empty".
func (e *Error) Error() string { return e.reason }

// Check holds an id against the contract's pattern, ^[A-Za-z0-9_-]{1,64}$. Anything else
// could address another resource once it stands in a URL.
func Check(id string) *Error {
	switch {
	case id == "":
		return &Error{"is empty"}
	case len(id) > MaxLength:
		return &Error{fmt.Sprintf("has %d characters; want at most %d", len(id), MaxLength)}
	}
	for i := range len(id) {
		if !InAlphabet(id[i]) {
			// The character alone: what stands in the place of an id may be a key.
			r, _ := utf8.DecodeRuneInString(id[i:])
			shown := strconv.QuoteRune(r)
			if r >= utf8.RuneSelf { // it may look like a letter that is allowed
				shown += fmt.Sprintf(" (%U)", r)
			}
			return &Error{fmt.Sprintf("has the character %s; want a-z, A-Z, 0-9, _ and - only", shown)}
		}
	}
	return nil
}

// InAlphabet reports whether ids may hold c. There are 64 such characters.
func InAlphabet(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}
