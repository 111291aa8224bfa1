package sqlite

import (
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
)

// networkFileSystems are the magic numbers of NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS, Lustre and
// GPFS.
var networkFileSystems = [...]uint32{0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x00C36400, 0x5346414F, 0x0BD00BD0, 0x47504653}

// onNetwork reports whether a path is on a file system that other machines share.
func onNetwork(path string) bool {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &stat); err != nil {
		return false
	}
	return slices.Contains(networkFileSystems[:], uint32(stat.Type)) //nolint:gosec // the number has 32 bits
}

// hardLinks counts the names of a file.
func hardLinks(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // it is smaller elsewhere
	}
	return 1
}
