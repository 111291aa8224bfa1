//go:build !windows

package main

import "os"

// enableSequences does nothing: all terminals but those of Windows process escape sequences.
func enableSequences(*os.File) bool { return true }
