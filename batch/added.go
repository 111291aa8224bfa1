package batch

import (
	"errors"
	"fmt"
	"strings"
)

// maxListed is how many bad rows are kept of an input: more help nobody.
const maxListed = 100

// Added is what [Ledger.Add] and [Ledger.Replace] found in the rows they were given.
type Added struct {
	New      int // messages that the ledger did not have
	Known    int // messages that it had, ended or open
	Repeated int // rows that repeat a message of the same input
	SetAside int // open messages that Replace did not find in the rows, and set aside

	BadRows int      // rows that cannot be used; with [SkipBad] they were left out
	Bad     []error  // of these the first hundred, each with its line
	Ignored []string // columns that mean nothing here
}

// InputError is an input with rows that cannot be used. Nothing of it was added. It matches
// [ErrInput].
type InputError struct {
	Rows int     // bad rows
	Bad  []error // of these the first hundred, in the order of the input, each with its line
	// NoConnection is how many of the bad rows only lack a connection, where no
	// [DefaultConnection] is set. They are not in Bad: one remedy mends them all.
	NoConnection int
}

// Error says how many rows are bad, and what is wrong with the first.
func (e *InputError) Error() string {
	var parts []string
	if e.NoConnection > 0 {
		parts = append(parts, fmt.Sprintf("%s no connection; set a default connection, or add a column %s", rows(e.NoConnection, "names", "name"), columnConnection))
	}
	switch n := e.Rows - e.NoConnection; {
	case n == 1 && len(e.Bad) > 0:
		parts = append(parts, e.Bad[0].Error())
	case n > 1 && len(e.Bad) > 0:
		parts = append(parts, fmt.Sprintf("%s be used; the first: %v", rows(n, "cannot", "cannot"), e.Bad[0]))
	}
	return strings.Join(parts, "; ")
}

// Is matches [ErrInput].
func (e *InputError) Is(target error) bool { return target == ErrInput }

// Unwrap returns the bad rows that are kept.
func (e *InputError) Unwrap() []error { return e.Bad }

// IgnoredColumns is yielded once by [Read] for an input with columns that mean nothing here.
// It is no bad row: Add reports them in Added.Ignored.
type IgnoredColumns []string

// Error names the columns.
func (c IgnoredColumns) Error() string { return "ignored columns: " + strings.Join(c, ", ") }

func rows(n int, singular, plural string) string {
	if n == 1 {
		return "1 row " + singular
	}
	return fmt.Sprintf("%d rows %s", n, plural)
}

var errNoConnection = errors.New("no connection")
