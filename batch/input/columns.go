package input

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

// column is one that is read, from CSV and JSON alike.
type column int

const (
	inUser column = iota
	inMessage
	inConnection
	inWith
	inMaybeUnsent
	numColumns
)

// String returns the name that the documentation has.
func (c column) String() string { return cell.Columns[c] }

// exactColumn finds the column of a name.
func exactColumn(name string) (column, bool) {
	folded := cell.Fold(name)
	for c := range numColumns {
		if folded == c.folded() {
			return c, true
		}
	}
	return 0, false
}

// nearColumn finds the column that a name which is none of ours could be meant as.
func nearColumn(name string) (column, bool) {
	folded := cell.Fold(name)
	if strings.Contains(folded, "conn") {
		return inConnection, true
	}
	for c := range numColumns {
		if distance(folded, c.folded()) <= 2 {
			return c, true
		}
	}
	return 0, false
}

func (c column) folded() string { return cell.Folded[c] }

// distance is how many letters to add, drop or replace lead from a to b.
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

// nearMiss is the error of a column that is not read and could be meant as one that the input
// lacks. What could name connections is one in any case: the wrong account could act.
func nearMiss(name string, has func(column) bool) error {
	near, ok := nearColumn(name)
	if !ok || has(near) && near != inConnection {
		return nil
	}
	return unusable("the column %q could be meant as %s: rename it to that, or delete it", cell.Printable(name), near)
}

// ignoredNames are those of columns that are not read.
type ignoredNames struct{ list batch.IgnoredColumns }

func (n *ignoredNames) add(name string) {
	const most = 100
	if name = cell.Printable(name); len(n.list) < most && !slices.Contains(n.list, name) {
		n.list = append(n.list, name)
	}
}

func namedTwice(c column) error { return fmt.Errorf("the column %s is there twice: delete one", c) }

// values are the texts of a row, by column.
type values [numColumns]string

func (v *values) item() (batch.Item, error) {
	for c := range v {
		v[c] = strings.TrimFunc(v[c], cell.IsBlank)
	}
	for c := range inMaybeUnsent {
		if err := checkID(c, v[c]); err != nil {
			return batch.Item{}, err
		}
	}
	item := batch.Item{UserID: v[inUser], MessageID: v[inMessage], ConnectionID: v[inConnection], WithUserID: v[inWith]}
	maybe, err := parseMaybe(v[inMaybeUnsent])
	item.MaybeUnsent = maybe
	return item, err
}

// checkID says what is wrong with the id of a column.
func checkID(c column, text string) error {
	if text == "" && c != inUser && c != inMessage {
		return nil
	}
	if err := cell.Check(text); err != nil {
		return invalidID(c, err)
	}
	return nil
}

// invalidID takes a reason that reads as the rest of a sentence.
func invalidID(c column, reason error) error {
	return fmt.Errorf("%w: %s %w", api.ErrInvalidID, c, reason)
}

func isWholeNumber(text string) bool {
	text = strings.TrimFunc(text, cell.IsBlank)
	return text != "" && strings.TrimFunc(text, cell.IsDigit) == ""
}

func parseMaybe(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	}
	is := "is something else"
	if len(text) <= cell.ShortWord && !cell.HasKey(text) {
		is = fmt.Sprintf("is %q", cell.Printable(text))
	}
	return false, fmt.Errorf("%s %s: want true, false, 1, 0 or nothing", inMaybeUnsent, is)
}
