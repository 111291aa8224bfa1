package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

var errNoLedger = errors.New("is no ledger of this program; it was left as it is: name another file")

// ledgerFile is the file under a ledger: its lock, and what the ledger knows of it, so that
// anybody else's hand on it is noticed.
type ledgerFile struct {
	real    string       // the path behind all symbolic links
	lock    *flock.Flock // nil for one that is only read, or private
	file    *os.File     // open for as long as SQLite has it open: closing it drops SQLite's own locks
	empty   bool         // it is new
	created bool         // here and now
	locked  bool         // the lock's file is new, too
	refused bool         // it is no ledger of ours: what was made for it is to go

	header   []byte // of the file when it was last seen
	size     int64
	modified time.Time
}

const sqliteMagic = "SQLite format 3\x00"

// openLedgerFile locks the file and looks at it, without changing it. A private one has no lock
// and may lose its name.
func openLedgerFile(path string, private bool) (*ledgerFile, error) {
	real, err := realPath(path)
	if err != nil {
		return nil, err
	}
	f := &ledgerFile{real: real}
	if !private {
		if err := f.takeLock(); err != nil {
			return nil, err
		}
	}
	if err := f.open(); err != nil {
		f.refused = true
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *ledgerFile) takeLock() error {
	name := f.real + ".lock"
	_, err := os.Lstat(name)
	f.locked = errors.Is(err, os.ErrNotExist)
	lock := flock.New(name, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return fmt.Errorf("cannot be locked: %w", errors.Unwrap(err))
	case !ok:
		return errors.New("is in use by another process; wait until that has ended")
	}
	f.lock = lock
	return nil
}

func (f *ledgerFile) open() error {
	info, err := os.Stat(f.real)
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.created = true
		f.file, err = os.OpenFile(f.real, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("cannot be created: %w", errors.Unwrap(err))
		}
	case err != nil:
		return fmt.Errorf("cannot be opened: %w", errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return errNoLedger
	case hardLinks(info) > 1:
		return errors.New("has a second name (a hard link), under which another process could work on it unseen; remove the other name, or copy the file")
	default:
		f.file, err = os.OpenFile(f.real, os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("cannot be written: %w", errors.Unwrap(err))
		}
	}
	if err := f.remember(); err != nil {
		return err
	}
	f.empty = f.size == 0
	if !f.empty && !f.isLedger() {
		return errNoLedger
	}
	return nil
}

// isLedger reports whether the header is that of a SQLite file with our application id.
func (f *ledgerFile) isLedger() bool {
	id := []byte{applicationID >> 24 & 0xff, applicationID >> 16 & 0xff, applicationID >> 8 & 0xff, applicationID & 0xff}
	return len(f.header) == 100 && string(f.header[:16]) == sqliteMagic && bytes.Equal(f.header[68:72], id)
}

// remember looks at the file, after we have changed it.
func (f *ledgerFile) remember() error {
	if f.file == nil {
		return nil
	}
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	f.size, f.modified = info.Size(), info.ModTime()
	header := make([]byte, 100)
	n, err := f.file.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	f.header = header[:n]
	return nil
}

// unchanged returns an error where the file is not as it was left: deleted, moved, replaced, or
// written by somebody else. What was recorded since may then be lost.
func (f *ledgerFile) unchanged() error {
	if f.lock == nil {
		return nil
	}
	now, err := os.Stat(f.real)
	if err != nil {
		return fmt.Errorf("is gone (%w): it was deleted or moved while it was in use", errors.Unwrap(err))
	}
	then, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	if !os.SameFile(now, then) {
		return errors.New("was replaced by another file while it was in use")
	}
	if now.Size() != f.size || !now.ModTime().Equal(f.modified) {
		return errors.New("was changed by another program while it was in use; look at it before going on")
	}
	if _, err := os.Stat(f.real + "-wal"); err != nil {
		return fmt.Errorf("has lost its newest part, %s-wal: it was deleted while it was in use", filepath.Base(f.real))
	}
	return nil
}

// close comes after SQLite has closed the file.
func (f *ledgerFile) close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	if f.refused && f.created {
		_ = os.Remove(f.real) // nothing was kept in it
	}
	if f.lock == nil {
		return err
	}
	if f.refused && f.locked {
		_ = os.Remove(f.lock.Path())
	}
	return errors.Join(err, f.lock.Unlock())
}

// warning says what makes the file less safe than it should be.
func (f *ledgerFile) warning() string {
	if f.lock == nil || !onNetwork(f.real) {
		return ""
	}
	return "the ledger is on a network file system, where locks and syncs are not always what they say; a local disk is safer"
}

// realPath resolves all symbolic links, the last of them also where it leads to nothing yet.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range 40 {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("cannot be opened: its folder: %w", errors.Unwrap(err))
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}
