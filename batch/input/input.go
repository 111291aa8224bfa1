// Package input reads lists of messages from files: CSV, as spreadsheets write it, and JSON lines.
//
//	added, err := ledger.Replace(ctx, input.Read(file, input.Auto))
package input

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/unsend-go/unsend/batch"
)

// Read streams the items of r, CSV or JSON lines.
//
// The first row of a CSV names the columns: user_id, message_id and, if need be, connection_id,
// with_user_id, maybe_unsent and ref, in any order. Case, blanks and underscores in the names do
// not count. Cells are separated by commas, semicolons, tabs or upright bars, whichever the first
// row has. The members of a JSON object are named in the same way. maybe_unsent is TRUE or FALSE, as
// Excel writes them in seven languages, 1, 0 or empty. Text is UTF-8, or UTF-16 with a byte order
// mark; lines end in LF, CRLF or CR. A row is at most 64 KiB long. Blanks around an id, and an
// apostrophe in front of it, do not count; empty rows are skipped.
//
// The columns of ids are checked as a whole. In one of numbers, where at least half of the ids
// are numbers, anything else is a bad row; so are TRUE, FALSE and a negative number beside any
// number. If more than half of the ids of twelve digits or more, and at least two, end in three
// zeros, or have only zeros behind the fifteenth digit, a spreadsheet has rounded them, and the
// list is refused. For this, up to 1,000 rows whose ids are not numbers are held back until the
// others have been yielded; otherwise no more than one row is.
//
// Each error is a [*batch.LineError], except [batch.IgnoredColumns], which comes last if there
// are any. Reading continues after a bad row, so that all of them can be listed, and ends after an
// error that matches [batch.ErrInput]. A text that is not an id matches [api.ErrInvalidID]. Errors
// quote input only if it cannot be an API key.
func Read(r io.Reader, format Format) iter.Seq2[batch.Item, error] {
	return checkList(readRows(r, format))
}

// readRows yields the rows, each checked by itself.
func readRows(r io.Reader, format Format) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		ignored := ignoredNames{near: map[string]bool{}}
		in, format, err := recognize(r, format)
		if err != nil {
			yield(batch.Item{}, &batch.LineError{Err: err})
			return
		}
		text := &lines{in: in}
		next := (&csvReader{lines: text, ignored: &ignored}).next
		if format == JSONL {
			next = (&jsonReader{lines: text, ignored: &ignored}).next
		}
		for found := false; ; found = true {
			// After errEnd, and after an error that matches batch.ErrInput, it is not called again.
			item, line, err := next()
			if errors.Is(err, errEnd) && found {
				break
			}
			if errors.Is(err, errEnd) {
				line, err = 0, unusable("it has no messages: want a first row with %s,%s, and a row for each message below it", inUser, inMessage)
			}
			if err != nil {
				item, err = batch.Item{}, &batch.LineError{Line: line, Err: err}
			}
			item.Line = line
			if !yield(item, err) || errors.Is(err, batch.ErrInput) {
				return
			}
		}
		if len(ignored.list) > 0 {
			yield(batch.Item{}, ignored.list)
		}
	}
}

var (
	errEnd     = errors.New("end of the input") // not io.EOF, which a reader's own error may wrap
	errTooLong = errors.New("the row is longer than 64 KiB")
)

func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{batch.ErrInput}, args...)...)
}

func readFailed(err error) error { return unusable("reading it failed: %w", err) }

// maxRow bounds what is held of an input without line ends, or with a quote that stays open.
const maxRow = 64 << 10

type lines struct {
	in     *bufio.Reader // of maxRow bytes
	number int           // of the line read last
}

// next returns a line without its end; it is good until the next call. The error is errEnd,
// errTooLong, after which reading can continue, or matches batch.ErrInput.
func (l *lines) next() ([]byte, error) {
	text, err := l.in.ReadSlice('\n')
	if len(text) == 0 && err == io.EOF { // an error that wraps io.EOF is a failure
		return nil, errEnd
	}
	l.number++
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.in.ReadSlice('\n')
	}
	switch {
	case err != nil && err != io.EOF:
		return nil, readFailed(err)
	case tooLong:
		return nil, errTooLong
	}
	return bytes.TrimSuffix(text, []byte("\n")), nil
}
