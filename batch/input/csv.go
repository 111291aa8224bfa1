package input

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

type csvReader struct {
	text    csvText
	csv     *csv.Reader     // nil until the first row was found
	before  int             // lines above it
	at      [numColumns]int // where a row has each column, or -1
	least   int             // cells that a row must have: up to its ids
	most    int             // cells that the first row names
	names   []string        // of the first row
	ignored *ignoredNames
}

// next returns the next item and the line where it starts.
func (c *csvReader) next() (batch.Item, int, error) {
	if c.csv == nil {
		if line, err := c.readHeader(); err != nil {
			return batch.Item{}, line, err
		}
	}
	for {
		cells, line, err := c.row()
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
			return batch.Item{}, line, fmt.Errorf("the row has %d cells, and the first row names %d: delete the extra ones, or put a cell with %s in it into quotes", filled, c.most, c.separator())
		case len(cells) < c.least:
			return batch.Item{}, line, fmt.Errorf("the row has %d of the %d cells that the first row names: separate them by %s, and leave a cell empty where there is nothing to fill in", len(cells), c.most, c.separator())
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

// row returns the next row's cells, which are good until the next call, and where it starts.
func (c *csvReader) row() ([]string, int, error) {
	c.text.size = 0
	cells, err := c.csv.Read()
	var parse *csv.ParseError
	broken := errors.As(err, &parse)
	switch {
	case errors.Is(c.text.err, batch.ErrInput):
		return nil, c.text.lines.number, c.text.err
	case broken && (c.text.err != nil || parse.Line > parse.StartLine || c.opensAfter(parse.Column)):
		// The end of the cell, and so the start of the next row, would be a guess.
		line := parse.StartLine
		if last := len(cells) - 1; last >= 0 {
			line, _ = c.csv.FieldPos(last)
			line += strings.Count(cells[last], "\n")
		}
		return nil, c.before + line, unusable(`a quote (") opens a cell here, and no quote closes it: delete it, or add the closing one`)
	case errors.Is(c.text.err, errTooLong):
		return nil, c.text.lines.number, unusable("%w", errTooLong)
	case broken:
		return nil, c.before + parse.StartLine, errors.New(`a quote (") stands in the middle of a cell: delete it, or write "" for it and put the whole cell into quotes`)
	case err != nil:
		return nil, 0, errEnd
	}
	line, _ := c.csv.FieldPos(0)
	return cells, c.before + line, nil
}

// opensAfter reports whether a quote opens behind a column of the line read last, which may be
// closed on another line.
func (c *csvReader) opensAfter(column int) bool {
	rest := string(c.text.line[min(column, len(c.text.line)):])
	return strings.Count(rest, `"`)%2 == 1 && strings.Contains(rest, string(c.csv.Comma)+`"`)
}

// readHeader finds the separator, and the columns by their names in the first row.
func (c *csvReader) readHeader() (int, error) {
	first, err := c.text.peek()
	if err != nil {
		return c.text.lines.number, err
	}
	c.before = c.text.lines.number - 1 - strings.Count(first, "\n")
	c.csv = csv.NewReader(&c.text)
	c.csv.Comma, c.csv.ReuseRecord, c.csv.FieldsPerRecord = guessSeparator(first), true, -1
	c.csv.TrimLeadingSpace = c.csv.Comma != '\t' // else it would take empty cells for blanks
	names, line, err := c.row()
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
	c.names = slices.Clone(names)
	c.least = 1 + max(c.at[inUser], c.at[inMessage], c.at[inConnection])
	return nil
}

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
		row, ended := c.text.nextRow()
		if ended != nil {
			break
		}
		found := 0
		for _, name := range splitRow(row, guessSeparator(row)) {
			if column, ok := exactColumn(name); ok && column <= inMessage {
				found++
			}
		}
		if found > 1 {
			return fmt.Errorf("the columns are named in line %d: delete the rows above it", c.text.lines.number-strings.Count(row, "\n"))
		}
	}
	return err
}

func (c *csvReader) separator() string {
	return map[rune]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "upright bars"}[c.csv.Comma]
}

const separators = ",;\t|"

// guessSeparator returns the separator that gives a first row the most known names or, if it has
// none, the most cells.
func guessSeparator(first string) rune {
	best, most := ',', -1
	for _, comma := range separators {
		names := splitRow(first, comma)
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

// splitRow splits a row at the separators outside of quotes, which it leaves out.
func splitRow(row string, comma rune) (cells []string) {
	quoted := false
	for part := range strings.SplitSeq(row, string(comma)) {
		if plain := strings.ReplaceAll(part, `"`, ""); quoted {
			cells[len(cells)-1] += plain
		} else {
			cells = append(cells, plain)
		}
		quoted = quoted != (strings.Count(part, `"`)%2 == 1)
	}
	return cells
}

// countFilled counts cells up to the last that is not blank.
func countFilled(cells []string) int {
	n := len(cells)
	for n > 0 && strings.TrimFunc(cells[n-1], cell.IsBlank) == "" {
		n--
	}
	return n
}

// csvText gives lines to a csv.Reader one by one, so that it does not read ahead: what it has read
// since size was set to 0 is its present row, which is bounded.
type csvText struct {
	lines *lines
	line  []byte // with its end
	rest  []byte // of line
	size  int
	err   error // that ended the text
}

// peek returns the first row that is not blank, and leaves it to Read. Excel's own "sep=;" is
// skipped: the row below it shows the separator.
func (t *csvText) peek() (string, error) {
	for {
		row, err := t.nextRow()
		if errors.Is(err, errTooLong) {
			err = unusable("%w", err)
		}
		if err != nil {
			return "", err
		}
		line := strings.TrimFunc(row, cell.IsBlank)
		hint := len(line) <= len(`"sep=;"`) && strings.HasPrefix(strings.ToLower(strings.Trim(line, `"`)), "sep=")
		if line != "" && !hint {
			t.hold([]byte(row))
			return row, nil
		}
	}
}

// nextRow returns the next line, with those that follow while a quote is open.
func (t *csvText) nextRow() (string, error) {
	text, err := t.lines.next()
	row := string(text)
	for err == nil && strings.Count(row, `"`)%2 == 1 && len(row) < maxRow {
		if text, err = t.lines.next(); err == nil {
			row += "\n" + string(text)
		}
	}
	if row != "" && !errors.Is(err, batch.ErrInput) {
		err = nil // the row is complete, or its quote stays open
	}
	return row, err
}

// formula matches an id that is protected from Excel, ="51", also in quotes of its own.
var formula = regexp.MustCompile(`(^|[,;\t|])(?:="([\w-]+)"|"=""([\w-]+)""")`)

func (t *csvText) hold(text []byte) {
	if bytes.Contains(text, []byte(`="`)) {
		text = formula.ReplaceAll(text, []byte(`$1"$2$3"`))
	}
	t.line = append(append(t.line[:0], text...), '\n')
	t.rest = t.line
}

// Read ends the text at any error, and keeps that in err.
func (t *csvText) Read(p []byte) (int, error) {
	if t.err == nil && len(t.rest) == 0 {
		var text []byte
		text, t.err = t.lines.next()
		if t.size > 0 || len(text) > 0 { // blank lines between rows are of none
			t.size += len(text) + 1
		}
		if t.err == nil && t.size > maxRow {
			t.err = errTooLong
		}
		if t.err == nil {
			t.hold(text)
		}
	}
	if t.err != nil {
		return 0, io.EOF
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}
