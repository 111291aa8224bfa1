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

// begin looks at the start of an input without waiting for more of it than it needs, passes
// over a byte order mark, and finds out the format.
func begin(in *bufio.Reader, format Format) (Format, error) {
	first, err := in.Peek(1)
	switch {
	case errors.Is(err, io.EOF):
		return format, errEmpty
	case err != nil:
		return format, unreadable(err)
	}
	const mark = "\xef\xbb\xbf"
	if first[0] == mark[0] {
		if start, _ := in.Peek(len(mark)); string(start) == mark {
			_, _ = in.Discard(len(mark)) // they are there
		}
	}
	if start, _ := in.Peek(in.Buffered()); bytes.IndexByte(start, 0) >= 0 || bytes.HasPrefix(start, []byte("\x1f\x8b")) {
		return format, errBinary
	}
	if format != Auto {
		return format, nil
	}
	switch firstVisible(in) {
	case '{':
		return JSONL, nil
	case '[':
		return format, errArray
	}
	return CSV, nil
}

// firstVisible returns the first byte behind white space, or 0.
func firstVisible(in *bufio.Reader) byte {
	for n := 1; ; n++ {
		start, err := in.Peek(n)
		if err != nil {
			return 0
		}
		if last := start[n-1]; last != ' ' && last != '\t' && last != '\r' && last != '\n' {
			return last
		}
	}
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
