package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/batch"
)

// reader is a ledger that is open for reading only. Each read opens a connection and closes it, so
// that a slow reader blocks no process, and leaves no file behind.
type reader struct {
	store

	target string // the path behind all symbolic links
}

func (r *reader) open(want batch.StoreOptions) (err error) {
	if _, err := os.Stat(r.path); err != nil {
		return fmt.Errorf("%w %s %w", batch.ErrLedger, r.path, cannotOpen(errors.Unwrap(err)))
	}
	if r.target, err = realPath(r.path); err != nil {
		return err
	}
	r.readWith = r.look
	return r.look(func(db *sqlite.Conn) error { return r.verify(db, want) })
}

const (
	maxLooks = 20
	lookWait = 20 * time.Millisecond
)

// look calls f with a connection. Without a log it reads the file without a lock, and again if a
// process has begun to work on it meanwhile. With a log it reads both, and does not write the log's
// index, which belongs to the process that works on the ledger.
func (r *reader) look(f func(*sqlite.Conn) error) (err error) {
	for range maxLooks {
		before := r.files()
		uri := url.URL{Scheme: "file", Path: r.target, RawQuery: before.query()}
		var db *sqlite.Conn
		if db, err = openConn(uri.String(), sqlite.OpenReadOnly|sqlite.OpenURI); err == nil {
			_ = exec(db, "PRAGMA temp_store = MEMORY", nil)
			err = errors.Join(f(db), r.checkLog(db, before), db.Close())
		}
		if before.log != nil && before.index == nil {
			_ = os.Remove(r.target + "-shm") // this read made it: no process works on the ledger
		}
		code := sqlite.ErrCode(err).ToPrimary()
		hindered := code == sqlite.ResultCantOpen || code == sqlite.ResultReadOnly || code == sqlite.ResultBusy
		if !before.differ(r.files()) && !hindered {
			return err
		}
		time.Sleep(lookWait) //nolint:forbidigo // nothing can be waited for in another process
	}
	if info, failed := os.Stat(r.target + "-journal"); failed == nil && info.Size() > 0 {
		return errors.New("was being changed when a program was killed; run unsend batch on it, which repairs it, then read it")
	}
	return err
}

// checkLog returns an error if the log is missing, as beside a copy of the file alone.
func (r *reader) checkLog(db *sqlite.Conn, files ledgerFiles) error {
	if files.log != nil || files.file == nil || isOpenHere(files.file) {
		return nil
	}
	file, err := os.Open(r.target)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	state := atRest
	if lacksLog(file, r.target) {
		err = exec(db, readRunning, func(row *sqlite.Stmt) { state = row.ColumnInt(0) })
	}
	if state == runningInLog {
		return errLostLog(r.target)
	}
	return err
}

// ledgerFiles are the files of a ledger at one moment, each nil if it is missing.
type ledgerFiles struct{ file, log, index, journal fs.FileInfo }

func (r *reader) files() ledgerFiles {
	stat := func(suffix string) fs.FileInfo {
		info, err := os.Stat(r.target + suffix)
		if err != nil || suffix != "" && info.Size() == 0 {
			return nil
		}
		return info
	}
	return ledgerFiles{file: stat(""), log: stat("-wal"), index: stat("-shm"), journal: stat("-journal")}
}

// query returns the parameters with which SQLite opens them.
func (l ledgerFiles) query() string {
	switch {
	case l.file != nil && isOpenHere(l.file): // closing an unlocked read would drop this process's locks
		return "mode=ro"
	case l.log == nil && l.journal == nil:
		return "immutable=1"
	case l.index == nil: // SQLite makes one, as for a copy
		return "mode=ro"
	}
	return "mode=ro&readonly_shm=1"
}

// differ reports whether a read without a lock may have mixed two states.
func (l ledgerFiles) differ(after ledgerFiles) bool {
	if l.query() != after.query() {
		return true
	}
	return l.index == nil && (changed(l.file, after.file) || changed(l.log, after.log))
}

func changed(before, after fs.FileInfo) bool {
	if before == nil || after == nil {
		return before != after
	}
	return !os.SameFile(before, after) || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime())
}
