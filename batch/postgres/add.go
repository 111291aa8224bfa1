package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

const (
	loadTimeout = time.Hour
	// worthAnalyzing is the number of new rows from which the server's statistics are renewed at once.
	worthAnalyzing = 1000

	makeIncoming = `CREATE TEMPORARY TABLE incoming (n bigint, line integer, maybe_unsent boolean,
		connection_id text COLLATE "C", user_id text COLLATE "C", message_id text COLLATE "C", with_user_id text, ref text) ON COMMIT DROP`
	// makeListed holds each message once, from its first row, in the order of the indexes: inserting
	// in that order is several times as fast as in the order of the input.
	makeListed = `CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
		SELECT DISTINCT ON (connection_id, user_id, message_id) n, line, connection_id, user_id, message_id, with_user_id, ref,
			bool_or(maybe_unsent) OVER (PARTITION BY connection_id, user_id, message_id) AS maybe_unsent
		FROM incoming ORDER BY connection_id, user_id, message_id, n`
	// lockList lets one program at a time change a run's list, while workers continue.
	lockList = `SELECT pg_advisory_xact_lock('message'::regclass::oid::int4, $1)`

	sameMessage   = `(l.connection_id, l.user_id, l.message_id) = (m.connection_id, m.user_id, m.message_id)`
	countRelisted = `SELECT count(*) FROM message m JOIN listed l ON ` + sameMessage + ` WHERE run_id = $1 AND set_aside AND NOT final`
	relist        = `UPDATE message m SET line = l.line, ref = l.ref, set_aside = false, maybe_unsent = m.maybe_unsent OR l.maybe_unsent AND NOT final,
			with_user_id = CASE WHEN final THEN m.with_user_id ELSE l.with_user_id END
		FROM listed l WHERE run_id = $1 AND ` + sameMessage + `
			AND (m.line <> l.line OR m.ref <> l.ref OR set_aside OR NOT final AND (m.with_user_id <> l.with_user_id OR l.maybe_unsent AND NOT m.maybe_unsent))`
	setAside   = `UPDATE message m SET set_aside = true WHERE run_id = $1 AND %s AND NOT EXISTS (SELECT FROM listed l WHERE ` + sameMessage + `)`
	insertRows = `INSERT INTO message (run_id, id, line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref)
		SELECT $1, (SELECT coalesce(max(id), 0) FROM message WHERE run_id = $1) + n, line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref
		FROM listed l WHERE NOT EXISTS (SELECT FROM message m WHERE run_id = $1 AND ` + sameMessage + `)
		ORDER BY connection_id, user_id, message_id`
	addConnections = `INSERT INTO connection (run_id, connection_id) SELECT DISTINCT $1::integer, connection_id FROM listed
		ON CONFLICT (run_id, connection_id) DO UPDATE SET done_in = 0 WHERE connection.done_in <> 0`
)

// Add first loads the items into a temporary table, so that workers do not wait for a slow input.
func (s *store) Add(ctx context.Context, items iter.Seq2[batch.Item, error], how batch.AddMode) (added batch.Added, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if how.Preview == nil {
		if err := s.refuseReader(); err != nil {
			return batch.Added{}, err
		}
	}
	if err := s.reconnect(ctx); err != nil {
		return batch.Added{}, err
	}
	next, stop := iter.Pull2(items)
	defer stop()
	rows, failed := 0, error(nil)
	var panicked any // in the caller's rows, which pgx reads on a goroutine of its own
	source := pgx.CopyFromFunc(func() (row []any, err error) {
		defer func() {
			if panicked = recover(); panicked != nil {
				err = errPanicked
			}
		}()
		i, err, more := next()
		if failed = err; !more || err != nil {
			return nil, err
		}
		rows++
		return []any{rows, i.Line, i.MaybeUnsent, i.ConnectionID, i.UserID, i.MessageID, i.WithUserID, i.Ref}, nil
	})
	var version int32
	err = s.write(ctx, loadTimeout, func(ctx context.Context, tx pgx.Tx) error {
		messages, err := loadListed(ctx, tx, source)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, lockList, s.runID); err != nil {
			return err
		}
		var relisted int
		if added, relisted, err = s.merge(ctx, tx, how.Replace); err != nil {
			return err
		}
		added.Known = messages - added.New
		added.Repeated = rows - messages
		version, err = s.changeList(ctx, tx, how.Replace, added.New+relisted, added.SetAside)
		if err != nil || how.Preview == nil {
			return err
		}
		*how.Preview, err = s.totals(ctx, tx)
		return cmp.Or(err, errPreview)
	})
	if panicked != nil {
		panic(panicked)
	}
	if failed != nil {
		err = failed // the server reports only that the copy was canceled
	}
	if errors.Is(err, errPreview) {
		return added, nil
	}
	if err != nil {
		return batch.Added{}, err
	}
	s.version.Store(version)
	if added.New >= worthAnalyzing {
		_, _ = s.session.Exec(ctx, "ANALYZE message") // fails, harmlessly, for anybody but the owner
	}
	return added, nil
}

var errPanicked = errors.New("the rows panicked")

// errPreview rolls a preview's transaction back.
var errPreview = fmt.Errorf("%w: a preview", batch.ErrOptions)

// merge makes the listed messages those of the run. It counts the new ones, those that are now set
// aside, and those that are no longer.
func (s *store) merge(ctx context.Context, tx pgx.Tx, replace bool) (added batch.Added, relisted int, err error) {
	if err := tx.QueryRow(ctx, countRelisted, s.runID).Scan(&relisted); err != nil {
		return added, 0, err
	}
	if _, err := tx.Exec(ctx, relist, s.runID); err != nil {
		return added, 0, err
	}
	if replace {
		if _, err := tx.Exec(ctx, fmt.Sprintf(setAside, isFinalFailure), s.runID); err != nil {
			return added, 0, err
		}
		tag, err := tx.Exec(ctx, fmt.Sprintf(setAside, isOpen), s.runID)
		if err != nil {
			return added, 0, err
		}
		added.SetAside = int(tag.RowsAffected())
	}
	tag, err := tx.Exec(ctx, insertRows, s.runID)
	added.New = int(tag.RowsAffected())
	return added, relisted, err
}

// changeList returns the version of the run's list, and raises it if replacing has changed the list.
// While others are active a change is refused.
func (s *store) changeList(ctx context.Context, tx pgx.Tx, replace bool, fresh, aside int) (version int32, err error) {
	if err := s.lockRunAndReap(ctx, tx); err != nil {
		return 0, err
	}
	step := 0
	if replace && fresh+aside > 0 {
		step = 1
	}
	var workers int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM worker WHERE run_id = $1 AND id <> $2", s.runID, s.workerID).Scan(&workers); err != nil {
		return 0, err
	}
	if step > 0 && workers > 0 {
		return 0, s.refuse("has active workers, and another list of messages (%d of these are new to it, %d of its own are not listed here); wait until they finish, or use a run of another name", fresh, aside)
	}
	if _, err := tx.Exec(ctx, addConnections, s.runID); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, "UPDATE run SET list_version = list_version + $2 WHERE id = $1 RETURNING list_version", s.runID, step).Scan(&version)
	return version, err
}

// loadListed fills the table listed, and returns the number of its messages.
func loadListed(ctx context.Context, tx pgx.Tx, rows pgx.CopyFromSource) (messages int, err error) {
	if _, err := tx.Exec(ctx, makeIncoming); err != nil {
		return 0, err
	}
	columns := []string{"n", "line", "maybe_unsent", "connection_id", "user_id", "message_id", "with_user_id", "ref"}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"incoming"}, columns, rows); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "SET LOCAL work_mem = '64MB'"); err != nil {
		return 0, err
	}
	tag, err := tx.Exec(ctx, makeListed)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "ANALYZE listed")
	return int(tag.RowsAffected()), err
}
