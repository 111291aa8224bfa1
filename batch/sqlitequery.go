package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/api"
)

const (
	reopenRows = `UPDATE message SET final = 0 WHERE outcome = 'failed' AND final = 1`
	countLoads = `SELECT connection_id, count(*) FROM message WHERE %s GROUP BY connection_id ORDER BY connection_id`
	orFailed   = `set_aside = 0 AND (final = 0 OR outcome = 'failed')`
	nextRows   = `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id FROM message
		WHERE connection_id = ?1 AND ` + isOpen + ` AND line >= ?2 AND (line > ?2 OR id > ?3) ORDER BY line, id LIMIT ?4`
	writeSending = `UPDATE message SET maybe_unsent = 1, outcome = NULL WHERE id = ? AND ` + isOpen
	writeAnswer  = `UPDATE message SET maybe_unsent = ?2, attempts = attempts + ?3, request_id = ?4, status = ?5, scope = ?6, type = ?7, error = ?8, hint = ?9,
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

func (s *sqliteStore) Begin(_ context.Context, retryFailed bool) error {
	s.claimed = false
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
	var err error
	if e.Event == Sending {
		err = exec(s.db, writeSending, nil, e.Key)
	} else {
		var status, endedAt any
		if e.Failure != (Failure{}) {
			status = e.Failure.Status
		}
		if e.Event == Ended {
			endedAt = e.At.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		scope := orNull(e.Failure.Scope.String())
		if status == nil {
			scope = nil
		}
		err = exec(s.db, writeAnswer, nil, e.Key, e.MaybeUnsent, e.Attempts, orNull(e.RequestID),
			status, scope, orNull(e.Failure.Type), orNull(e.Failure.Text), orNull(e.Failure.Hint),
			orNull(string(e.Outcome)), e.Final, endedAt)
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
func (s *sqliteStore) Counts(_ context.Context, inRun bool) (c Counts, err error) {
	err = s.query(countRows, func(row *sqlite.Stmt) {
		c = Counts{
			Items: row.ColumnInt(0) - row.ColumnInt(1), SetAside: row.ColumnInt(1),
			Unsent: row.ColumnInt(2), AlreadyGone: row.ColumnInt(3), Failed: row.ColumnInt(4), Skipped: row.ColumnInt(5),
		}
	}, inRun)
	return c, err
}

func (s *sqliteStore) Loads(_ context.Context, retryFailed bool) (list []Load, err error) {
	which := isOpen
	if retryFailed {
		which = orFailed
	}
	err = s.query(fmt.Sprintf(countLoads, which), func(row *sqlite.Stmt) {
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

// parseScope reads what Scope.String wrote.
func parseScope(text string) api.Scope {
	if text == api.ScopeUnknown.String() {
		return api.ScopeUnknown
	}
	return api.Scope(text)
}
