package batch

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrInput is matched by an error after which an input cannot be read on: it is empty, of a
// format that is not read, lacks a column, has a quote that is not closed, or its reader failed.
var ErrInput = errors.New("the input cannot be used")

// LineError is what is wrong with one line of an input or, where Line is 0, with all of it.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error returns one line.
func (e *LineError) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// Bounds of the list of bad rows: more help nobody.
const (
	maxListed = 100 // of all
	maxAlike  = 10  // of those with the same mistake; the rest is counted
)

// Added is what [Ledger.Add] and [Ledger.Replace] found in the rows they were given.
type Added struct {
	New      int // messages that the ledger did not have
	Known    int // messages that it had, ended or open
	Repeated int // rows that repeat a message of the same input
	SetAside int // open messages that Replace did not find in the rows, and set aside

	BadRows int      // rows that cannot be used; with [SkipBad] they were left out
	Bad     []error  // of these the first, as in [InputError]
	Ignored []string // columns that mean nothing here

	plan func(retryFailed bool) Plan // of a Preview
}

// Plan returns what a run would do after what [Preview] did not store; retryFailed is that of
// its [Options]. Without Preview it is empty: see [Ledger.Plan].
func (a Added) Plan(retryFailed bool) Plan {
	if a.plan == nil {
		return Plan{}
	}
	return a.plan(retryFailed)
}

// InputError is an input with rows that cannot be used. Nothing of it was added. It matches
// [ErrInput].
type InputError struct {
	Rows int // bad rows
	// Bad are the first of these, in the order of the input, each with its line: a hundred at
	// most, and ten with the same mistake. One *InputError behind the tenth counts the others
	// in its Rows, and has the first of all in its Bad.
	Bad []error
	// NoConnection is how many of the bad rows only lack a connection, where no
	// [DefaultConnection] is set. They are not in Bad: one remedy mends them all.
	NoConnection int

	more bool // it counts the rows that are like the one in Bad
}

// Error says how many rows are bad, and what is wrong with the first.
func (e *InputError) Error() string {
	var parts []string
	if e.NoConnection > 0 {
		parts = append(parts, fmt.Sprintf("%s no connection; set a default connection, or add a column connection_id", rows(e.NoConnection, "names", "name")))
	}
	switch n := e.Rows - e.NoConnection; {
	case e.more:
		parts = append(parts, fmt.Sprintf("%s like %v", rows(n, "more", "more"), e.Bad[0]))
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

// IgnoredColumns is yielded once by a reader for an input with columns that mean nothing here.
// It is no bad row: Add reports them in Added.Ignored.
type IgnoredColumns []string //nolint:errname // it is no failure

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
	mistakes   map[string]*mistake
	ignored    []string
}

// mistake is one that several rows have.
type mistake struct {
	rows int
	more InputError // the first of the rows, and how many are not listed
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
	if err == nil {
		c.bad.NoConnection++
	} else {
		c.list(err)
	}
	return false
}

// list keeps a bad row, or counts it where enough are kept that are like it.
func (c *rowCheck) list(err error) {
	kind := kindOf(err)
	m, full := c.mistakes[kind], len(c.bad.Bad) >= maxListed
	if m == nil {
		if full {
			return
		}
		if c.mistakes == nil {
			c.mistakes = map[string]*mistake{}
		}
		m = &mistake{more: InputError{Bad: []error{err}, more: true}}
		c.mistakes[kind] = m
	}
	m.rows++
	switch {
	case m.more.Rows > 0:
		m.more.Rows++
	case full:
	case m.rows > maxAlike:
		m.more.Rows = 1
		c.bad.Bad = append(c.bad.Bad, &m.more)
	default:
		c.bad.Bad = append(c.bad.Bad, err)
	}
}

// kindOf is the text of an error without what differs from row to row: numbers, and what is
// shown in quotes.
func kindOf(err error) string {
	shown := false
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\'' {
			shown = !shown
		}
		if shown || r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, err.Error())
}
