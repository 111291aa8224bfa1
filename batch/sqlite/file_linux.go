package sqlite

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileLock is a lock of an open file description, which other descriptors of the file do not drop.
// Its byte, far behind any that SQLite locks, is nobody else's.
type fileLock struct{ *os.File }

func (l fileLock) set(kind int16) error {
	return unix.FcntlFlock(l.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: 1 << 62, Len: 1})
}

// Close releases the lock before the descriptor, of which a process that is being started
// elsewhere in this program may have a copy for a moment.
func (l fileLock) Close() error { return errors.Join(l.set(unix.F_UNLCK), l.File.Close()) }

// lockFile locks the inode behind a path, under whatever name or mount another process opens it.
func lockFile(target string) (fileLock, fs.FileInfo, error) {
	file, err := os.OpenFile(target, os.O_RDWR, 0) //nolint:gosec // whoever opens the ledger names it
	if err != nil {
		return fileLock{}, nil, err
	}
	lock := fileLock{file}
	info, err := file.Stat()
	if err == nil {
		err = lock.set(unix.F_WRLCK)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			err = errInUse
		} else if err != nil {
			err = &os.PathError{Op: "lock", Path: target, Err: err}
		}
	}
	if err != nil {
		_ = file.Close()
		return fileLock{}, nil, err
	}
	return lock, info, nil
}

const (
	networkWarning = "the ledger is on a network file system, which may not keep its promises on locks and syncs; a local disk is safer"
	fuseWarning    = "the ledger is on a file system in user space (FUSE), which may not keep its promises on locks and syncs; a local disk is safer"
	mountWarning   = "the ledger is mounted as a single file: while a run is active its newest part is in another file beside the mount; mount its folder"
)

// networkFileSystems are the magic numbers of NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS, Lustre and
// GPFS.
var networkFileSystems = [...]uint32{0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x00C36400, 0x5346414F, 0x0BD00BD0, 0x47504653}

// fuseFileSystem is that of sshfs, gcsfuse, virtiofs and others.
const fuseFileSystem = 0x65735546

func fileSystemWarning(path string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err == nil {
		switch magic := uint32(stat.Type); { //nolint:gosec // the number has 32 bits
		case slices.Contains(networkFileSystems[:], magic):
			return networkWarning
		case magic == fuseFileSystem:
			return fuseWarning
		}
	}
	if isMountPoint(path) {
		return mountWarning
	}
	return ""
}

// isMountPoint reports whether something is mounted at the path itself.
func isMountPoint(path string) bool {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer func() { _ = mounts.Close() }()
	escaped := strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(filepath.Clean(path))
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && fields[4] == escaped {
			return true
		}
	}
	return false
}
