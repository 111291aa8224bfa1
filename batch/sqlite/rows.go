package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

const (
	isOpen         = `final = 0 AND set_aside = 0`
	isFinalFailure = `final = 1 AND set_aside = 0 AND outcome = 'failed'` // what --retry-failed opens
	isCounted      = `(set_aside = 0 OR final = 1)`
)

// The indexes are not in the schema, since filling an empty ledger makes them last.
const (
	keyIndex  = `CREATE UNIQUE INDEX message_key ON message (message_id, user_id, connection_id)`
	openIndex = `CREATE INDEX message_open ON message (connection_id, line) WHERE ` + isOpen
)

const (
	reopenRows = `UPDATE message SET final = 0 WHERE ` + isFinalFailure
	countLoads = `SELECT connection_id, count(*) FROM message WHERE %s GROUP BY connection_id ORDER BY connection_id`
	// Two parts, so that of many rows with the same line, such as items without one, it skips those before.
	nextRows     = nextColumns + `line = ?2 AND id > ?3 UNION ALL ` + nextColumns + `line > ?2 ORDER BY line, id LIMIT ?4`
	nextColumns  = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref FROM message WHERE connection_id = ?1 AND ` + isOpen + ` AND `
	writeSending = `UPDATE message SET maybe_unsent = 1, outcome = NULL WHERE id = ? AND ` + isOpen
	writeOutcome = `UPDATE message SET maybe_unsent = ?2, attempts = attempts + ?3, request_id = nullif(?4, ''), status = iif(?5, ?6, NULL),
		answered = iif(?5, ?7, NULL), scope = iif(?5, ?8, NULL), cause = nullif(?9, ''), type = nullif(?10, ''), error = nullif(?11, ''), hint = nullif(?12, ''),
		outcome = nullif(?13, ''), final = ?14, ended_at = iif(?13 = '', NULL, ?15) WHERE id = ?1 AND ` + isOpen
	// One pass without a GROUP BY, which would sort all rows.
	countRows = `SELECT count(*), sum(set_aside AND NOT final),
		sum(outcome = 'unsent'), sum(outcome = 'already_gone'), sum(outcome = 'failed' AND (final OR NOT set_aside AND NOT ?1)), sum(outcome = 'skipped' AND NOT set_aside AND NOT ?1)
		FROM message`
	groupRows = `SELECT outcome, scope, status, type, hint, count(*), sum(final), sum(maybe_unsent) FROM message
		WHERE ` + isCounted + ` AND (outcome IS NULL OR outcome IN ('failed', 'skipped')) GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC LIMIT ?`
	readRows = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref, connection_id, outcome, final, attempts, request_id,
		status, scope, type, error, hint, ended_at, answered, cause FROM message WHERE id > ?1 AND ` + isCounted + ` AND (NOT ?2 OR outcome IS NULL OR outcome IN ('failed', 'skipped')) ORDER BY id LIMIT ?3`
)

func (s *store) Begin(_ context.Context, retryFailed bool) error {
	if err := s.enterWAL(); err != nil {
		return err
	}
	s.claimed, s.begun = false, true
	return s.transaction(func() error {
		s.written = checkpointEvery
		if retryFailed {
			if err := exec(s.db, reopenRows, nil); err != nil {
				return err
			}
		}
		return exec(s.db, fmt.Sprint("UPDATE ledger SET running = ", running), nil)
	})
}

func (s *store) Claim(context.Context) (claimed []batch.Load, left int, err error) {
	if s.claimed {
		return nil, 0, nil
	}
	s.claimed = true
	err = s.query(func(db *sqlite.Conn) error {
		claimed, err = readLoads(db, isOpen)
		return err
	})
	return claimed, 0, err
}

func (s *store) Release(context.Context, []string) error { return nil }

func (s *store) End(context.Context) error {
	if err := s.transaction(func() error { return exec(s.db, fmt.Sprintf(setRunning, atRest), nil) }); err != nil {
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
	if e.Sending {
		err = exec(s.db, writeSending, nil, e.Key)
	} else {
		f := &e.Failure
		err = exec(s.db, writeOutcome, nil, e.Key, e.MaybeUnsent, e.Attempts, e.RequestID, *f != batch.Failure{}, f.Status, f.Answered, f.Scope.String(),
			f.Cause, f.Type, f.Text, f.Hint, string(e.Outcome), e.Final, e.At.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if err == nil && s.db.Changes() != 1 {
		err = fmt.Errorf("message %s on %s is no longer open in it: another program has changed it", e.Item.MessageID, e.Item.ConnectionID)
	}
	return err
}

// Counts reads every message.
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

func (s *store) Totals(context.Context) (t batch.Totals, err error) {
	err = s.query(func(db *sqlite.Conn) error {
		t, err = readTotals(db)
		return err
	})
	return t, err
}

func readTotals(db *sqlite.Conn) (t batch.Totals, err error) {
	if t.Counts, err = readCounts(db, true); err != nil {
		return t, err
	}
	if t.Open, err = readLoads(db, isOpen); err != nil || t.Counts.Failed == 0 {
		return t, err
	}
	t.Failed, err = readLoads(db, isFinalFailure)
	return t, err
}

func readLoads(db *sqlite.Conn, which string) (list []batch.Load, err error) {
	err = exec(db, fmt.Sprintf(countLoads, which), func(row *sqlite.Stmt) {
		list = append(list, batch.Load{ConnectionID: row.ColumnText(0), Messages: row.ColumnInt(1)})
	})
	return list, err
}

func (s *store) Groups(_ context.Context, limit int) (list []batch.Group, err error) {
	err = s.read(groupRows, func(row *sqlite.Stmt) {
		list = append(list, batch.Group{
			Outcome: batch.Outcome(row.ColumnText(0)), Scope: api.Scope(row.ColumnText(1)), Status: row.ColumnInt(2),
			Type: row.ColumnText(3), Hint: row.ColumnText(4),
			Count: row.ColumnInt(5), Final: row.ColumnInt(6), MaybeUnsent: row.ColumnInt(7),
		})
	}, limit)
	return list, err
}

func (s *store) Messages(_ context.Context, filter batch.Filter, after int64, n int) (list []batch.Entry, err error) {
	err = s.read(readRows, func(row *sqlite.Stmt) {
		e := batch.Entry{
			Message: readMessage(row, row.ColumnText(7)), Outcome: batch.Outcome(row.ColumnText(8)), Final: row.ColumnBool(9),
			Attempts: row.ColumnInt(10), RequestID: row.ColumnText(11),
			Failure: batch.Failure{
				Status: row.ColumnInt(12), Scope: api.Scope(row.ColumnText(13)), Type: row.ColumnText(14), Text: row.ColumnText(15), Hint: row.ColumnText(16),
				Answered: row.ColumnBool(18), Cause: row.ColumnText(19),
			},
		}
		e.At, _ = time.Parse(time.RFC3339, row.ColumnText(17)) // none while it is open
		list = append(list, e)
	}, after, filter == batch.NotUnsent, n)
	return list, err
}
