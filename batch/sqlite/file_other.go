//go:build !unix

package sqlite

import "io/fs"

// hardLinks is not asked for here.
func hardLinks(fs.FileInfo) uint64 { return 1 }
