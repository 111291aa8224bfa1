// Package textutil makes the texts of others fit to be shown.
package textutil

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine leaves out line ends, control characters, and what turns text around.
func OneLine(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r == ' ' || !unicode.IsPrint(r)
	}), " ")
}

// Truncate shortens s to at most n bytes without splitting a character.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n-len("…"), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
