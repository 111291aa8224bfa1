package api

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const maxIDLength = 64

// checkID holds an id against the contract's pattern, ^[A-Za-z0-9_-]{1,64}$. Anything else
// could address another resource once it stands in a URL.
func checkID(name, id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: %s is empty", ErrInvalidID, name)
	case len(id) > maxIDLength:
		return fmt.Errorf("%w: %s has %d characters; want at most %d", ErrInvalidID, name, len(id), maxIDLength)
	}
	if i := strings.IndexFunc(id, notInID); i >= 0 {
		// The character alone: what stands in the place of an id may be a key.
		r, _ := utf8.DecodeRuneInString(id[i:])
		return fmt.Errorf("%w: %s has the character %+q; want letters, digits, _ and - only", ErrInvalidID, name, r)
	}
	return nil
}

func notInID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
}

func visibleASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
