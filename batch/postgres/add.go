package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

const (
	makeIncoming = `CREATE TEMPORARY TABLE incoming (n bigint, line integer, maybe_unsent boolean,
		connection_id text COLLATE "C", user_id text COLLATE "C", message_id text COLLATE "C", with_user_id text) ON COMMIT DROP`
	// lockList lets one program at a time change a run's list. Workers go on meanwhile.
	lockList   = `SELECT pg_advisory_xact_lock('message'::regclass::oid::int4, $1)`
	lastRow    = `SELECT coalesce(max(id), 0) FROM message WHERE run_id = $1`
	makeListed = `CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
		SELECT m.id, min(i.n) AS n, count(*) AS times, bool_or(i.maybe_unsent) AS maybe_unsent
		FROM incoming i JOIN message m USING (connection_id, user_id, message_id) WHERE m.run_id = %d GROUP BY m.id`
	countListed = `SELECT count(*), coalesce(sum(times), 0)::bigint, count(*) FILTER (WHERE m.set_aside AND NOT m.final)
		FROM listed l JOIN message m ON m.run_id = $1 AND m.id = l.id`
	// insertRows inserts in the order of the indexes, which is several times as fast as in that
	// of the input. Of the rows of a message the first counts.
	insertRows = `INSERT INTO message (run_id, id, line, maybe_unsent, connection_id, user_id, message_id, with_user_id)
		SELECT DISTINCT ON (connection_id, user_id, message_id) $1::integer, $2::bigint + n, line,
			bool_or(maybe_unsent) OVER (PARTITION BY connection_id, user_id, message_id), connection_id, user_id, message_id, with_user_id
		FROM incoming i WHERE $2::bigint = 0 OR NOT EXISTS (SELECT FROM message m WHERE m.run_id = $1
			AND (m.connection_id, m.user_id, m.message_id) = (i.connection_id, i.user_id, i.message_id))
		ORDER BY connection_id, user_id, message_id, n`
	relistRows = `UPDATE message m SET line = i.line, set_aside = false, maybe_unsent = m.maybe_unsent OR l.maybe_unsent AND NOT m.final,
			with_user_id = CASE WHEN m.final THEN m.with_user_id ELSE i.with_user_id END
		FROM listed l JOIN incoming i USING (n) WHERE m.run_id = $1 AND m.id = l.id
			AND (m.line <> i.line OR m.set_aside OR NOT m.final AND (m.with_user_id <> i.with_user_id OR l.maybe_unsent AND NOT m.maybe_unsent))`
	setAside = `UPDATE message m SET set_aside = true WHERE run_id = $1 AND ` + isOpen + ` AND id <= $2
		AND NOT EXISTS (SELECT FROM listed l WHERE l.id = m.id)`
	addConnections = `INSERT INTO connection (run_id, connection_id) SELECT DISTINCT $1::integer, connection_id FROM incoming
		ON CONFLICT (run_id, connection_id) DO UPDATE SET done_in = 0 WHERE connection.done_in <> 0`
)

const (
	loadTimeout = time.Hour
	// worthAnalyzing is how many new rows make the server's statistics wrong enough that
	// nobody should wait for it to notice.
	worthAnalyzing = 1000
)

// Add loads the items beside the table first, so that nobody waits for a slow input.
func (s *store) Add(ctx context.Context, items iter.Seq2[batch.Item, error], replace bool) (batch.Added, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.reconnect(ctx); err != nil {
		return batch.Added{}, err
	}
	a := adding{store: s, replace: replace}
	err := s.write(ctx, loadTimeout, func(ctx context.Context, tx pgx.Tx) error { return a.add(ctx, tx, items) })
	if a.input != nil {
		err = a.input // the server only says that it was told to stop
	}
	if err != nil {
		return batch.Added{}, err
	}
	s.list.Store(a.list + 1)
	if a.added.New >= worthAnalyzing {
		_, _ = s.session.Exec(ctx, "ANALYZE message") // who is not its owner cannot, and goes on without
	}
	return a.added, nil
}

type adding struct {
	*store
	replace bool
	rows    int
	input   error // of the items
	added   batch.Added
	list    int32
}

func (a *adding) add(ctx context.Context, tx pgx.Tx, items iter.Seq2[batch.Item, error]) error {
	if err := a.copy(ctx, tx, items); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "ANALYZE incoming; SET LOCAL work_mem = '64MB'"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, lockList, a.runID); err != nil {
		return err
	}
	relisted, err := a.merge(ctx, tx)
	if err != nil {
		return err
	}
	if err := a.lockRunAndBury(ctx, tx); err != nil {
		return err
	}
	var workers int
	if err := tx.QueryRow(ctx, countWorkers, a.runID, a.workerID).Scan(&workers); err != nil {
		return err
	}
	changed := a.replace && a.added.New+a.added.SetAside+relisted > 0
	if changed && workers > 0 {
		return a.refuse("is being worked on, with another list of messages (%d of these are new to it, %d of its own are not listed here); wait until that has ended, or give this list a run of another name", a.added.New+relisted, a.added.SetAside)
	}
	if _, err := tx.Exec(ctx, addConnections, a.runID); err != nil {
		return err
	}
	if changed {
		return tx.QueryRow(ctx, "UPDATE run SET list = list + 1 WHERE id = $1 RETURNING list", a.runID).Scan(&a.list)
	}
	return tx.QueryRow(ctx, "SELECT list FROM run WHERE id = $1", a.runID).Scan(&a.list)
}

// copy fills the table incoming.
func (a *adding) copy(ctx context.Context, tx pgx.Tx, items iter.Seq2[batch.Item, error]) error {
	if _, err := tx.Exec(ctx, makeIncoming); err != nil {
		return err
	}
	next, stop := iter.Pull2(items)
	defer stop()
	columns := []string{"n", "line", "maybe_unsent", "connection_id", "user_id", "message_id", "with_user_id"}
	row := make([]any, len(columns))
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"incoming"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		item, err, ok := next()
		if !ok {
			return nil, nil
		}
		if err != nil {
			a.input = err
			return nil, err
		}
		a.rows++
		row[0], row[1], row[2] = int64(a.rows), int32(item.Line), item.MaybeUnsent //nolint:gosec // fewer lines than 2^31
		row[3], row[4], row[5], row[6] = item.ConnectionID, item.UserID, item.MessageID, item.WithUserID
		return row, nil
	}))
	return err
}

// merge makes the incoming rows those of the run, and counts them. It returns how many open
// messages were set aside and are listed again.
func (a *adding) merge(ctx context.Context, tx pgx.Tx) (relisted int, err error) {
	var last int64
	if err := tx.QueryRow(ctx, lastRow, a.runID).Scan(&last); err != nil {
		return 0, err
	}
	known := 0 // rows
	if last > 0 {
		if known, relisted, err = a.relist(ctx, tx); err != nil {
			return 0, err
		}
		if a.replace {
			tag, err := tx.Exec(ctx, setAside, a.runID, last)
			if err != nil {
				return 0, err
			}
			a.added.SetAside = int(tag.RowsAffected())
		}
	}
	if known < a.rows {
		tag, err := tx.Exec(ctx, insertRows, a.runID, last)
		if err != nil {
			return 0, err
		}
		a.added.New = int(tag.RowsAffected())
	}
	a.added.Repeated = a.rows - a.added.New - a.added.Known
	return relisted, nil
}

// relist takes over what the input says of messages that the run has already. It returns how
// many rows are of such.
func (a *adding) relist(ctx context.Context, tx pgx.Tx) (known, relisted int, err error) {
	if _, err := tx.Exec(ctx, fmt.Sprintf(makeListed, a.runID)); err != nil { // a statement that takes no parameters
		return 0, 0, err
	}
	if err := tx.QueryRow(ctx, countListed, a.runID).Scan(&a.added.Known, &known, &relisted); err != nil {
		return 0, 0, err
	}
	_, err = tx.Exec(ctx, relistRows, a.runID)
	return known, relisted, err
}
