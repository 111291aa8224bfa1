package sqlite

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
)

//go:embed schema.sql
var schema string

const (
	applicationID = 0x756E7364 // "unsd"
	schemaVersion = 2
)

// checkpointEvery is the number of entries between two checkpoints, which move the write-ahead log
// into the file.
const checkpointEvery = 4096

// store is a SQLite file that one process works on, and others may read.
type store struct {
	path    string
	service string
	file    *ledgerFile // nil if the ledger is private, or open for reading only

	write   sync.Mutex   // a connection does one thing at a time
	db      *sqlite.Conn // nil if the ledger is closed, or open for reading only
	wal     bool         // the file has a write-ahead log, since something was added or a run has begun
	written int          // entries since the last checkpoint
	claimed bool         // the run has claimed its connections
	begun   bool         // a run has begun
	broken  error        // another program cut a file that SQLite has mapped: nothing works any more

	reads    sync.Mutex
	reader   *sqlite.Conn                           // for reads that must not wait for a sync; nil if one connection does all
	readWith func(f func(*sqlite.Conn) error) error // calls f with a connection; nil unless the ledger is open for reading only

	kept atomic.Pointer[string] // the warning that a reader keeps the log from being moved into the file
}

func (s *store) Name() string    { return s.path }
func (s *store) Service() string { return s.service }
func (s *store) Shared() bool    { return false }

func (s *store) Warning() string {
	if kept := s.kept.Load(); kept != nil {
		return *kept
	}
	if s.file == nil {
		return ""
	}
	return fileSystemWarning(s.file.target)
}

// exec runs a statement on a connection whose mutex the caller holds, and calls each, unless it is
// nil, with each row.
func exec(db *sqlite.Conn, text string, each func(*sqlite.Stmt), args ...any) error {
	return guard(func() error {
		return sqlitex.Execute(db, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
			if each != nil {
				each(row)
			}
			return nil
		}})
	})
}

// execAll runs statements without rows, until one fails.
func execAll(db *sqlite.Conn, texts ...string) error {
	for _, text := range texts {
		if err := exec(db, text, nil); err != nil {
			return err
		}
	}
	return nil
}

// guard calls f, and returns an error if it reads a mapped file that another program has cut.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			if _, ok := fault.(interface{ Addr() uintptr }); !ok {
				panic(fault)
			}
			err = errCut
		}
	}()
	return f()
}

var errCut = errors.New("was cut by another program while it was in use (its -shm); run it again")

// transaction runs f in a transaction, which is synced when it returns without an error, and rolled
// back if f fails or panics.
func (s *store) transaction(f func() error) (err error) {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	// Look before writing, too: a log that was cut grows to its old length again.
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	defer func() {
		if s.broken == nil && !s.db.AutocommitEnabled() {
			_ = exec(s.db, "ROLLBACK", nil) // err explains more
			if !s.wal {                     // the file's time has changed
				_ = s.file.remember()
			}
		}
	}()
	err = exec(s.db, "BEGIN IMMEDIATE", nil)
	if err == nil {
		err = f()
	}
	checkpoint := s.wal && s.written >= checkpointEvery
	if err == nil && checkpoint {
		err = exec(s.db, fmt.Sprintf(setRunning, runningInLog), nil)
	}
	if err == nil {
		err = exec(s.db, "COMMIT", nil)
	}
	if errors.Is(err, errCut) {
		s.broken = err
	}
	if err != nil {
		return s.explain(err)
	}
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	if !checkpoint {
		return nil
	}
	s.written = 0
	if err = s.checkpoint("PASSIVE"); err == nil {
		err = exec(s.db, fmt.Sprintf(setRunning, running), nil)
	}
	return s.explain(err)
}

func (s *store) usable() error {
	switch {
	case s.broken != nil:
		return s.explain(s.broken)
	case s.readWith != nil:
		return fmt.Errorf("%w %s is open for reading only", batch.ErrLedger, s.path)
	case s.db == nil:
		return fmt.Errorf("%w %s is closed", batch.ErrLedger, s.path)
	}
	return nil
}

// enterWAL gives the file a write-ahead log, so that others can read during a run.
func (s *store) enterWAL() error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil || s.wal || s.reader == nil {
		return err
	}
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	err := exec(s.db, "PRAGMA journal_mode = WAL", nil)
	if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultBusy || code == sqlite.ResultLocked {
		err = errors.New("is being read by another program with an open transaction, such as a database browser; close that, then run it again")
	}
	s.wal = err == nil
	err = cmp.Or(err, s.file.remember()) // even a failure may have changed the file
	// Each connection opens the log now, since a private ledger is about to lose its name.
	for _, db := range []*sqlite.Conn{s.db, s.reader} {
		if err == nil {
			err = exec(db, readService, nil)
		}
	}
	return s.explain(err)
}

// checkpoint moves the log into the file. Nothing else changes the file while the ledger is open, so
// that a change by another program is noticed. TRUNCATE also empties the log, unless a reader uses it.
func (s *store) checkpoint(mode string) error {
	s.reads.Lock() // during a read SQLite cannot begin the log anew
	defer s.reads.Unlock()
	busy := false
	if mode == "TRUNCATE" {
		s.db.SetBusyTimeout(shortTimeout)
		defer s.db.SetBusyTimeout(busyTimeout)
	}
	err := exec(s.db, "PRAGMA wal_checkpoint("+mode+")", func(row *sqlite.Stmt) { busy = row.ColumnBool(0) })
	if s.file == nil {
		return err
	}
	if err != nil { // a part may have been written before the disk was full
		return cmp.Or(err, s.file.remember())
	}
	if mode == "TRUNCATE" {
		s.kept.Store(nil)
		s.file.log = nil
		if busy {
			name := filepath.Base(s.file.target)
			text := fmt.Sprintf("another program is reading the ledger: its newest part is in %s-wal until the next run; keep that file beside %s", name, name)
			s.kept.Store(&text)
		}
	}
	return s.file.remember()
}

const (
	readService = "SELECT service FROM ledger"
	readRunning = "SELECT running FROM ledger"
	setRunning  = "UPDATE ledger SET running = %d WHERE running <> 0"
)

// Values of the column running. During a run the file has runningInLog and the log has running. So a
// file alone with runningInLog lacks its log, and one with running lacks nothing: another program, as
// sqlite3 does after a kill, has moved the log into it.
const (
	atRest = iota
	runningInLog
	running
)

const shortTimeout = 500 * time.Millisecond

// leaveWAL makes the ledger one file. The connection for reading must be closed.
func (s *store) leaveWAL() error {
	if !s.wal || s.file == nil {
		return nil
	}
	if err := s.file.unchanged(); err != nil {
		return err
	}
	err := s.checkpoint("TRUNCATE")
	for range 20 { // wait for readers of this program, which take less than a second
		if err != nil || s.kept.Load() != nil {
			break
		}
		mode := ""
		err = exec(s.db, "PRAGMA journal_mode = DELETE", func(row *sqlite.Stmt) { mode = row.ColumnText(0) })
		if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultBusy || code == sqlite.ResultLocked {
			err = nil // another program has it open, and removes the empty log when it closes it
		}
		if mode == "delete" {
			break
		}
		time.Sleep(shortTimeout / 10) //nolint:forbidigo // SQLite calls no busy handler here
	}
	return err
}

// query calls f with a connection for reading.
func (s *store) query(f func(*sqlite.Conn) error) error {
	if s.readWith != nil {
		return s.explain(s.readWith(f))
	}
	s.reads.Lock()
	if s.reader != nil {
		defer s.reads.Unlock()
		return s.explain(f(s.reader))
	}
	s.reads.Unlock()
	s.write.Lock() // one connection does all, or all is closed
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	return s.explain(f(s.db))
}

// read calls each with every row of a query.
func (s *store) read(text string, each func(*sqlite.Stmt), args ...any) error {
	return s.query(func(db *sqlite.Conn) error { return exec(db, text, each, args...) })
}

// explain turns an error of SQLite into one that names the ledger and what to do.
func (s *store) explain(err error) error {
	if err == nil {
		return nil
	}
	for _, clear := range []error{batch.ErrLedger, batch.ErrOptions, batch.ErrInput, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, clear) {
			return err
		}
	}
	reason := ""
	code := sqlite.ErrCode(err) // ResultError of an error that is not SQLite's
	kind := code.ToPrimary()
	if code == sqlite.ResultIOErrSHMSize {
		kind = sqlite.ResultFull // no room for the log's index
	}
	switch kind {
	case sqlite.ResultFull:
		reason = "cannot be written: the disk is full; make room, then run it again"
	case sqlite.ResultIOErr:
		reason = fmt.Sprintf("cannot be written or read: the disk fails (%v); repair it, then run it again", code)
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		reason = "is damaged; restore it from a copy, or delete it and begin again"
	case sqlite.ResultReadOnly:
		reason = "cannot be written: it, or its folder, is read-only; make it writable, then run it again"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		reason = "is being written by another program; close that, then run it again"
	case sqlite.ResultCantOpen:
		reason = "cannot be opened: it, or its folder, is missing, or may not be read or written; check the permissions"
	case sqlite.ResultError:
		if text := err.Error(); strings.Contains(text, "no such table") || strings.Contains(text, "no such column") {
			reason = "is not as this program made it: a table or column is missing; restore it from a copy, or name another ledger"
		}
	}
	if reason == "" {
		return fmt.Errorf("%w %s %w", batch.ErrLedger, s.path, err)
	}
	return fmt.Errorf("%w %s %s", batch.ErrLedger, s.path, reason)
}

// Close leaves one file, and releases the lock. It also closes a store that was opened in part.
func (s *store) Close(discard bool) error {
	s.write.Lock()
	defer s.write.Unlock()
	discard = discard && s.file != nil && s.file.lock != nil && s.file.created && !s.begun
	var err error
	if s.broken == nil {
		s.reads.Lock()
		if s.reader != nil {
			err = guard(s.reader.Close)
			s.reader = nil
		}
		s.reads.Unlock()
		if s.db != nil && !discard {
			err = errors.Join(err, s.leaveWAL())
		}
		if s.db != nil {
			err = errors.Join(err, guard(s.db.Close))
		}
	}
	s.db = nil
	if discard {
		s.file.remove()
	}
	return errors.Join(s.explain(err), s.file.unlock())
}
