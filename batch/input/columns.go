package input

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

// column is a column of a CSV, or a member of a JSON object, that is read.
type column int

const (
	inUser column = iota
	inMessage
	inConnection
	inWith
	inMaybeUnsent
	inRef
	numColumns
)

func (c column) String() string { return cell.Columns[c] }

func exactColumn(name string) (column, bool) {
	i := slices.Index(cell.Folded[:], cell.Fold(name))
	return column(i), i >= 0
}

// nearColumn finds the column that another name could be meant as.
func nearColumn(name string) (column, bool) {
	folded := cell.Fold(name)
	if strings.Contains(folded, "conn") {
		return inConnection, true
	}
	for c := range inRef { // which is too short a name to be mistyped
		if distance(folded, cell.Folded[c]) <= 2 {
			return c, true
		}
	}
	return 0, false
}

// distance returns how many letters have to be added, dropped or replaced to get from a to b.
func distance(a, b string) int {
	if len(a) > len(b)+2 {
		return len(a) - len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// nearMiss returns the error of a column that is not read and could be meant as one that the input
// lacks; a name like that of connections is always refused: the wrong account could act.
func nearMiss(name string, has func(column) bool) error {
	near, ok := nearColumn(name)
	if !ok || has(near) && near != inConnection {
		return nil
	}
	return unusable("the column %q could be meant as %s: rename it to that, or delete it", cell.Printable(name), near)
}

// ignoredNames are those of columns that are not read.
type ignoredNames struct {
	near map[string]bool // whether a name could be meant as another
	list batch.IgnoredColumns
}

// add remembers a name, and reports whether it could be meant as another.
func (n *ignoredNames) add(name string) bool {
	const most, longest, mostListed = 1000, 100, 100 // so that names which do not come again cannot fill the memory
	if near, known := n.near[name]; known {
		return near
	}
	_, near := nearColumn(name)
	if len(n.near) < most && len(name) <= longest {
		n.near[name] = near
	}
	if shown := cell.Printable(name); len(n.list) < mostListed && !slices.Contains(n.list, shown) {
		n.list = append(n.list, shown)
	}
	return near
}

func namedTwice(c column) error { return fmt.Errorf("the column %s occurs twice: delete one", c) }

// values are the texts of a row, by column.
type values [numColumns]string

func (v *values) item() (batch.Item, error) {
	for c, text := range v {
		if !utf8.ValidString(text) { // so is the whole file: no row can be left out
			return batch.Item{}, unusable("%s is not UTF-8 text: save the list as CSV UTF-8, in Excel with File, Save As, and use that file", column(c))
		}
	}
	for c := range inRef { // with an apostrophe a spreadsheet keeps a number as text
		v[c] = strings.TrimPrefix(strings.TrimFunc(v[c], cell.IsBlank), "'")
		if err := checkID(c, v[c]); c < inMaybeUnsent && err != nil {
			return batch.Item{}, err
		}
	}
	item := batch.Item{UserID: v[inUser], MessageID: v[inMessage], ConnectionID: v[inConnection], WithUserID: v[inWith], Ref: unsafeCell(v[inRef])}
	maybe, err := parseMaybe(v[inMaybeUnsent])
	item.MaybeUnsent = maybe
	return item, err
}

// SafeCell returns text as a cell that no spreadsheet rounds or takes for a formula: with an
// apostrophe in front if it is a number of twelve digits or more, or begins with =, +, -, @, a tab,
// a line end or an apostrophe. [Read] strips that apostrophe.
func SafeCell(text string) string {
	if misread(text) {
		return "'" + text
	}
	return text
}

func unsafeCell(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && misread(rest) {
		return rest
	}
	return text
}

func misread(text string) bool {
	return text != "" && strings.ContainsRune("=+-@\t\r\n'", rune(text[0])) || len(text) >= longID && isWholeNumber(text)
}

func checkID(c column, text string) error {
	if text == "" && c != inUser && c != inMessage {
		return nil
	}
	if err := cell.Check(text); err != nil {
		return invalidID(c, err)
	}
	return nil
}

// invalidID makes the error of an id; the reason completes the sentence.
func invalidID(c column, reason error) error {
	return fmt.Errorf("%w: %s %w", api.ErrInvalidID, c, reason)
}

func isWholeNumber(text string) bool {
	text = strings.TrimFunc(text, cell.IsBlank)
	return text != "" && strings.TrimFunc(text, cell.IsDigit) == ""
}

// booleans are what spreadsheets make of TRUE and FALSE in other languages.
var booleans = map[string]bool{
	"true": true, "wahr": true, "vrai": true, "verdadero": true, "verdadeiro": true, "vero": true, "waar": true,
	"false": false, "falsch": false, "faux": false, "falso": false, "onwaar": false,
}

func parseMaybe(text string) (bool, error) {
	if value, ok := booleans[strings.ToLower(text)]; ok {
		return value, nil
	}
	switch text {
	case "1":
		return true, nil
	case "0", "":
		return false, nil
	}
	return false, fmt.Errorf("%s is %s: want TRUE or FALSE (or WAHR or FALSCH), 1, 0 or nothing", inMaybeUnsent, shown(text))
}

// shown quotes a text that cannot be a key.
func shown(text string) string {
	if len(text) > cell.ShortWord && !isNegative(text) || cell.HasKey(text) {
		return fmt.Sprintf("a text of %d characters", utf8.RuneCountInString(text))
	}
	return strconv.Quote(cell.Printable(text))
}

var connection = regexp.MustCompile(`^conn_[0-9A-Za-z_-]+$`)

// refuseConnections refuses a column that is not read and holds connections: another account would
// act.
func refuseConnections(name, text string) error {
	if !connection.MatchString(strings.TrimFunc(text, cell.IsBlank)) {
		return nil
	}
	return unusable("the column %q holds connections: rename it to %s, or delete it", cell.Printable(name), inConnection)
}
