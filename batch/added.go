package batch

import (
	"errors"
	"fmt"
	"iter"
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

// rowCheck finds the bad rows of an input.
type rowCheck struct {
	settings   addSettings
	connection string // of rows that name none
	bad        InputError
	ignored    []string
}

// good yields the rows that can be used. Where a bad one is not to be left out, it goes on to
// the end, to list them all, and then yields an error.
func (c *rowCheck) good(rows iter.Seq2[Item, error]) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for item, err := range rows {
			if errors.As(err, (*IgnoredColumns)(&c.ignored)) {
				continue
			}
			if errors.Is(err, ErrInput) {
				yield(Item{}, err)
				return
			}
			ok := c.check(&item, err)
			if ok && (c.bad.Rows == 0 || c.settings.skipBad) && !yield(item, nil) {
				return
			}
		}
		if c.bad.Rows > 0 && !c.settings.skipBad {
			yield(Item{}, &c.bad)
		}
	}
}

// check reports whether a row can be used, and completes it.
func (c *rowCheck) check(item *Item, err error) bool {
	if item.ConnectionID == "" {
		item.ConnectionID = c.connection
	}
	if err == nil {
		if err = item.check(); err != nil {
			err = &LineError{Line: item.Line, Err: err}
		}
	}
	if err == nil && item.ConnectionID != "" {
		return true
	}
	c.bad.Rows++
	switch {
	case err == nil:
		c.bad.NoConnection++
	case len(c.bad.Bad) < maxListed:
		c.bad.Bad = append(c.bad.Bad, err)
	}
	return false
}
