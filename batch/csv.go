package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// columns is where a CSV's header has what an item is made of.
type columns struct {
	user, message, connection, with int // -1 where there is none
	count                           int
	split                           splitter
}

// readHeader reads the first row that is not blank. Its error is a *LineError.
func readHeader(src *lines) (*columns, error) {
	var split splitter
	fields, at, err := split.row(src)
	switch {
	case errors.Is(err, io.EOF):
		return nil, &LineError{Line: 1, Err: errEmpty}
	case errors.Is(err, ErrInput):
		return nil, &LineError{Line: at, Err: err}
	case err != nil:
		return nil, &LineError{Line: at, Err: fmt.Errorf("%w: the header cannot be read: %w", ErrInput, err)}
	}
	find := func(name string) int {
		return slices.IndexFunc(fields, func(field []byte) bool { return string(field) == name })
	}
	c := &columns{
		user: find(columnUser), message: find(columnMessage), connection: find(columnConnection), with: find(columnWith),
		count: len(fields),
	}
	if reason := c.lack(fields); reason != "" {
		return nil, &LineError{Line: at, Err: fmt.Errorf("%w: %s", ErrInput, reason)}
	}
	return c, nil
}

// lack says what is wrong with a header.
func (c *columns) lack(fields [][]byte) string {
	want := "; want " + columnUser + "," + columnMessage + "[," + columnConnection + "][," + columnWith + "]"
	switch {
	case c.user < 0 && c.message < 0 && len(fields) == 1 && bytes.ContainsAny(fields[0], ";\t"):
		return "its columns are not separated by commas" + want
	case c.user < 0 && c.message < 0:
		return "the first row is no header" + want
	case c.user < 0:
		return "the header lacks " + columnUser + want
	case c.message < 0:
		return "the header lacks " + columnMessage + want
	}
	for i, field := range fields {
		name := string(field)
		known := name == columnUser || name == columnMessage || name == columnConnection || name == columnWith
		if known && slices.ContainsFunc(fields[:i], func(f []byte) bool { return string(f) == name }) {
			return "the header has " + name + " twice"
		}
	}
	return ""
}

func (c *columns) row(src *lines) (Item, int, error) {
	fields, at, err := c.split.row(src)
	if err != nil {
		return Item{}, at, err
	}
	if len(fields) != c.count {
		return Item{}, at, fmt.Errorf("the row has %s, and the header %d", plural(len(fields), "field"), c.count)
	}
	return newItem(field(fields, c.user), field(fields, c.message), field(fields, c.connection), field(fields, c.with)), at, nil
}

func field(fields [][]byte, n int) []byte {
	if n < 0 {
		return nil
	}
	return fields[n]
}

// newItem copies what it is given, all of it at once.
func newItem(user, message, connection, with []byte) Item {
	var b strings.Builder
	b.Grow(len(user) + len(message) + len(connection) + len(with))
	for _, part := range [...][]byte{user, message, connection, with} {
		b.Write(part)
	}
	text := b.String()
	cutOff := func(part []byte) string {
		head := text[:len(part)]
		text = text[len(part):]
		return head
	}
	return Item{UserID: cutOff(user), MessageID: cutOff(message), ConnectionID: cutOff(connection), WithUserID: cutOff(with)}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
