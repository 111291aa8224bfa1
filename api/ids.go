package api

import (
	"fmt"
	"strings"

	"github.com/unsend-go/unsend/internal/ids"
)

// checkID holds an id against the contract's pattern.
func checkID(name, id string) error {
	if err := ids.Check(id); err != nil {
		return fmt.Errorf("%w: %s %s", ErrInvalidID, name, err.Error())
	}
	return nil
}

func visibleASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
