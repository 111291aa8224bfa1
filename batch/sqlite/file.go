package sqlite

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

var (
	errNoLedger = errors.New("is not an unsend ledger; it is unchanged: name another file")
	errInUse    = errors.New("is in use by another process; wait until that has ended")
)

// ledgerFile is the file of a ledger that is open for a run. It is locked, and examined before and
// after each commit, so that a change by another program is noticed. Methods of a nil one, that of a
// private ledger, do nothing.
type ledgerFile struct {
	target  string // the path behind all symbolic links
	lock    io.Closer
	inode   fs.FileInfo // which file it is
	created bool        // this process created it, and it was empty when it was locked
	seen    fs.FileInfo // the file, as this process left it
	log     fs.FileInfo // the write-ahead log, as this process left it; nil if there is none
	noLog   bool        // when the file was locked its log was missing
}

// openFiles are the files that this process has locked. No other descriptor of them is opened, since
// closing it would drop all fcntl locks of the process on the file, including SQLite's.
var openFiles struct {
	sync.Mutex
	list []*ledgerFile
}

// isOpenHere reports whether this process works on the file.
func isOpenHere(info fs.FileInfo) bool {
	openFiles.Lock()
	defer openFiles.Unlock()
	return isOpenHereLocked(info)
}

func isOpenHereLocked(info fs.FileInfo) bool {
	return slices.ContainsFunc(openFiles.list, func(f *ledgerFile) bool { return os.SameFile(f.inode, info) })
}

// openLedgerFile locks the file of a path. If there is none it creates an empty one, if create is true.
func openLedgerFile(path string, create bool) (*ledgerFile, error) {
	for {
		f, err := tryLedgerFile(path, create)
		if err != nil {
			return nil, err
		}
		// The process that created it may have removed it before it was locked here.
		if now, err := os.Stat(path); err == nil && os.SameFile(now, f.seen) {
			return f, nil
		}
		_ = f.unlock()
	}
}

func tryLedgerFile(path string, create bool) (*ledgerFile, error) {
	created := false
	info, err := os.Stat(path)
	if create && errors.Is(err, os.ErrNotExist) {
		info, created, err = createFile(path)
	}
	switch {
	case err != nil:
		return nil, cannotOpen(errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return nil, errNoLedger
	case hardLinks(info) > 1:
		return nil, errors.New("has a second name (a hard link), and its log belongs to one of them; remove the other name, or copy the file")
	}
	target, err := realPath(path)
	if err != nil {
		return nil, cannotOpen(err)
	}
	f := &ledgerFile{target: target, inode: info}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	f.created = created && f.seen.Size() == 0
	if err := f.inspect(); err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	return f, nil
}

func cannotOpen(err error) error {
	return fmt.Errorf("cannot be opened: %w; check its folder and the permissions", err)
}

// acquire takes the lock, unless this process has it already.
func (f *ledgerFile) acquire() error {
	openFiles.Lock()
	defer openFiles.Unlock()
	if isOpenHereLocked(f.inode) {
		return errInUse
	}
	lock, info, err := lockFile(f.target)
	if errors.Is(err, errInUse) {
		return err
	}
	if err != nil {
		return cannotOpen(errors.Unwrap(err))
	}
	f.lock, f.inode, f.seen = lock, info, info
	openFiles.list = append(openFiles.list, f)
	return nil
}

// unlock releases the lock. All of SQLite's descriptors must be closed.
func (f *ledgerFile) unlock() error {
	if f == nil || f.lock == nil {
		return nil
	}
	openFiles.Lock()
	defer openFiles.Unlock()
	openFiles.list = slices.DeleteFunc(openFiles.list, func(other *ledgerFile) bool { return other == f })
	err := f.lock.Close()
	f.lock = nil
	return err
}

// inspect refuses a file that is not a ledger. It does not use SQLite, which could change another
// program's database by rolling back a transaction.
func (f *ledgerFile) inspect() error {
	if f.isBlank() {
		return nil
	}
	file, ok := f.lock.(io.ReaderAt) // the one descriptor of it
	if !ok {
		opened, err := os.Open(f.target)
		if err != nil {
			return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
		}
		defer func() { _ = opened.Close() }()
		file = opened
	}
	header := make([]byte, 72)
	if n, err := file.ReadAt(header, 0); err != nil && n == 0 {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) || binary.BigEndian.Uint32(header[68:]) != applicationID {
		return errNoLedger
	}
	f.noLog = lacksLog(file, f.target)
	return nil
}

// lacksLog reports whether a file should have a write-ahead log, and has none.
func lacksLog(file io.ReaderAt, target string) bool {
	var mode [1]byte
	_, _ = file.ReadAt(mode[:], 18) // SQLite would report an error
	_, err := os.Stat(target + "-wal")
	return mode[0] == 2 && errors.Is(err, os.ErrNotExist)
}

// errLostLog returns the error of a file whose run was killed, and whose log is missing.
func errLostLog(target string) error {
	name := filepath.Base(target)
	return fmt.Errorf("lacks its newest part, %s-wal, which was deleted or not copied with it; put it beside %s, or delete %s and begin again", name, name, name)
}

// isBlank reports whether the file is no ledger yet: it is empty, or the power was cut while it was
// made one, so that its journal says that it had no page.
func (f *ledgerFile) isBlank() bool {
	if f.seen.Size() == 0 {
		return true
	}
	journal, err := os.ReadFile(f.target + "-journal")
	const magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	return err == nil && len(journal) >= 20 && bytes.HasPrefix(journal, []byte(magic)) && binary.BigEndian.Uint32(journal[16:]) == 0
}

func createFile(path string) (info fs.FileInfo, created bool, err error) {
	const flags = os.O_RDWR | os.O_CREATE
	file, err := os.OpenFile(path, flags|os.O_EXCL, 0o600) //nolint:gosec // whoever opens the ledger names it
	created = err == nil
	if errors.Is(err, os.ErrExist) { // another process was faster, or it is a dangling symbolic link
		file, err = os.OpenFile(path, flags, 0o600) //nolint:gosec // the same
	}
	if err != nil {
		return nil, false, err
	}
	info, err = file.Stat()
	return info, created, cmp.Or(err, file.Close())
}

// remove removes the ledger, which must be locked, unless another file has taken its path.
func (f *ledgerFile) remove() {
	if _, err := f.current(); err != nil {
		return
	}
	for _, suffix := range []string{"-journal", "-wal", "-shm", ""} {
		_ = os.Remove(f.target + suffix)
	}
}

// current returns the file's state, or an error if another file has taken its path.
func (f *ledgerFile) current() (fs.FileInfo, error) {
	now, err := os.Stat(f.target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is gone (%w): it was deleted or moved while it was in use", errors.Unwrap(err))
	case !os.SameFile(now, f.seen):
		return nil, errors.New("was replaced by another file while it was in use")
	}
	return now, nil
}

// remember takes note of a change to the file by this process.
func (f *ledgerFile) remember() (err error) {
	if f != nil {
		f.seen, err = f.current()
	}
	return err
}

// unchanged returns an error if another program has deleted, moved, replaced, cut or written the file
// or its log. The newest part of the record may then be lost.
func (f *ledgerFile) unchanged() error {
	if f == nil {
		return nil
	}
	now, err := f.current()
	if err != nil {
		return err
	}
	if now.Size() != f.seen.Size() || !now.ModTime().Equal(f.seen.ModTime()) {
		return errors.New("was changed by another program while it was in use; look at it before you continue")
	}
	log, _ := os.Stat(f.target + "-wal") // nil if there is none
	switch {
	case log == nil && f.log != nil:
		return fmt.Errorf("has lost its newest part, %s-wal: it was deleted while it was in use", filepath.Base(f.target))
	case log != nil && f.log != nil && (!os.SameFile(log, f.log) || log.Size() < f.log.Size()):
		return fmt.Errorf("has lost its newest part: %s-wal was replaced or cut while it was in use", filepath.Base(f.target))
	}
	f.log = log
	return nil
}
