package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileLock is a lock of an open file description, which closing other descriptors does not drop. It
// is on one byte, far behind those that SQLite locks.
type fileLock struct{ *os.File }

func (l fileLock) set(kind int16) error {
	return unix.FcntlFlock(l.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: 1 << 62, Len: 1})
}

// Close releases the lock before the descriptor, since a process that this program is starting may
// have a copy of the descriptor for a moment.
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

// magicWarnings maps the magic numbers of file systems to warnings.
var magicWarnings = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  networkWarning,
	unix.SMB_SUPER_MAGIC:  networkWarning,
	unix.CIFS_SUPER_MAGIC: networkWarning,
	unix.SMB2_SUPER_MAGIC: networkWarning,
	unix.V9FS_MAGIC:       networkWarning,
	unix.CEPH_SUPER_MAGIC: networkWarning,
	unix.AFS_SUPER_MAGIC:  networkWarning,
	0x0BD00BD0:            networkWarning, // Lustre
	0x47504653:            networkWarning, // GPFS
	unix.FUSE_SUPER_MAGIC: fuseWarning,    // sshfs, gcsfuse, virtiofs and others
}

func fileSystemWarning(path string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err == nil {
		if warning := magicWarnings[uint32(stat.Type)]; warning != "" { //nolint:gosec // the number has 32 bits
			return warning
		}
	}
	if isMountPoint(path) {
		return mountWarning
	}
	return ""
}

// isMountPoint reports whether something is mounted at the path itself.
func isMountPoint(path string) bool {
	var stat unix.Statx_t
	return unix.Statx(unix.AT_FDCWD, path, 0, 0, &stat) == nil && stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}
