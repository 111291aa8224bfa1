package sqlite

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
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

// The indexes are made apart, since filling an empty ledger makes them last.
const (
	keyIndex  = `CREATE UNIQUE INDEX %[1]s_key ON %[1]s (message_id, user_id, connection_id)`
	openIndex = `CREATE INDEX message_open ON message (connection_id, line) WHERE ` + isOpen
)

const (
	applicationID = 0x756E7364 // "unsd"
	schemaVersion = 2
)

const (
	isOpen    = `final = 0 AND set_aside = 0`
	isRefused = `final = 1 AND set_aside = 0 AND outcome = 'failed'` // what --retry-failed opens
	isCounted = `(set_aside = 0 OR final = 1)`
)

// checkpointEvery is how many entries are written between two checkpoints, which move what is
// in the write-ahead log into the file.
const checkpointEvery = 4096

// store is a SQLite file. Others may read it at any time; no other process can work on it.
type store struct {
	path    string
	service string
	file    *ledgerFile // nil for one that is only read, or private

	write   sync.Mutex   // a connection does one thing at a time
	db      *sqlite.Conn // nil for one that is only read, or closed
	wal     bool         // there is a write-ahead log, for a run or what is added
	written int          // entries since the last checkpoint
	claimed bool         // the run has been given its connections
	begun   bool         // a run has begun
	broken  error        // a file was cut under SQLite, which cannot be used any more

	reads  sync.Mutex
	reader *sqlite.Conn                           // another connection, for reads that must not wait for a sync; nil if there is none
	look   func(f func(*sqlite.Conn) error) error // of one that is only read

	kept atomic.Pointer[string] // why the ledger is two files
}

func (s *store) Name() string    { return s.path }
func (s *store) Service() string { return s.service }
func (s *store) Shared() bool    { return false }

func (s *store) Warning() string {
	if kept := s.kept.Load(); kept != nil {
		return *kept
	}
	return s.file.warning()
}

// exec runs a statement on a connection whose mutex the caller holds. Each may be nil. A file
// that somebody cuts while SQLite has it in memory is an error, and no crash.
func exec(db *sqlite.Conn, text string, each func(*sqlite.Stmt), args ...any) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			if _, ok := fault.(interface{ Addr() uintptr }); !ok {
				panic(fault)
			}
			err = errCut
		}
	}()
	return sqlitex.Execute(db, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
		if each != nil {
			each(row)
		}
		return nil
	}})
}

var errCut = errors.New("was cut by another program while it was in use (its -shm); run it again")

// transaction runs f in one, which is synced when transaction returns without an error.
func (s *store) transaction(f func() error) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	// A log that was cut has its old length again once more is written behind its end.
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	err := exec(s.db, "BEGIN IMMEDIATE", nil)
	if err == nil {
		err = f()
	}
	if err == nil {
		err = exec(s.db, "COMMIT", nil)
	}
	if err != nil {
		if s.isBroken(err) {
			return s.explain(err)
		}
		if !s.db.AutocommitEnabled() {
			_ = exec(s.db, "ROLLBACK", nil) // the first error says more
		}
		if !s.wal { // what is rolled back was written, too
			err = cmp.Or(err, s.file.remember())
		}
		return s.explain(err)
	}
	if err := s.file.unchanged(); err != nil {
		return s.explain(err)
	}
	if s.written >= checkpointEvery {
		s.written = 0
		return s.explain(s.checkpoint("PASSIVE"))
	}
	return nil
}

func (s *store) usable() error {
	switch {
	case s.broken != nil:
		return s.explain(s.broken)
	case s.db == nil:
		return fmt.Errorf("%w %s is open for reading only", batch.ErrLedger, s.path)
	}
	return nil
}

func (s *store) isBroken(err error) bool {
	if errors.Is(err, errCut) {
		s.broken = err
	}
	return s.broken != nil
}

// enterWAL gives the file a write-ahead log, beside which anybody may read. At rest it has none.
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
	if err == nil {
		s.wal = true
		err = s.file.remember()
	}
	for _, db := range []*sqlite.Conn{s.db, s.reader} { // which opens the log, that of a private ledger before it loses its name
		if err == nil {
			err = exec(db, readService, nil)
		}
	}
	return s.explain(err)
}

// checkpoint moves the log into the file, which nothing else does while the ledger is open: so
// any other change to the file is somebody else's. TRUNCATE leaves nothing in the log, unless a
// reader still needs it.
func (s *store) checkpoint(mode string) error {
	s.reads.Lock() // a reader would keep the log from being used from its start again
	defer s.reads.Unlock()
	busy := false
	if mode == "TRUNCATE" {
		s.db.SetBusyTimeout(shortTimeout)
		defer s.db.SetBusyTimeout(busyTimeout)
	}
	err := exec(s.db, "PRAGMA wal_checkpoint("+mode+")", func(row *sqlite.Stmt) { busy = row.ColumnBool(0) })
	if err != nil || s.file == nil {
		return err
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

const readService = "SELECT service FROM ledger"

const shortTimeout = 500 * time.Millisecond

// leaveWAL makes the ledger one file. The connection for reading is closed by then.
func (s *store) leaveWAL() error {
	if !s.wal || s.file == nil || s.broken != nil {
		return nil
	}
	if err := s.file.unchanged(); err != nil {
		return err
	}
	err := s.checkpoint("TRUNCATE")
	for range 20 { // readers of this program are done within a second
		if err != nil || s.kept.Load() != nil {
			break
		}
		mode := ""
		err = exec(s.db, "PRAGMA journal_mode = DELETE", func(row *sqlite.Stmt) { mode = row.ColumnText(0) })
		if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultBusy || code == sqlite.ResultLocked {
			err = nil // somebody has it open: the log is empty, and goes with the last who closes it
		}
		if mode == "delete" {
			break
		}
		time.Sleep(shortTimeout / 10) //nolint:forbidigo // SQLite calls no busy handler here
	}
	return err
}

// query calls f with the connection for reading.
func (s *store) query(f func(*sqlite.Conn) error) error {
	if s.look != nil {
		return s.explain(s.look(f))
	}
	if s.reader == nil { // one connection does all
		s.write.Lock()
		defer s.write.Unlock()
		return s.explain(f(s.db))
	}
	s.reads.Lock()
	defer s.reads.Unlock()
	return s.explain(f(s.reader))
}

// read reads rows on it.
func (s *store) read(text string, each func(*sqlite.Stmt), args ...any) error {
	return s.query(func(db *sqlite.Conn) error { return exec(db, text, each, args...) })
}

// explain says in a person's words what SQLite says in its own.
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
	switch code := sqlite.ErrCode(err); code.ToPrimary() { // ResultError of an error that is not SQLite's
	case sqlite.ResultFull:
		reason = "cannot be written: the disk is full; make room, then run it again"
	case sqlite.ResultIOErr:
		reason = fmt.Sprintf("cannot be written or read: the disk fails (%v); repair it, then run it again", code)
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		reason = "is damaged; restore it from a copy, or delete it and begin again"
	case sqlite.ResultReadOnly:
		reason = "cannot be written: it is read-only; make it writable, then run it again"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		reason = "is being written by another program; close that, then run it again"
	case sqlite.ResultCantOpen:
		reason = "cannot be opened; it, or its folder, is missing or may not be written"
	case sqlite.ResultError:
		if text := err.Error(); !strings.Contains(text, "no such table") && !strings.Contains(text, "no such column") {
			return fmt.Errorf("%w %s %w", batch.ErrLedger, s.path, err)
		}
		reason = "is not as this program made it: a table or column is missing; restore it from a copy, or name another ledger"
	default:
		return fmt.Errorf("%w %s %w", batch.ErrLedger, s.path, err)
	}
	return fmt.Errorf("%w %s %s", batch.ErrLedger, s.path, reason)
}

// Discard is Close, and removes a file that this process created if no run has begun.
func (s *store) Discard() error { return s.close(true) }

// Close leaves one file, and releases the lock. It closes what there is.
func (s *store) Close() error { return s.close(false) }

func (s *store) close(discard bool) error {
	s.write.Lock()
	defer s.write.Unlock()
	discard = discard && s.file != nil && s.file.created && !s.begun
	var err error
	if s.broken == nil {
		s.reads.Lock()
		if s.reader != nil {
			err = s.reader.Close()
		}
		s.reads.Unlock()
		if s.db != nil && !discard {
			err = errors.Join(err, s.leaveWAL())
		}
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
	}
	s.db = nil
	if discard {
		s.file.remove()
	}
	return errors.Join(s.explain(err), s.file.unlock())
}

const (
	reopenRows = `UPDATE message SET final = 0 WHERE ` + isRefused
	countLoads = `SELECT connection_id, count(*) FROM message WHERE %s GROUP BY connection_id ORDER BY connection_id`
	// Of many rows with the same line, such as items that have none, it does not look at those before.
	nextRows     = nextColumns + `line = ?2 AND id > ?3 UNION ALL ` + nextColumns + `line > ?2 ORDER BY line, id LIMIT ?4`
	nextColumns  = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref FROM message WHERE connection_id = ?1 AND ` + isOpen + ` AND `
	writeSending = `UPDATE message SET maybe_unsent = 1, outcome = NULL WHERE id = ? AND ` + isOpen
	writeAnswer  = `UPDATE message SET maybe_unsent = ?2, attempts = attempts + ?3, request_id = ?4, status = ?5, scope = ?6, type = ?7, error = ?8, hint = ?9,
		outcome = ?10, final = ?11, ended_at = ?12, answered = ?13, cause = ?14 WHERE id = ?1 AND ` + isOpen
	// One pass without a GROUP BY, which would sort all rows.
	countRows = `SELECT count(*), sum(set_aside AND NOT final),
		sum(outcome = 'unsent'), sum(outcome = 'already_gone'), sum(outcome = 'failed' AND (final OR NOT set_aside AND NOT ?1)), sum(outcome = 'skipped' AND NOT set_aside AND NOT ?1)
		FROM message`
	groupRows = `SELECT outcome, scope, status, type, hint, count(*), sum(final), sum(maybe_unsent) FROM message
		WHERE ` + isCounted + ` AND (outcome IS NULL OR outcome IN ('failed', 'skipped')) GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC LIMIT ?`
	readRows = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref, connection_id, outcome, final, attempts, request_id,
		status, scope, type, error, hint, ended_at, answered, cause FROM message WHERE id > ?1 AND ` + isCounted + ` AND (NOT ?2 OR outcome IS NULL OR outcome IN ('failed', 'skipped')) ORDER BY id LIMIT 500`
)

func (s *store) Begin(_ context.Context, retryFailed bool) error {
	if err := s.enterWAL(); err != nil {
		return err
	}
	s.claimed, s.begun = false, true
	return s.transaction(func() error {
		if retryFailed {
			if err := exec(s.db, reopenRows, nil); err != nil {
				return err
			}
		}
		return exec(s.db, "UPDATE ledger SET running = 1", nil)
	})
}

func (s *store) Claim(ctx context.Context) (claimed []batch.Load, left int, err error) {
	if s.claimed {
		return nil, 0, nil
	}
	s.claimed = true
	claimed, err = s.Loads(ctx, false)
	return claimed, 0, err
}

func (s *store) Release(context.Context, []string) error { return nil }

func (s *store) End(context.Context) error {
	if err := s.transaction(func() error { return exec(s.db, "UPDATE ledger SET running = 0", nil) }); err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if !s.wal {
		return nil
	}
	return s.explain(s.checkpoint("TRUNCATE"))
}

func (s *store) Next(_ context.Context, connectionID string, after batch.Message, n int) (list []batch.Message, err error) {
	err = s.read(nextRows, func(row *sqlite.Stmt) {
		list = append(list, readMessage(row, connectionID))
	}, connectionID, after.Item.Line, after.Key, n)
	return list, err
}

// readMessage reads the first six columns of nextRows and readRows.
func readMessage(row *sqlite.Stmt, connectionID string) batch.Message {
	return batch.Message{Key: row.ColumnInt64(0), Item: batch.Item{
		Line:         row.ColumnInt(1),
		MaybeUnsent:  row.ColumnBool(2),
		UserID:       row.ColumnText(3),
		MessageID:    row.ColumnText(4),
		WithUserID:   row.ColumnText(5),
		Ref:          row.ColumnText(6),
		ConnectionID: connectionID,
	}}
}

func (s *store) Write(_ context.Context, entries []batch.Entry) error {
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

func (s *store) writeEntry(e *batch.Entry) error {
	var err error
	if e.Event == batch.Sending {
		err = exec(s.db, writeSending, nil, e.Key)
	} else {
		var status, answered, endedAt any
		if e.Failure != (batch.Failure{}) {
			status, answered = e.Failure.Status, e.Failure.Answered
		}
		if e.Event == batch.Ended {
			endedAt = e.At.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		scope := orNull(e.Failure.Scope.String())
		if status == nil {
			scope = nil
		}
		err = exec(s.db, writeAnswer, nil, e.Key, e.MaybeUnsent, e.Attempts, orNull(e.RequestID),
			status, scope, orNull(e.Failure.Type), orNull(e.Failure.Text), orNull(e.Failure.Hint),
			orNull(string(e.Outcome)), e.Final, endedAt, answered, orNull(e.Failure.Cause))
	}
	if err == nil && s.db.Changes() != 1 {
		err = fmt.Errorf("message %s on %s is no longer open in it: another program has changed it", e.Item.MessageID, e.Item.ConnectionID)
	}
	return err
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Counts looks at every message.
func (s *store) Counts(_ context.Context, inRun bool) (c batch.Counts, err error) {
	err = s.query(func(db *sqlite.Conn) error {
		c, err = readCounts(db, inRun)
		return err
	})
	return c, err
}

func readCounts(db *sqlite.Conn, inRun bool) (c batch.Counts, err error) {
	err = exec(db, countRows, func(row *sqlite.Stmt) {
		c = batch.Counts{
			Items: row.ColumnInt(0) - row.ColumnInt(1), SetAside: row.ColumnInt(1),
			Unsent: row.ColumnInt(2), AlreadyGone: row.ColumnInt(3), Failed: row.ColumnInt(4), Skipped: row.ColumnInt(5),
		}
	}, inRun)
	return c, err
}

func (s *store) Loads(_ context.Context, failed bool) (list []batch.Load, err error) {
	err = s.query(func(db *sqlite.Conn) error {
		list, err = readLoads(db, failed)
		return err
	})
	return list, err
}

func readLoads(db *sqlite.Conn, failed bool) (list []batch.Load, err error) {
	which := isOpen
	if failed {
		which = isRefused
	}
	err = exec(db, fmt.Sprintf(countLoads, which), func(row *sqlite.Stmt) {
		list = append(list, batch.Load{ConnectionID: row.ColumnText(0), Messages: row.ColumnInt(1)})
	})
	return list, err
}

func (s *store) Groups(_ context.Context, limit int) (list []batch.Group, err error) {
	err = s.read(groupRows, func(row *sqlite.Stmt) {
		list = append(list, batch.Group{
			Outcome: batch.Outcome(row.ColumnText(0)), Scope: batch.ScopeOf(row.ColumnText(1)), Status: row.ColumnInt(2),
			Type: row.ColumnText(3), Hint: row.ColumnText(4),
			Count: row.ColumnInt(5), Final: row.ColumnInt(6), MaybeUnsent: row.ColumnInt(7),
		})
	}, limit)
	return list, err
}

func (s *store) Messages(ctx context.Context, filter batch.Filter) iter.Seq2[batch.Entry, error] {
	return func(yield func(batch.Entry, error) bool) {
		var after int64
		for {
			// In parts, so that a slow loop holds up no checkpoint.
			var part []batch.Entry
			err := errors.Join(ctx.Err(), s.read(readRows, func(row *sqlite.Stmt) {
				part = append(part, readEntry(row))
			}, after, filter == batch.NotUnsent))
			if err != nil {
				yield(batch.Entry{}, err)
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

func readEntry(row *sqlite.Stmt) batch.Entry {
	e := batch.Entry{
		Message: readMessage(row, row.ColumnText(7)), Event: batch.Waiting, Outcome: batch.Outcome(row.ColumnText(8)), Final: row.ColumnBool(9),
		Attempts: row.ColumnInt(10), RequestID: row.ColumnText(11),
		Failure: batch.Failure{
			Status: row.ColumnInt(12), Scope: batch.ScopeOf(row.ColumnText(13)), Type: row.ColumnText(14), Text: row.ColumnText(15), Hint: row.ColumnText(16),
			Answered: row.ColumnBool(18), Cause: row.ColumnText(19),
		},
	}
	e.MaybeUnsent = e.Item.MaybeUnsent
	e.At, _ = time.Parse(time.RFC3339, row.ColumnText(17)) // none while it is open
	if e.Outcome != "" {
		e.Event = batch.Ended
	}
	return e
}
