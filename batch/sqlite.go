package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The tables are public: docs/batch/ledger.md explains it. Small columns come first, since counting reads
// only those.
const ledgerTable = `CREATE TABLE ledger (
	service    TEXT NOT NULL,              -- that the messages are of: scheme, host and path, or mock
	created_at TEXT NOT NULL,
	running    INTEGER NOT NULL DEFAULT 0  -- 1 while a run goes on, or after one that was killed
) STRICT`

const messageTable = `CREATE TABLE message (
	id            INTEGER PRIMARY KEY,
	final         INTEGER NOT NULL DEFAULT 0, -- 1: has ended for good, and is never sent again
	set_aside     INTEGER NOT NULL DEFAULT 0, -- 1: no longer in the input, and not sent
	maybe_unsent  INTEGER NOT NULL DEFAULT 0, -- 1: not known to be gone, but may be
	outcome       TEXT,                       -- unsent, already_gone, failed or skipped; NULL: still open
	line          INTEGER NOT NULL,           -- of the input that listed it last
	connection_id TEXT NOT NULL,
	user_id       TEXT NOT NULL,
	message_id    TEXT NOT NULL,
	with_user_id  TEXT NOT NULL,              -- '': user_id
	attempts      INTEGER NOT NULL DEFAULT 0, -- requests that ended, in all runs
	status        INTEGER,                    -- of the last error: its HTTP status, 0 without an answer
	scope         TEXT,                       -- whose trouble it is: message, connection, account, service or client
	type          TEXT,                       -- the service's name of it
	error         TEXT,                       -- what was said
	hint          TEXT,                       -- what to do
	request_id    TEXT,                       -- names the last request to the vendor's support
	ended_at      TEXT                        -- UTC
) STRICT`

// The indexes are made apart, since filling an empty ledger makes them last.
const (
	keyIndex  = `CREATE UNIQUE INDEX %[1]s_key ON %[1]s (message_id, user_id, connection_id)`
	openIndex = `CREATE INDEX message_open ON message (connection_id, line) WHERE ` + isOpen
)

const (
	applicationID = 0x756E7364 // "unsd"
	schemaVersion = 1
)

const isOpen = `final = 0 AND set_aside = 0`

// checkpointEvery is how many entries are written between two checkpoints, which move what is
// in the write-ahead log into the file.
const checkpointEvery = 4096

// sqliteStore is a SQLite file. Others may read it at any time; no other process can work on it.
type sqliteStore struct {
	path    string
	service string
	file    *ledgerFile // nil for one that is only read, or private

	write   sync.Mutex   // a connection does one thing at a time
	db      *sqlite.Conn // nil for one that is only read, or closed
	written int          // entries since the last checkpoint
	claimed bool         // the run has been given its connections

	read   sync.Mutex
	reader *sqlite.Conn // another connection, for reads that must not wait for a sync
}

func (s *sqliteStore) Name() string    { return s.path }
func (s *sqliteStore) Service() string { return s.service }
func (s *sqliteStore) Shared() bool    { return false }

// exec runs a statement on a connection whose mutex the caller holds. Each may be nil.
func exec(db *sqlite.Conn, text string, each func(*sqlite.Stmt), args ...any) error {
	return sqlitex.Execute(db, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		if each != nil {
			each(row)
		}
		return nil
	}})
}

// transaction runs f in one, which is synced when transaction returns without an error.
func (s *sqliteStore) transaction(f func() error) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.db == nil {
		return fmt.Errorf("%w %s is open for reading only", ErrLedger, s.path)
	}
	err := exec(s.db, "BEGIN IMMEDIATE", nil)
	if err == nil {
		err = f()
	}
	if err == nil {
		err = exec(s.db, "COMMIT", nil)
	}
	if err != nil {
		if !s.db.AutocommitEnabled() {
			_ = exec(s.db, "ROLLBACK", nil) // the first error says more
		}
		return s.explain(err)
	}
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	if s.written >= checkpointEvery {
		s.written = 0
		return s.explain(s.checkpoint())
	}
	return nil
}

// checkpoint moves the log into the file, which nothing else does while the ledger is open: so
// any other change to the file is somebody else's.
func (s *sqliteStore) checkpoint() error {
	s.read.Lock() // a reader would keep the log from being used from its start again
	defer s.read.Unlock()
	if err := exec(s.db, "PRAGMA wal_checkpoint(PASSIVE)", nil); err != nil {
		return err
	}
	return s.file.remember()
}

// query reads on the connection for reading.
func (s *sqliteStore) query(text string, each func(*sqlite.Stmt), args ...any) error {
	s.read.Lock()
	defer s.read.Unlock()
	return s.explain(exec(s.reader, text, each, args...))
}

// explain says in a person's words what SQLite says in its own.
func (s *sqliteStore) explain(err error) error {
	if err == nil {
		return nil
	}
	for _, clear := range []error{ErrLedger, ErrOptions, ErrInput, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, clear) {
			return err
		}
	}
	reason := ""
	switch code := sqlite.ErrCode(err); code.ToPrimary() {
	case sqlite.ResultFull:
		reason = "cannot be written: the disk is full; make room, then run it again"
	case sqlite.ResultIOErr:
		reason = fmt.Sprintf("cannot be written or read: the disk fails (%v); mend this, then run it again", code)
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		reason = "is damaged; restore it from a copy, or delete it and begin again"
	case sqlite.ResultReadOnly:
		reason = "cannot be written: it is read-only; make it writable, then run it again"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		reason = "is being written by another program; close that, then run it again"
	case sqlite.ResultCantOpen:
		reason = "cannot be opened; it, or its folder, is missing or may not be written"
	default:
		return fmt.Errorf("%w %s %w", ErrLedger, s.path, err)
	}
	return fmt.Errorf("%w %s %s", ErrLedger, s.path, reason)
}

// Close lets SQLite move the log into the file, and gives the lock back. It closes what there is.
func (s *sqliteStore) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.read.Lock()
	defer s.read.Unlock()
	var err error
	if s.reader != nil {
		err = s.reader.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	s.db = nil
	return errors.Join(s.explain(err), s.file.unlock())
}
