package batch

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// ErrInput is matched by an [InputError], and by an error after which an input cannot be read further:
// it is empty, of an unknown format, lacks a column, has an open quote, or its reader failed.
var ErrInput = errors.New("the input cannot be used")

// maxListed is how many bad rows are listed; all are counted.
const maxListed = 20

// LineError is an error of one line of an input or, if Line is 0, of all of it.
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

// Added is what [Ledger.Add] and [Ledger.Replace] found in their rows.
type Added struct {
	New      int // messages that the ledger did not have
	Known    int // messages that it had
	Repeated int // rows that repeat a message of the same input
	SetAside int // open messages that the rows of Replace lack

	BadRows int      // rows that cannot be used; with [SkipBad] they were left out
	Bad     []error  // the first of them, as in [InputError]
	Ignored []string // columns that are not used

	preview *Totals
}

// Plan returns what a run would do after what [Preview] did not store; retryFailed is that of
// its [Options]. Without Preview it is empty: see [Ledger.Plan].
func (a Added) Plan(retryFailed bool) Plan {
	if a.preview == nil {
		return Plan{}
	}
	return a.preview.plan(retryFailed)
}

// InputError is returned for an input with rows that cannot be used. None of its rows was added.
// It matches [ErrInput].
type InputError struct {
	Rows         int     // bad rows
	Good         int     // rows that can be used
	NoConnection int     // bad rows that only lack a connection: one [DefaultConnection] fixes all
	Bad          []error // the first 20 of the others in the order of the input, each with its line, and last one error for all that only lack a connection
}

// Error returns how many rows are bad, and the error of the first.
func (e *InputError) Error() string {
	switch {
	case e.NoConnection == e.Rows:
		return rows(e.Rows, "names", "name") + " no connection; set a default connection, or add a column connection_id"
	case e.Rows == 1:
		return e.Bad[0].Error()
	}
	return fmt.Sprintf("%d rows cannot be used; the first: %v", e.Rows, e.Bad[0])
}

// Is reports whether target is [ErrInput].
func (e *InputError) Is(target error) bool { return target == ErrInput }

// Unwrap returns Bad.
func (e *InputError) Unwrap() []error { return e.Bad }

// IgnoredColumns is yielded once by a reader for an input with columns that are not used. It is
// no bad row: Add reports them in Added.Ignored.
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
	ignored    []string
}

// good yields the rows that can be used. Unless bad ones are skipped, it reads to the end, to count
// them all, and then yields an error.
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
		c.sort()
		if c.bad.Rows > 0 && !c.settings.skipBad {
			yield(Item{}, &c.bad)
		}
	}
}

// sort completes the list of bad rows. A reader yields some after the others.
func (c *rowCheck) sort() {
	slices.SortStableFunc(c.bad.Bad, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
	if n := c.bad.NoConnection; n > 0 {
		c.bad.Bad = append(c.bad.Bad, &InputError{Rows: n, NoConnection: n})
	}
}

func lineOf(err error) int {
	if row, ok := errors.AsType[*LineError](err); ok {
		return row.Line
	}
	return 0
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
	switch {
	case err == nil && item.ConnectionID != "":
		c.bad.Good++
		return true
	case err == nil:
		c.bad.NoConnection++
	case len(c.bad.Bad) < maxListed:
		c.bad.Bad = append(c.bad.Bad, err)
	}
	c.bad.Rows++
	return false
}
