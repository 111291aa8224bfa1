package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropTyped discards what was typed but not read yet.
func dropTyped(terminal *os.File) {
	_ = unix.IoctlSetInt(int(terminal.Fd()), unix.TCFLSH, unix.TCIFLUSH) // a terminal that refuses keeps its input
}
