package batch

import (
	"fmt"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/ids"
)

// values are the texts of a row, by column.
type values [numColumns]string

func (v *values) item() (Item, error) {
	for c := range v {
		v[c] = strings.TrimFunc(v[c], isBlank)
	}
	item := Item{UserID: v[inUser], MessageID: v[inMessage], ConnectionID: v[inConnection], WithUserID: v[inWith]}
	if err := item.check(); err != nil {
		return Item{}, err
	}
	maybe, err := parseMaybe(v[inMaybeUnsent])
	item.MaybeUnsent = maybe
	return item, err
}

// invalidID takes a reason that reads as the rest of a sentence.
func invalidID(c column, reason error) error {
	return fmt.Errorf("%w: %s %w", api.ErrInvalidID, c, reason)
}

// checkID says why a text is no id, in the words of somebody who sees it in a spreadsheet. It
// shows the text only where that is certain to be no secret.
func checkID(text string) error {
	var wrong error // not *ids.Error, of which nil would be an error
	if err := ids.Check(text); err != nil {
		wrong = err
	}
	isKey := strings.HasPrefix(strings.ToLower(text[:min(len(text), 3)]), "sk_")
	if wrong == nil && !isKey && strings.ContainsFunc(text, isDigit) {
		return nil // what looks like an id and is none has no digits
	}
	switch strings.ToLower(strings.Trim(text, "<>()")) {
	case "null", "nil", "nan", "none", "undefined", "na", "n/a", "#n/a":
		return fmt.Errorf("is %q, which means that there is no id: fill it in, or delete the row", printable(text))
	}
	_, repeatsHeader := exactColumn(text)
	switch {
	case repeatsHeader:
		return fmt.Errorf("is %q, the name of a column: the first row is repeated here, delete this one", printable(text))
	case isKey:
		return fmt.Errorf("looks like an API key, and so is not shown: put the id in its place")
	case strings.Trim(text, "-_") == "" && text != "":
		return fmt.Errorf("is only a dash: fill in the id, or delete the row")
	case strings.HasPrefix(text, "#") && len(text) <= shortWord && text == strings.ToUpper(text):
		return fmt.Errorf("is %q, which Excel writes where a formula failed: correct the formula, and export again", text)
	}
	if mistake := checkNumber(text); wrong != nil && mistake != nil {
		return mistake
	}
	return wrong
}

// checkNumber says what became of a number on its way through a spreadsheet. It is nil for a
// whole number, and for what is no number at all.
func checkNumber(text string) error {
	const remedy = "format the column as a number without decimals, and export again"
	switch {
	case strings.TrimFunc(text, isDigit) == "", strings.TrimFunc(text, isNumeric) != "", !strings.ContainsFunc(text, isDigit):
		return nil
	case strings.ContainsAny(text, "eE"):
		return fmt.Errorf("is %q: Excel has shortened the number; %s", printable(text), remedy)
	case strings.ContainsAny(text, "+-"):
		return fmt.Errorf("is %q: want digits alone", printable(text))
	}
	return fmt.Errorf("is %q, a number with decimals or separators: %s", printable(text), remedy)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isWholeNumber(text string) bool {
	text = strings.TrimFunc(text, isBlank)
	return text != "" && strings.TrimFunc(text, isDigit) == ""
}

func isNumeric(r rune) bool { return isDigit(r) || strings.ContainsRune("+-.,'eE", r) || isBlank(r) }

func parseMaybe(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	}
	is := "is something else"
	if len(text) <= shortWord && !hasKey(text) {
		is = fmt.Sprintf("is %q", printable(text))
	}
	return false, fmt.Errorf("%s %s: want true, false, 1, 0 or nothing", inMaybeUnsent, is)
}

// shortWord is the longest text that cannot be a key.
const shortWord = 12
