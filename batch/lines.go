package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxRow bounds a row, so that a file without line ends does not take the memory.
const maxRow = 256 << 10

var errTooLong = errors.New("the row is longer than 256 KiB")

// lines reads an input line by line, and can take lines back.
type lines struct {
	in     *bufio.Reader
	number int    // of the line read last
	long   []byte // where a line is put together that is longer than in's buffer
	undone []line
	err    error // that ended the input
}

type line struct {
	text   []byte // without its end
	number int
}

// next returns a line, which is good until the next call. An errTooLong has read past it.
func (l *lines) next() (line, error) {
	if len(l.undone) > 0 {
		first := l.undone[0]
		l.undone = l.undone[1:]
		return first, nil
	}
	if l.err != nil {
		return line{number: l.number}, l.err
	}
	text, err := l.read()
	l.number++
	if errors.Is(err, io.EOF) && len(text) > 0 {
		err = nil // the last line has no end
	}
	if err != nil && !errors.Is(err, errTooLong) {
		l.err = err
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return line{text, l.number}, err
}

func (l *lines) read() ([]byte, error) {
	text, err := l.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return text, err
	}
	l.long = append(l.long[:0], text...)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = l.in.ReadSlice('\n')
		if len(l.long) <= maxRow {
			l.long = append(l.long, text...)
		}
	}
	if len(l.long) > maxRow && (err == nil || errors.Is(err, io.EOF)) {
		return nil, errTooLong
	}
	return l.long, err
}

// undo takes lines back, which must be copies, to be read again.
func (l *lines) undo(list []line) {
	l.undone = append(list, l.undone...)
}
