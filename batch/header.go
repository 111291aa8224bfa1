package batch

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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
func (c column) String() string {
	return [...]string{columnUser, columnMessage, columnConnection, columnWith, columnMaybeUnsent}[c]
}

// exactColumn finds the column of a name.
func exactColumn(name string) (column, bool) {
	folded := fold(name)
	for c := range numColumns {
		if folded == c.folded() {
			return c, true
		}
	}
	return 0, false
}

// nearColumn finds the column that a name which is none of ours could be meant as.
func nearColumn(name string) (column, bool) {
	folded := fold(name)
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

func (c column) folded() string {
	return [...]string{"userid", "messageid", "connectionid", "withuserid", "maybeunsent"}[c]
}

// fold leaves out of a name what does not count: case, blanks of all kinds and underscores.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || isBlank(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// isBlank also finds what cannot be seen, such as a byte order mark where two files were joined.
func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

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
	return unusable("the column %q could be meant as %s: rename it to that, or delete it", printable(name), near)
}

// ignoredNames are those of columns that are not read.
type ignoredNames struct{ list IgnoredColumns }

func (n *ignoredNames) add(name string) {
	const most = 100
	if name = printable(name); len(n.list) < most && !slices.Contains(n.list, name) {
		n.list = append(n.list, name)
	}
}

func namedTwice(c column) error { return fmt.Errorf("the column %s is there twice: delete one", c) }

// printable returns a name on one line, cut, and hidden where it has an API key in it.
func printable(name string) string {
	const most = 60 // bytes
	if hasKey(name) {
		return "(hidden)"
	}
	return cut(name, most)
}

// hasKey finds API keys, which start with sk_, and lets words pass such as task_id.
func hasKey(text string) bool {
	text = strings.ToLower(text)
	at := strings.Index(text, "sk_")
	return at >= 0 && (at == 0 || !unicode.IsLetter(rune(text[at-1])) || strings.ContainsFunc(text, isDigit))
}
