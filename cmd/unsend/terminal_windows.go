package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableSequences makes a console process escape sequences, which older ones do only on request.
func enableSequences(console *os.File) bool {
	handle := windows.Handle(console.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(handle, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// dropTyped discards what was typed but not read yet.
func dropTyped(console *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(console.Fd())) // a console that refuses keeps its input
}
