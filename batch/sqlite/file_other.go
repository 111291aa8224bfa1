//go:build !unix

package sqlite

import "io/fs"

// onNetwork is not known here.
func onNetwork(string) bool { return false }

// hardLinks is not asked for here.
func hardLinks(fs.FileInfo) uint64 { return 1 }
