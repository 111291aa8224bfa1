//go:build unix && !linux

package sqlite

import (
	"io/fs"
	"syscall"
)

// onNetwork is not known here.
func onNetwork(string) bool { return false }

// hardLinks counts the names of a file.
func hardLinks(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // it is smaller elsewhere
	}
	return 1
}
