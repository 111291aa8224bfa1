package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableSequences asks a console to carry out escape sequences, which older ones do only when
// they are asked.
func enableSequences(console *os.File) bool {
	handle := windows.Handle(console.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(handle, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
