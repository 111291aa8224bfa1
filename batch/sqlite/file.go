package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

var errNoLedger = errors.New("is no ledger of this program; it was left as it is: name another file")

// ledgerFile is the file under a ledger that is open for a run: locked, and looked at again and
// again, so that anybody else's hand on it is noticed. A nil one, of a ledger that nobody else
// knows or that is only read, is neither.
type ledgerFile struct {
	target string // the path behind all symbolic links
	lock   *flock.Flock
	seen   fs.FileInfo // as we left it
}

// lockLedgerFile locks the file of a path, and makes an empty one where there is none.
func lockLedgerFile(path string) (*ledgerFile, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		// Made before it is locked, since a symbolic link that leads to nothing does not
		// say what the lock's name is.
		info, err = makeFile(path)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be opened: %w", errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return nil, errNoLedger
	case hardLinks(info) > 1:
		return nil, errors.New("has a second name (a hard link), under which another process could work on it unseen; remove the other name, or copy the file")
	}
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		target, err = filepath.Abs(target)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot be opened: %w", err)
	}
	_, unlocked := os.Lstat(target + ".lock")
	lock := flock.New(target+".lock", flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be locked: %w", errors.Unwrap(err))
	case !ok:
		return nil, errors.New("is in use by another process; wait until that has ended")
	}
	f := &ledgerFile{target: target, lock: lock, seen: info}
	if err := f.inspect(); err != nil {
		if unlocked != nil {
			_ = os.Remove(lock.Path()) // nobody had one, and nobody needs one
		}
		return nil, errors.Join(err, lock.Unlock())
	}
	return f, nil
}

// inspect refuses what is no ledger. SQLite is not asked, since it may change what another
// program has left in a database of its own.
func (f *ledgerFile) inspect() error {
	if err := f.remember(); err != nil || f.seen.Size() == 0 {
		return err
	}
	file, err := os.Open(f.target)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	defer func() { _ = file.Close() }()
	header := make([]byte, 72)
	if n, err := io.ReadFull(file, header); err != nil && n == 0 {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) || binary.BigEndian.Uint32(header[68:]) != applicationID {
		return errNoLedger
	}
	return nil
}

func makeFile(path string) (fs.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // whoever opens the ledger names it
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	return info, errors.Join(err, file.Close())
}

// look returns what the file is now, which must still be the same.
func (f *ledgerFile) look() (fs.FileInfo, error) {
	now, err := os.Stat(f.target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is gone (%w): it was deleted or moved while it was in use", errors.Unwrap(err))
	case !os.SameFile(now, f.seen):
		return nil, errors.New("was replaced by another file while it was in use")
	}
	return now, nil
}

// remember is called after we have changed the file.
func (f *ledgerFile) remember() (err error) {
	if f != nil {
		f.seen, err = f.look()
	}
	return err
}

// unchanged returns an error where the file is not as it was left: deleted, moved, replaced, or
// written by somebody else. What was recorded since may then be lost.
func (f *ledgerFile) unchanged() error {
	if f == nil {
		return nil
	}
	now, err := f.look()
	if err != nil {
		return err
	}
	if now.Size() != f.seen.Size() || !now.ModTime().Equal(f.seen.ModTime()) {
		return errors.New("was changed by another program while it was in use; look at it before going on")
	}
	if _, err := os.Stat(f.target + "-wal"); err != nil {
		return fmt.Errorf("has lost its newest part, %s-wal: it was deleted while it was in use", filepath.Base(f.target))
	}
	return nil
}

func (f *ledgerFile) unlock() error {
	if f == nil {
		return nil
	}
	return f.lock.Unlock()
}

// warning says what makes the file less safe than it should be.
func (f *ledgerFile) warning() string {
	if f == nil || !onNetwork(f.target) {
		return ""
	}
	return "the ledger is on a network file system, where locks and syncs are not always what they say; a local disk is safer"
}
