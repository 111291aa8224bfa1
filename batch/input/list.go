package input

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

const (
	maxHeld = 1000 // rows held back until the whole list has been read
	longID  = 12   // digits from which a spreadsheet shows a number in short
	exact   = 15   // digits that a spreadsheet keeps
)

// listCheck finds faults that one row does not show: rows with something else in a column of
// numbers, such as totals, and ids that a spreadsheet has rounded.
type listCheck struct {
	columns [2]idColumn
	held    []batch.Item // that are odd if their column turns out to be one of numbers
	release bool         // too many were held: each row is checked against the rows before it
}

// idColumn counts what a column of ids holds.
type idColumn struct {
	column        column
	rows, numbers int
	negatives     int
	last          string
	long, rounded int  // numbers of longID digits or more
	passed        bool // a row that is odd if the column is one of numbers
}

// checkList yields the rows. Rows that may turn out to be bad come after the others, and the error of
// the list as a whole comes last.
func checkList(rows iter.Seq2[batch.Item, error]) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		c := listCheck{columns: [2]idColumn{{column: inUser}, {column: inMessage}}}
		var ignored error
		for item, err := range rows {
			if err != nil && errors.As(err, new(batch.IgnoredColumns)) {
				ignored = err
				continue
			}
			if err == nil && c.hold(item) {
				c.release = len(c.held) == maxHeld
				if c.release && !c.yieldHeld(yield) {
					return
				}
				continue
			}
			if err == nil {
				item, err = c.checked(item)
			}
			if !yield(item, err) || errors.Is(err, batch.ErrInput) {
				return
			}
		}
		if !c.yieldHeld(yield) {
			return
		}
		if err := cmp.Or(c.check(), ignored); err != nil {
			yield(batch.Item{}, err)
		}
	}
}

func (c *listCheck) hold(item batch.Item) bool {
	number := c.columns[0].add(item.UserID)
	number = c.columns[1].add(item.MessageID) && number
	if number || c.release {
		return false
	}
	c.held = append(c.held, item)
	return true
}

func (c *listCheck) yieldHeld(yield func(batch.Item, error) bool) bool {
	for _, item := range c.held {
		if !yield(c.checked(item)) {
			return false
		}
	}
	c.held = nil
	return true
}

func (c *listCheck) checked(item batch.Item) (batch.Item, error) {
	for i, id := range []string{item.UserID, item.MessageID} {
		if err := c.columns[i].check(id); err != nil {
			return batch.Item{Line: item.Line}, &batch.LineError{Line: item.Line, Err: err}
		}
	}
	return item, nil
}

// check returns the error of the list as a whole.
func (c *listCheck) check() error {
	for _, column := range c.columns {
		var err error
		switch {
		case column.long > 1 && 2*column.rounded > column.long:
			err = unusable("most of its %ss end in zeros, as a spreadsheet rounds them; %s", column.column, cell.LostDigits)
		case column.passed && column.ofNumbers():
			err = unusable("its %ss are numbers in some rows and words in many others: correct them, or make two lists of it", column.column)
		}
		if err != nil {
			return &batch.LineError{Err: err}
		}
	}
	return nil
}

// add counts an id, and reports whether it is a number.
func (c *idColumn) add(id string) bool {
	c.rows++
	switch {
	case isNegative(id):
		c.negatives++
		return false
	case !isWholeNumber(id):
		return false
	}
	c.numbers++
	again := c.column == inUser && id == c.last // one user has many messages
	if c.last = id; len(id) >= longID && !again {
		c.long++
		if strings.HasSuffix(id, "000") || len(id) > exact && strings.Trim(id[exact:], "0") == "" {
			c.rounded++
		}
	}
	return true
}

// ofNumbers reports whether at least half of the rows have a number.
func (c *idColumn) ofNumbers() bool { return 2*(c.numbers+c.negatives) >= c.rows }

// check refuses what cannot be an id beside the others of the column.
func (c *idColumn) check(id string) error {
	switch {
	case isWholeNumber(id):
		return nil
	case c.ofNumbers(), c.numbers > 0 && (isNegative(id) || isBoolean(id)):
		return invalidID(c.column, fmt.Errorf("is %s, and the column holds numbers: correct it, or delete the row", shown(id)))
	}
	c.passed = true
	return nil
}

func isNegative(id string) bool {
	rest, ok := strings.CutPrefix(id, "-")
	return ok && isWholeNumber(rest)
}

func isBoolean(id string) bool {
	_, ok := booleans[strings.ToLower(id)]
	return ok
}
