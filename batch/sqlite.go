package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/api"
)

// schema is public: docs/ledger.md explains it. Small columns come first, since counting reads
// only those.
const schema = `
CREATE TABLE ledger (
	service    TEXT NOT NULL,              -- that the messages are of: scheme, host and path, or mock
	created_at TEXT NOT NULL,
	running    INTEGER NOT NULL DEFAULT 0  -- 1 while a run goes on, or after one that was killed
) STRICT;
CREATE TABLE message (
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
) STRICT;`

// The indexes are made apart, since filling an empty ledger makes them last.
const (
	keyIndex  = `CREATE UNIQUE INDEX message_key ON message (message_id, user_id, connection_id)`
	openIndex = `CREATE INDEX message_open ON message (connection_id, line) WHERE ` + isOpen
)

const (
	applicationID = 0x756E7364 // "unsd"
	schemaVersion = 1
)

const (
	isOpen     = `final = 0 AND set_aside = 0`
	reopenRows = `UPDATE message SET final = 0 WHERE outcome = 'failed' AND final = 1`
	countOpen  = `SELECT connection_id, count(*) FROM message WHERE ` + isOpen + ` GROUP BY connection_id ORDER BY connection_id`
	countRetry = `SELECT connection_id, count(*) FROM message WHERE set_aside = 0 AND (final = 0 OR outcome = 'failed') GROUP BY connection_id ORDER BY connection_id`
	nextRows   = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id FROM message
		WHERE connection_id = ?1 AND ` + isOpen + ` AND line >= ?2 AND (line > ?2 OR id > ?3) ORDER BY line, id LIMIT ?4`
	writeSending = `UPDATE message SET maybe_unsent = 1, outcome = NULL WHERE id = ? AND ` + isOpen
	writeWaiting = `UPDATE message SET maybe_unsent = ?2, attempts = attempts + ?3, status = ?4, scope = ?5, type = ?6, error = ?7, hint = ?8, request_id = ?9
		WHERE id = ?1 AND ` + isOpen
	writeEnded = `UPDATE message SET maybe_unsent = ?2, attempts = attempts + ?3, status = ?4, scope = ?5, type = ?6, error = ?7, hint = ?8, request_id = ?9,
		outcome = ?10, final = ?11, ended_at = ?12 WHERE id = ?1 AND ` + isOpen
	// One pass without a GROUP BY, which would sort all rows.
	countRows = `SELECT count(*), sum(set_aside),
		sum(outcome = 'unsent'), sum(outcome = 'already_gone'), sum(outcome = 'failed' AND set_aside = 0 AND final >= ?1), sum(outcome = 'skipped' AND set_aside = 0 AND final >= ?1)
		FROM message`
	groupRows = `SELECT outcome, scope, status, type, hint, count(*), sum(final), sum(maybe_unsent) FROM message
		WHERE set_aside = 0 AND (outcome IS NULL OR outcome IN ('failed', 'skipped')) GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC LIMIT ?`
	readRows = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, connection_id, outcome, final, attempts, request_id,
		status, scope, type, error, hint, ended_at FROM message WHERE id > ?1 AND set_aside = 0 AND (NOT ?2 OR outcome IS NULL OR outcome IN ('failed', 'skipped')) ORDER BY id LIMIT 500`
)

// checkpointEvery is how many entries are written between two checkpoints, which move what is
// in the write-ahead log into the file.
const checkpointEvery = 4096

// sqliteStore is a SQLite file. Others may read it at any time; no other process can work on it.
type sqliteStore struct {
	path    string
	service string
	private bool // a temporary file that nobody else knows
	file    *ledgerFile

	write   sync.Mutex // a connection does one thing at a time
	db      *sqlite.Conn
	written int  // entries since the last checkpoint
	claimed bool // the run has been given its connections

	read    sync.Mutex
	reader  *sqlite.Conn // another connection, for reads that must not wait for a sync
	counted [2]*counted  // what Counts found last

	changes atomic.Int64 // of messages; counted behind the commit, so that no older count is taken for a newer
}

func (s *sqliteStore) Name() string    { return s.path }
func (s *sqliteStore) Service() string { return s.service }
func (s *sqliteStore) Shared() bool    { return false }

// exec runs a statement on a connection whose mutex the caller holds. Each may be nil.
func exec(db *sqlite.Conn, text string, each func(*sqlite.Stmt), args ...any) error {
	stmt, err := db.Prepare(text) // cached
	if err != nil {
		return err
	}
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			stmt.BindText(i+1, v)
		case int:
			stmt.BindInt64(i+1, int64(v))
		case int64:
			stmt.BindInt64(i+1, v)
		case bool:
			stmt.BindBool(i+1, v)
		}
	}
	return step(stmt, each)
}

func step(stmt *sqlite.Stmt, each func(*sqlite.Stmt)) error {
	for {
		row, err := stmt.Step()
		if err != nil || !row {
			_ = stmt.Reset() // says the same again
			return err
		}
		if each != nil {
			each(stmt)
		}
	}
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
		return fmt.Errorf("%w %s %w", ErrLedger, s.path, err)
	}
	if s.written >= checkpointEvery {
		s.written = 0
		if err := s.checkpoint(); err != nil {
			return s.explain(err)
		}
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

func (s *sqliteStore) Begin(_ context.Context, retryFailed bool) error {
	s.claimed = false
	if retryFailed {
		defer s.changes.Add(1)
	}
	return s.transaction(func() error {
		if retryFailed {
			if err := exec(s.db, reopenRows, nil); err != nil {
				return err
			}
		}
		return exec(s.db, "UPDATE ledger SET running = 1", nil)
	})
}

func (s *sqliteStore) Claim(ctx context.Context) (claimed []Load, left int, err error) {
	if s.claimed {
		return nil, 0, nil
	}
	s.claimed = true
	claimed, err = s.Loads(ctx, false)
	return claimed, 0, err
}

func (s *sqliteStore) Release(context.Context, []string) error { return nil }

func (s *sqliteStore) End(context.Context) error {
	return s.transaction(func() error { return exec(s.db, "UPDATE ledger SET running = 0", nil) })
}

func (s *sqliteStore) Next(_ context.Context, connectionID string, after Message, n int) (list []Message, err error) {
	err = s.query(nextRows, func(row *sqlite.Stmt) {
		list = append(list, readMessage(row, connectionID))
	}, connectionID, after.Item.Line, after.Key, n)
	return list, err
}

// readMessage reads the first six columns of nextRows and readRows.
func readMessage(row *sqlite.Stmt, connectionID string) Message {
	return Message{Key: row.ColumnInt64(0), Item: Item{
		Line:         row.ColumnInt(1),
		MaybeUnsent:  row.ColumnBool(2),
		UserID:       row.ColumnText(3),
		MessageID:    row.ColumnText(4),
		WithUserID:   row.ColumnText(5),
		ConnectionID: connectionID,
	}}
}

func (s *sqliteStore) Write(_ context.Context, entries []Entry) error {
	defer s.changes.Add(1)
	return s.transaction(func() error {
		for i := range entries {
			if err := s.writeEntry(&entries[i]); err != nil {
				return err
			}
		}
		s.written += 1 + len(entries)
		return nil
	})
}

func (s *sqliteStore) writeEntry(e *Entry) error {
	text := writeSending
	switch e.Event {
	case Waiting:
		text = writeWaiting
	case Ended:
		text = writeEnded
	case Sending:
	}
	stmt, err := s.db.Prepare(text)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, e.Key)
	if e.Event != Sending {
		stmt.BindBool(2, e.MaybeUnsent)
		stmt.BindInt64(3, int64(e.Attempts))
		bindFailure(stmt, 4, e.Failure)
		bindText(stmt, 9, e.RequestID)
	}
	if e.Event == Ended {
		stmt.BindText(10, string(e.Outcome))
		stmt.BindBool(11, e.Final)
		stmt.BindText(12, e.At.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if err := step(stmt, nil); err != nil {
		return err
	}
	if s.db.Changes() != 1 {
		return fmt.Errorf("message %s on %s is no longer open in it: another program has changed it", e.Item.MessageID, e.Item.ConnectionID)
	}
	return nil
}

// bindFailure binds five columns from the first. Without a failure they are NULL.
func bindFailure(stmt *sqlite.Stmt, first int, f Failure) {
	if f == (Failure{}) {
		for i := range 5 {
			stmt.BindNull(first + i)
		}
		return
	}
	stmt.BindInt64(first, int64(f.Status))
	stmt.BindText(first+1, f.Scope.String())
	bindText(stmt, first+2, f.Type)
	bindText(stmt, first+3, f.Text)
	bindText(stmt, first+4, f.Hint)
}

func bindText(stmt *sqlite.Stmt, at int, text string) {
	if text == "" {
		stmt.BindNull(at)
		return
	}
	stmt.BindText(at, text)
}

// Counts looks at every message, but only where one was written since the last time.
func (s *sqliteStore) Counts(_ context.Context, inRun bool) (c Counts, err error) {
	kind, changes := 0, s.changes.Load()
	if inRun {
		kind = 1
	}
	s.read.Lock()
	defer s.read.Unlock()
	if last := s.counted[kind]; last != nil && last.changes == changes && s.db != nil {
		return last.counts, nil
	}
	err = exec(s.reader, countRows, func(row *sqlite.Stmt) {
		c = Counts{
			Items: row.ColumnInt(0) - row.ColumnInt(1), SetAside: row.ColumnInt(1),
			Unsent: row.ColumnInt(2), AlreadyGone: row.ColumnInt(3), Failed: row.ColumnInt(4), Skipped: row.ColumnInt(5),
		}
	}, inRun)
	if err == nil {
		s.counted[kind] = &counted{changes, c}
	}
	return c, s.explain(err)
}

// counted are counts as they were after so many changes.
type counted struct {
	changes int64
	counts  Counts
}

func (s *sqliteStore) Loads(_ context.Context, retryFailed bool) (list []Load, err error) {
	text := countOpen
	if retryFailed {
		text = countRetry
	}
	err = s.query(text, func(row *sqlite.Stmt) {
		list = append(list, Load{ConnectionID: row.ColumnText(0), Messages: row.ColumnInt(1)})
	})
	return list, err
}

func (s *sqliteStore) Groups(_ context.Context, limit int) (list []Group, err error) {
	err = s.query(groupRows, func(row *sqlite.Stmt) {
		list = append(list, Group{
			Outcome: Outcome(row.ColumnText(0)), Scope: parseScope(row.ColumnText(1)), Status: row.ColumnInt(2),
			Type: row.ColumnText(3), Hint: row.ColumnText(4),
			Count: row.ColumnInt(5), Final: row.ColumnInt(6), MaybeUnsent: row.ColumnInt(7),
		})
	}, limit)
	return list, err
}

func (s *sqliteStore) Messages(ctx context.Context, filter Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var after int64
		for {
			// In parts, so that a slow loop holds up no checkpoint.
			var part []Entry
			err := errors.Join(ctx.Err(), s.query(readRows, func(row *sqlite.Stmt) {
				part = append(part, readEntry(row))
			}, after, filter == NotUnsent))
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range part {
				if !yield(e, nil) {
					return
				}
			}
			if len(part) == 0 {
				return
			}
			after = part[len(part)-1].Key
		}
	}
}

func readEntry(row *sqlite.Stmt) Entry {
	e := Entry{
		Message: readMessage(row, row.ColumnText(6)), Event: Waiting, Outcome: Outcome(row.ColumnText(7)), Final: row.ColumnBool(8),
		Attempts: row.ColumnInt(9), RequestID: row.ColumnText(10),
		Failure: Failure{Status: row.ColumnInt(11), Scope: parseScope(row.ColumnText(12)), Type: row.ColumnText(13), Text: row.ColumnText(14), Hint: row.ColumnText(15)},
	}
	e.MaybeUnsent = e.Item.MaybeUnsent
	e.At, _ = time.Parse(time.RFC3339, row.ColumnText(16)) // no time where it has not ended
	if e.Outcome != "" {
		e.Event = Ended
	}
	return e
}

func parseScope(text string) api.Scope {
	for s := api.ScopeMessage; s <= api.ScopeClient; s++ {
		if s.String() == text {
			return s
		}
	}
	return api.ScopeUnknown
}

// explain says in a person's words what SQLite says in its own.
func (s *sqliteStore) explain(err error) error {
	if err == nil || errors.Is(err, ErrLedger) || errors.Is(err, ErrInput) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	reason := err.Error()
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
	}
	return fmt.Errorf("%w %s %s", ErrLedger, s.path, reason)
}

// Close lets SQLite move the log into the file, and gives the lock back.
func (s *sqliteStore) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.read.Lock()
	defer s.read.Unlock()
	err := s.reader.Close()
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	s.db = nil
	return errors.Join(s.explain(err), s.file.close())
}
