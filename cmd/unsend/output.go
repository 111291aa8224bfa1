package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// output is standard output. It remembers its first failure and writes nothing after it, so
// that a command can write as it goes and ask once.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// unwritten is why a stream takes nothing any more; nil where it does.
func unwritten(w io.Writer) error {
	if o, ok := w.(*output); ok {
		return o.err
	}
	return nil
}

// line writes one line, whatever a file's name or a server's answer may have put into it. That
// it could not be written is seen by the [output] behind w.
func line(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintln(w, safeText(fmt.Sprintf(format, args...)))
}

// safeText makes text safe for a terminal: whatever is no visible character, such as an escape
// sequence or a mark that turns the direction of writing around, becomes a space.
func safeText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, text)
}

// oneLine is safe text without line breaks and runs of blanks.
func oneLine(text string) string { return strings.Join(strings.Fields(safeText(text)), " ") }

// terminalOf is the terminal that a stream is, or nil.
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

// drawable reports whether a terminal can be drawn on, and not only written to.
func drawable(terminal *os.File) bool {
	return terminal != nil && os.Getenv("TERM") != "dumb" && enableSequences(terminal)
}

// sizeOf is how many columns and rows a terminal has, 80 and 24 where it does not say.
func sizeOf(terminal *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(terminal.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}
