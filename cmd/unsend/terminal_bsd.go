//go:build !linux && !windows

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropTyped discards what was typed but not read yet.
func dropTyped(terminal *os.File) {
	const input = 1                                                        // FREAD
	_ = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCFLUSH, input) // a terminal that refuses keeps its input
}
