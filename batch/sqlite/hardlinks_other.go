//go:build !unix

package sqlite

import "io/fs"

// hardLinks counts no other names on these systems.
func hardLinks(fs.FileInfo) uint64 { return 1 }
