package ids

import (
	"regexp"
	"strings"
	"testing"
)

func TestCheckIsTheContractsPattern(t *testing.T) {
	pattern := regexp.MustCompile(`\A[A-Za-z0-9_-]{1,64}\z`)
	texts := []string{"", "1", "6432457811894", "conn_a-B9", "..", ".", "a/b", "a b", " 1", "1\n", "é", "\x00", "\xff",
		strings.Repeat("a", 64), strings.Repeat("a", 65), "%2e", "a?b", "a#b"}
	for c := range 256 {
		texts = append(texts, "x"+string([]byte{byte(c)}))
	}
	for _, text := range texts {
		if got, want := Check(text) == nil, pattern.MatchString(text); got != want {
			t.Errorf("Check(%q) accepts: %v, want %v", text, got, want)
		}
	}
}

func TestReasonsSayWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "is empty",
		strings.Repeat("a", 65): "has 65 characters; want at most 64",
		"a/b\n":                 `has the character '/'; want a-z, A-Z, 0-9, _ and - only`,
		"aé":                    `has the character 'é' (U+00E9); want a-z, A-Z, 0-9, _ and - only`,
	} {
		if err := Check(text); err == nil || err.Error() != want {
			t.Errorf("Check(%q) = %v, want %q", text, err, want)
		}
	}
}
