package batch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Format is how items are written.
type Format int

// Formats that [Read] reads.
const (
	Auto  Format = iota // JSONL where the input begins with "{", and else CSV
	CSV                 // a header row of user_id, message_id and, if need be, connection_id and with_user_id, in any order among other columns, which are ignored
	JSONL               // a JSON object of the same members on each line; ids may be numbers
)

// ErrInput is an input that cannot be read on: it is empty, binary or without a header, or
// the reader failed.
var ErrInput = errors.New("unusable input")

// LineError is what is wrong with one row of the input.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error returns one line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// Read streams the items of r. A byte order mark, CRLF, blank lines and quoted fields are
// accepted; a row is at most 256 KiB long. Each error is a [*LineError]; after one of a row
// reading goes on, so that every bad row can be listed, and after one that matches [ErrInput]
// it ends. Each id is held against the contract's pattern.
func Read(r io.Reader, format Format) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) { read(r, format, yield) }
}

// OnConnection gives id as connection to items that name none. Where id is empty, such an
// item is a [*LineError].
func OnConnection(items iter.Seq2[Item, error], id string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for item, err := range items {
			if err == nil && item.ConnectionID == "" {
				item.ConnectionID = id
				if id == "" {
					err = &LineError{Line: item.Line, Err: errors.New("connection_id is missing, and no other connection is given")}
				}
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// Good leaves out what is not an item.
func Good(items iter.Seq2[Item, error]) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for item, err := range items {
			if err == nil && !yield(item) {
				return
			}
		}
	}
}

func read(r io.Reader, format Format, yield func(Item, error) bool) {
	src := &lines{in: bufio.NewReaderSize(r, 64<<10)}
	format, err := begin(src.in, format)
	if err != nil {
		yield(Item{}, &LineError{Line: 1, Err: err})
		return
	}
	next := jsonRow
	if format == CSV {
		columns, err := readHeader(src)
		if err != nil {
			yield(Item{}, err)
			return
		}
		next = columns.row
	}
	for {
		item, at, err := next(src)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = item.check()
		}
		if err != nil {
			err = &LineError{Line: at, Err: err}
			item = Item{}
		}
		item.Line = at
		if !yield(item, err) || errors.Is(err, ErrInput) {
			return
		}
	}
}
