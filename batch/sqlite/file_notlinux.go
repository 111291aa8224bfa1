//go:build !linux

package sqlite

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

type fileLock struct{ *flock.Flock }

func (l fileLock) Close() error { return l.Unlock() }

// lockFile locks a file beside the ledger, since on BSD and macOS a lock on the ledger itself would
// block readers in other processes. It never removes that file, which would be a race.
func lockFile(target string) (fileLock, fs.FileInfo, error) {
	lock := flock.New(target+".lock", flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		err = errInUse
	}
	if err != nil && errors.Unwrap(err) == nil && !errors.Is(err, errInUse) {
		err = &os.PathError{Op: "lock", Path: target, Err: err}
	}
	if err != nil {
		return fileLock{}, nil, err
	}
	info, err := os.Stat(target)
	if err != nil {
		err = errors.Join(err, lock.Unlock())
	}
	return fileLock{lock}, info, err
}

// fileSystemWarning finds nothing on these systems.
func fileSystemWarning(string) string { return "" }
