package main

import (
	"os"

	"golang.org/x/term"
)

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
