// Package cell finds what is wrong with a text that should be an id, in the words of somebody who
// sees it in a spreadsheet. It shows of such a text only what cannot be a key.
package cell

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/unsend-go/unsend/internal/ids"
	"github.com/unsend-go/unsend/internal/textutil"
)

// Columns are the names of an item's members, in an input and in errors.
var Columns = [...]string{"user_id", "message_id", "connection_id", "with_user_id", "maybe_unsent", "ref"}

// Folded are the columns as [Fold] leaves them.
var Folded = [...]string{"userid", "messageid", "connectionid", "withuserid", "maybeunsent", "ref"}

// Fold leaves out of a name what does not count: case, blanks of all kinds and underscores.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || IsBlank(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// LostDigits is the advice about ids that a spreadsheet has rounded.
const LostDigits = "these ids have lost digits: " + pasteAsText

const pasteAsText = "go back to where they came from, and format the columns as text before pasting"

// ShortWord is the longest text that cannot be a key.
const ShortWord = 12

// Check returns why a text is no id. It shows the text only if that is certain to be no secret.
func Check(text string) error {
	var wrong error // not *ids.Error, of which nil would be an error
	if err := ids.Check(text); err != nil {
		wrong = err
	}
	isKey := strings.HasPrefix(strings.ToLower(text[:min(len(text), 3)]), "sk_")
	if wrong == nil && !isKey && strings.ContainsFunc(text, IsDigit) {
		return nil // what looks like an id and is none has no digits
	}
	switch strings.ToLower(strings.Trim(text, "<>()")) {
	case "blank", "null", "nil", "nan", "none", "undefined", "na", "n/a", "#n/a":
		return fmt.Errorf("is %q, which means that there is no id: fill it in, or delete the row", Printable(text))
	}
	switch {
	case text == "":
		return fmt.Errorf("is empty: fill in the id, or delete the row")
	case slices.Contains(Folded[:], Fold(text)):
		return fmt.Errorf("is %q, the name of a column: the first row is repeated here, delete this one", Printable(text))
	case isKey:
		return fmt.Errorf("looks like an API key, and so is not shown: put the id in its place")
	case strings.Contains(text, "://"):
		return fmt.Errorf("is a link: put the id alone in its place")
	case strings.Trim(text, "-_") == "" && text != "":
		return fmt.Errorf("is only a dash: fill in the id, or delete the row")
	case strings.Trim(text, "#") == "" && text != "":
		return fmt.Errorf("is %q, which Excel shows if the column is too narrow: widen it, and export again", Printable(text))
	case strings.HasPrefix(text, "#") && len(text) <= ShortWord && text == strings.ToUpper(text) && text != strings.ToLower(text):
		return fmt.Errorf("is %q, which Excel writes where a formula failed: correct the formula, and export again", text)
	}
	if mistake := CheckNumber(text); wrong != nil && mistake != nil {
		return mistake
	}
	return wrong
}

// CheckNumber returns how a spreadsheet has spoiled a number. It is nil for a whole number, and for
// what is no number at all.
func CheckNumber(text string) error {
	switch {
	case strings.TrimFunc(text, IsDigit) == "", strings.TrimFunc(text, isNumeric) != "", !strings.ContainsFunc(text, IsDigit):
		return nil
	case date.MatchString(text):
		return fmt.Errorf("is %q, a date: correct it, or delete the row", text)
	case strings.ContainsAny(text, "eE"):
		return fmt.Errorf("is %q: %s", Printable(text), LostDigits)
	case strings.ContainsAny(text, "+-"):
		return fmt.Errorf("is %q: want digits alone", Printable(text))
	}
	return fmt.Errorf("is %q, a number with decimals or separators: %s", Printable(text), pasteAsText)
}

var date = regexp.MustCompile(`^\d{1,2}\.\d{1,2}\.\d{2,4}$`)

// IsDigit reports whether r is an ASCII digit.
func IsDigit(r rune) bool { return r >= '0' && r <= '9' }

func isNumeric(r rune) bool { return IsDigit(r) || strings.ContainsRune("+-.,'eE", r) || IsBlank(r) }

// IsBlank also finds what cannot be seen, such as a byte order mark where two files were joined.
func IsBlank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// Printable returns a name on one line, cut, and hidden where it has an API key in it.
func Printable(name string) string {
	const most = 60 // bytes
	if HasKey(name) {
		return "(hidden)"
	}
	return textutil.Truncate(textutil.OneLine(name), most)
}

// HasKey finds API keys, which start with sk_, and lets words pass such as task_id.
func HasKey(text string) bool {
	text = strings.ToLower(text)
	at := strings.Index(text, "sk_")
	return at >= 0 && (at == 0 || !unicode.IsLetter(rune(text[at-1])) || strings.ContainsFunc(text, IsDigit))
}
