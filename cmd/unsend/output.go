package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/unsend-go/unsend/internal/textutil"
)

// output is standard output or standard error. It keeps its first error and writes nothing after it,
// so that a command can write many times and check once. Go opens /dev/null in place of a stream that
// was closed before the program began.
type output struct {
	w         io.Writer
	abandoned <-chan struct{} // when closed, no write waits for a reader any longer; nil if all do

	mu  sync.Mutex // guards err, and serializes writes
	err error
}

// lastWrite is how long a write may take once the output is abandoned.
const lastWrite = 500 * time.Millisecond

var errAbandoned = errors.New("nobody reads it")

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = o.writeLocked(p)
	}
	if o.err != nil {
		return 0, o.err
	}
	return len(p), nil
}

func (o *output) writeLocked(p []byte) error {
	if o.abandoned == nil {
		_, err := o.w.Write(p)
		return err
	}
	written := make(chan error, 1)
	text := bytes.Clone(p) // which an abandoned write still reads
	go func() {
		_, err := o.w.Write(text)
		written <- err
	}()
	select {
	case err := <-written:
		return err
	case <-o.abandoned:
	}
	select {
	case err := <-written:
		return err
	case <-time.After(lastWrite):
		return errAbandoned
	}
}

// abandonAfter ends writes to the streams that wait for a reader, once done is closed.
func abandonAfter(done <-chan struct{}, streams ...io.Writer) {
	for _, w := range streams {
		if o, ok := w.(*output); ok {
			o.abandoned = done
		}
	}
}

// unwritten returns why a stream can no longer be written to, or nil if it can.
func unwritten(w io.Writer) error {
	o, ok := w.(*output)
	if !ok {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func nobodyReads(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, errAbandoned)
}

// unwrittenText returns why outcomes can no longer be written.
func unwrittenText(err error) string {
	if nobodyReads(err) {
		return "standard output was closed"
	}
	return "the outcomes cannot be written: " + textutil.OneLine(err.Error())
}

// line writes a line that is safe for a terminal, whatever a file's name or a response has in it. On
// a narrow terminal it is broken between words, with the same indent. The [output] behind w keeps an
// error.
func line(w io.Writer, format string, args ...any) {
	text := safeText(fmt.Sprintf(format, args...))
	terminal := terminalOf(w)
	if terminal == nil {
		_, _ = fmt.Fprintln(w, text)
		return
	}
	columns, _ := sizeOf(terminal)
	_, _ = fmt.Fprintln(w, strings.Join(wrap(text, columns), "\n"))
}

// safeText makes text safe for a terminal: characters that are not visible, such as escape
// sequences and marks of direction, become spaces.
func safeText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, text)
}

// terminalOf returns the terminal behind a stream, or nil.
func terminalOf(stream any) *os.File {
	if out, ok := stream.(*output); ok {
		stream = out.w
	}
	file, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return file
}

// sizeOf returns a terminal's columns and rows, 80 and 24 if they are not known.
func sizeOf(terminal *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(terminal.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}
