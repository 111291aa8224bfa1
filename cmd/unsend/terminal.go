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

// drawable says whether a terminal can be drawn on, and not only written to.
func drawable(terminal *os.File) bool {
	return terminal != nil && os.Getenv("TERM") != "dumb" && enableSequences(terminal)
}

// columns is how wide a terminal is, 80 where it does not say.
func columns(terminal *os.File) int {
	width, _, err := term.GetSize(int(terminal.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
