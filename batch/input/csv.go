package input

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

type csvReader struct {
	lines   *lines
	buffer  []byte          // of a row
	cells   []string        // of a row, until the next call of row
	comma   string          // the separator; empty until the first row was found
	at      [numColumns]int // where a row has each column, or -1
	least   int             // cells that a row must have: up to its ids
	most    int             // cells that the first row names
	names   []string        // of the first row
	ignored *ignoredNames
}

// next returns the next item and the line where it starts.
func (c *csvReader) next() (batch.Item, int, error) {
	if c.comma == "" {
		if line, err := c.readHeader(); err != nil {
			return batch.Item{}, line, err
		}
	}
	for {
		_, cells, line, err := c.row(c.comma)
		if err != nil {
			return batch.Item{}, line, err
		}
		filled := countFilled(cells)
		odd := c.refuseConnections(cells)
		switch {
		case filled == 0:
			continue
		case odd != nil:
			return batch.Item{}, line, odd
		case filled > c.most:
			return batch.Item{}, line, fmt.Errorf("the row has %d cells, and the first row names %d: delete the extra ones, or put a cell with %s in it into quotes", filled, c.most, separatorNames[c.comma])
		case c.isTotal(cells):
			return batch.Item{}, line, errors.New("the row is a total: delete it")
		case len(cells) < c.least:
			return batch.Item{}, line, fmt.Errorf("the row has %d of the %d cells that the first row names: separate them by %s, and leave a cell empty where there is nothing to fill in", len(cells), c.most, separatorNames[c.comma])
		}
		var v values
		for column, at := range c.at {
			if at >= 0 && at < len(cells) {
				v[column] = cells[at]
			}
		}
		item, err := v.item()
		return item, line, err
	}
}

// row returns the text of the next row, its cells, and the line where it starts. The row continues
// on the next line while a quote is open.
func (c *csvReader) row(separators string) (text string, cells []string, line int, err error) {
	next, err := c.lines.next()
	line = c.lines.number
	c.buffer = append(c.buffer[:0], next...)
	for err == nil {
		text = string(c.buffer)
		open := 0
		if cells, open, err = splitRow(c.cells[:0], text, separators); open < 0 {
			c.cells = cells
			return text, cells, line, err
		}
		for closes := false; err == nil && !closes; closes = bytes.Contains(bytes.ReplaceAll(next, []byte(`""`), nil), []byte(`"`)) {
			next, err = c.lines.next()
			c.buffer = append(append(c.buffer, '\n'), next...)
			if err == nil && len(c.buffer) > maxRow {
				err = errTooLong
			}
		}
		if err != nil && !errors.Is(err, batch.ErrInput) {
			// The end of the cell, and so the start of the next row, would be a guess.
			return "", nil, line + strings.Count(text[:open], "\n"), unusable(`a quote (") opens a cell here, and no quote closes it: delete it, or add the closing one`)
		}
	}
	if errors.Is(err, errTooLong) {
		err = unusable("%w", err)
	}
	return "", nil, c.lines.number, err
}

var errMisplaced = errors.New(`a quote (") stands in the middle of a cell: delete it, or write "" for it and put the whole cell into quotes`)

// splitRow appends the cells of a row, which end at any of the separators outside of quotes. If a
// quote is not closed, or something follows the quote that closes it on another line, open is its
// offset, otherwise -1. encoding/csv refuses what spreadsheets write (="51", a blank behind a quote),
// takes one separator, and reads on past the line that an error has to name.
func splitRow(cells []string, row, separators string) (_ []string, open int, err error) {
	for rest, more := row, true; more; {
		rest = strings.TrimLeft(rest, " ")
		start := len(row) - len(rest)
		text := ""
		inner, quoted := strings.CutPrefix(strings.TrimPrefix(rest, "="), `"`) // with Excel's ="51"
		if quoted {
			var closed bool
			if text, rest, closed = unquote(inner); !closed {
				return cells, start, err
			}
			if protected, ok := strings.CutPrefix(text, `="`); ok {
				text = strings.TrimSuffix(protected, `"`)
			}
		}
		end := strings.IndexAny(rest, separators)
		if more = end >= 0; !more {
			end = len(rest)
		}
		unquoted := rest[:end]
		rest = rest[min(end+1, len(rest)):]
		switch {
		case quoted && strings.TrimFunc(unquoted, cell.IsBlank) != "":
			if err = errMisplaced; strings.Contains(text, "\n") {
				return cells, start, err
			}
		case !quoted && strings.Contains(unquoted, `"`):
			err = errMisplaced
		case !quoted:
			text = unquoted
		}
		cells = append(cells, text)
	}
	return cells, -1, err
}

// unquote returns the text before the closing quote, and the text behind it.
func unquote(text string) (inside, behind string, closed bool) {
	for at := 0; ; at += len(`""`) {
		next := strings.IndexByte(text[at:], '"')
		if next < 0 {
			return "", "", false
		}
		if at += next; !strings.HasPrefix(text[at+1:], `"`) {
			return strings.ReplaceAll(text[:at], `""`, `"`), text[at+1:], true
		}
	}
}

// readHeader finds the separator, and the columns by their names in the first row that is not blank.
// Excel's own "sep=;" is skipped: the row below it shows the separator.
func (c *csvReader) readHeader() (int, error) {
	for {
		row, _, line, err := c.row(separators)
		if err != nil && !errors.Is(err, errMisplaced) {
			return line, err
		}
		text := strings.ToLower(strings.Trim(strings.TrimFunc(row, cell.IsBlank), `"`))
		if text == "" || strings.HasPrefix(text, "sep=") {
			continue
		}
		c.comma = guessSeparator(row)
		names, _, err := splitRow(nil, row, c.comma)
		if err == nil {
			err = c.findColumns(names)
		}
		if errors.Is(err, errNotNamed) {
			err = c.findNamesBelow(err)
		}
		if err != nil && !errors.Is(err, batch.ErrInput) {
			err = unusable("%w", err)
		}
		return line, err
	}
}

func (c *csvReader) findColumns(names []string) error {
	c.most = countFilled(names)
	c.at = [numColumns]int{-1, -1, -1, -1, -1, -1}
	for i, name := range names {
		column, ok := exactColumn(name)
		if ok && c.at[column] >= 0 {
			return namedTwice(column)
		}
		if ok {
			c.at[column] = i
		}
	}
	has := func(column column) bool { return c.at[column] >= 0 }
	switch {
	case c.most == 1 && strings.ContainsAny(names[0], separators):
		return errors.New("the whole row is one cell, in quotes: delete the quotes, or in Excel split the column with Data, Text to Columns, and save again")
	case !has(inUser) && !has(inMessage) && slices.ContainsFunc(names, isWholeNumber):
		return errors.New("the first row does not name the columns: put one with user_id,message_id above it")
	}
	for _, name := range names {
		if _, ok := exactColumn(name); ok || cell.Fold(name) == "" {
			continue
		}
		if err := nearMiss(name, has); err != nil {
			return err
		}
		c.ignored.add(name)
	}
	for _, needed := range []column{inUser, inMessage} {
		if !has(needed) {
			return fmt.Errorf("%w %s: the first row has %s; name the columns there, %s and %s at least", errNotNamed, needed, listNames(names), inUser, inMessage)
		}
	}
	c.names = names
	c.least = 1 + max(c.at[inUser], c.at[inMessage], c.at[inConnection])
	return nil
}

// isTotal reports whether a row has the sums of the columns: beside its ids stands a word for that.
func (c *csvReader) isTotal(cells []string) bool {
	for i, text := range cells {
		word := strings.TrimRight(cell.Fold(text), ":")
		if i != c.at[inUser] && i != c.at[inMessage] && slices.Contains(totals, word) {
			return true
		}
	}
	return false
}

var totals = []string{"total", "totals", "grandtotal", "sum", "summe", "gesamt", "gesamtsumme", "somme", "totale", "suma"}

func (c *csvReader) refuseConnections(cells []string) error {
	for i, text := range cells {
		if i < len(c.names) && !slices.Contains(c.at[:], i) {
			if err := refuseConnections(c.names[i], text); err != nil {
				return err
			}
		}
	}
	return nil
}

var errNotNamed = errors.New("no column is named")

func listNames(names []string) string {
	const most = 5
	var list []string
	for _, name := range names {
		if cell.Fold(name) != "" {
			list = append(list, strconv.Quote(cell.Printable(name)))
		}
	}
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " and others"
	}
	return strings.Join(list, ", ")
}

// findNamesBelow looks for the names of the columns below a title, and returns the error that
// names their line; otherwise err.
func (c *csvReader) findNamesBelow(err error) error {
	const most = 20 // rows
	for range most {
		_, names, line, _ := c.row(separators) // without names at the end of the input
		found := 0
		for _, name := range names {
			if column, ok := exactColumn(name); ok && column <= inMessage {
				found++
			}
		}
		if found > 1 {
			return fmt.Errorf("the columns are named in line %d: delete the rows above it", line)
		}
	}
	return err
}

const separators = ",;\t|"

var separatorNames = map[string]string{",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}

// guessSeparator returns the separator that gives a first row the most known names or, if it has
// none, the most cells.
func guessSeparator(first string) (best string) {
	most := 0
	for comma := range strings.SplitSeq(separators, "") {
		names, _, _ := splitRow(nil, first, comma) // a wrong one may split it in quotes
		score := len(names)
		for _, name := range names {
			if _, ok := exactColumn(name); ok {
				score += maxRow
			}
		}
		if score > most {
			best, most = comma, score
		}
	}
	return best
}

// countFilled counts cells up to the last that is not blank.
func countFilled(cells []string) int {
	n := len(cells)
	for n > 0 && strings.TrimFunc(cells[n-1], cell.IsBlank) == "" {
		n--
	}
	return n
}
