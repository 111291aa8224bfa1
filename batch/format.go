package batch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

var (
	errEmpty  = fmt.Errorf("%w: it is empty; want a header of %s and a row for each message, or JSON lines", ErrInput, columnUser+","+columnMessage)
	errBinary = fmt.Errorf("%w: it is not text; want CSV or JSON lines, unpacked and in UTF-8", ErrInput)
	errArray  = fmt.Errorf("%w: it is a JSON array; want one object on each line", ErrInput)
)

// begin looks at the start of an input without waiting for more of it than came, passes over
// a byte order mark, and finds out the format.
func begin(in *bufio.Reader, format Format) (Format, error) {
	if _, err := in.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			return format, errEmpty
		}
		return format, unreadable(err)
	}
	if first, _ := in.Peek(1); first[0] == 0xef { // as a mark's first of three bytes
		if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
			_, _ = in.Discard(len(mark)) // they are there
		}
	}
	start, _ := in.Peek(in.Buffered())
	if bytes.IndexByte(start, 0) >= 0 || bytes.HasPrefix(start, []byte("\x1f\x8b")) {
		return format, errBinary
	}
	if format != Auto {
		return format, nil
	}
	start = bytes.TrimLeft(start, " \t\r\n")
	switch {
	case bytes.HasPrefix(start, []byte("{")):
		return JSONL, nil
	case bytes.HasPrefix(start, []byte("[")):
		return format, errArray
	}
	return CSV, nil
}

// unreadable is an input that failed.
func unreadable(err error) error { return fmt.Errorf("%w: reading it failed: %w", ErrInput, err) }

// fault tells the end of the input, and a row that is too long, from an input that failed.
func fault(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, errTooLong) {
		return err
	}
	return unreadable(err)
}
