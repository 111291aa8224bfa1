package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

// read runs f on the session for reading. If that has ended, as after a restart of the server,
// read tries once more on another.
func (s *store) read(ctx context.Context, f func(ctx context.Context, db *pgx.Conn) error) (err error) {
	s.reads.Lock()
	defer s.reads.Unlock()
	within, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for range 2 {
		if s.reader.IsClosed() {
			reader, err := s.connect(within)
			if err != nil {
				return err
			}
			s.reader = reader
		}
		err = f(within, s.reader)
		if err == nil || within.Err() != nil || !s.reader.IsClosed() {
			break
		}
	}
	return s.explain(ctx, err)
}

// query reads rows on the session for reading.
func query[T any](ctx context.Context, s *store, scan pgx.RowToFunc[T], text string, args ...any) (list []T, err error) {
	err = s.read(ctx, func(ctx context.Context, db *pgx.Conn) error {
		list, err = collect(ctx, db, scan, text, args...)
		return err
	})
	return list, err
}

// querier is a session or a transaction.
type querier interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}

func collect[T any](ctx context.Context, db querier, scan pgx.RowToFunc[T], text string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

func scanLoad(row pgx.CollectableRow) (load batch.Load, err error) {
	return load, row.Scan(&load.ConnectionID, &load.Messages)
}

// Next requires no claim: a worker without one cannot record a request.
func (s *store) Next(ctx context.Context, connectionID string, after batch.Message, n int) ([]batch.Message, error) {
	return query(ctx, s, func(row pgx.CollectableRow) (m batch.Message, err error) {
		m.Item.ConnectionID = connectionID
		return m, row.Scan(&m.Key, &m.Item.Line, &m.Item.MaybeUnsent, &m.Item.UserID, &m.Item.MessageID, &m.Item.WithUserID, &m.Item.Ref)
	}, `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref FROM message
		WHERE run_id = $1 AND connection_id = $2 AND `+isOpen+` AND ended_in <> $3 AND (line, id) > ($4, $5) ORDER BY line, id LIMIT $6`,
		s.runID, connectionID, s.epoch.Load(), after.Item.Line, after.Key, n)
}

// Counts reads the whole run.
func (s *store) Counts(ctx context.Context, inRun bool) (batch.Counts, error) {
	list, err := query(ctx, s, scanCounts, countRows, s.runID, inRun, s.epoch.Load())
	if err != nil {
		return batch.Counts{}, err
	}
	return list[0], nil
}

// Totals remembers the version of the list, so that Begin can refuse a newer one.
func (s *store) Totals(ctx context.Context) (t batch.Totals, err error) {
	err = s.read(ctx, func(ctx context.Context, db *pgx.Conn) error {
		var version int32
		if err := db.QueryRow(ctx, "SELECT list_version FROM run WHERE id = $1", s.runID).Scan(&version); err != nil {
			return err
		}
		s.version.Store(version)
		t, err = s.totals(ctx, db)
		return err
	})
	return t, err
}

func (s *store) totals(ctx context.Context, db querier) (t batch.Totals, err error) {
	counts, err := collect(ctx, db, scanCounts, countRows, s.runID, true, s.epoch.Load())
	if err != nil {
		return t, err
	}
	t.Counts = counts[0]
	if t.Open, err = collect(ctx, db, scanLoad, fmt.Sprintf(loadRows, isOpen), s.runID); err != nil {
		return t, err
	}
	t.Failed, err = collect(ctx, db, scanLoad, fmt.Sprintf(loadRows, isFinalFailure), s.runID)
	return t, err
}

const (
	loadRows  = `SELECT connection_id, count(*) FROM message WHERE run_id = $1 AND %s GROUP BY 1 ORDER BY 1`
	countRows = `SELECT count(*) FILTER (WHERE counted), count(*) FILTER (WHERE NOT counted), count(*) FILTER (WHERE ended AND outcome = 'unsent'),
			count(*) FILTER (WHERE ended AND outcome = 'already_gone'), count(*) FILTER (WHERE ended AND outcome = 'failed'), count(*) FILTER (WHERE ended AND outcome = 'skipped')
		FROM (SELECT outcome, ` + isCounted + ` AS counted, ` + isCounted + ` AND (NOT $2 OR final OR ended_in = $3) AS ended FROM message WHERE run_id = $1) AS m`
)

func scanCounts(row pgx.CollectableRow) (c batch.Counts, err error) {
	return c, row.Scan(&c.Items, &c.SetAside, &c.Unsent, &c.AlreadyGone, &c.Failed, &c.Skipped)
}

const notUnsent = isCounted + ` AND (outcome IS NULL OR outcome IN ('failed', 'skipped'))`

// Groups counts the messages that are not known to be gone.
func (s *store) Groups(ctx context.Context, limit int) ([]batch.Group, error) {
	return query(ctx, s, func(row pgx.CollectableRow) (g batch.Group, err error) {
		return g, row.Scan(&g.Outcome, &g.Scope, &g.Status, &g.Type, &g.Hint, &g.Count, &g.Final, &g.MaybeUnsent)
	}, `SELECT coalesce(outcome, ''), coalesce(scope, ''), coalesce(status, 0), coalesce(type, ''), coalesce(hint, ''),
			count(*), count(*) FILTER (WHERE final), count(*) FILTER (WHERE maybe_unsent)
		FROM message WHERE run_id = $1 AND `+notUnsent+` GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC, 1, 2, 3, 4, 5 LIMIT $2`, s.runID, limit)
}

func (s *store) Messages(ctx context.Context, filter batch.Filter, after int64, n int) ([]batch.Entry, error) {
	wanted := isCounted
	if filter == batch.NotUnsent {
		wanted = notUnsent
	}
	return query(ctx, s, scanEntry, `SELECT id, line, maybe_unsent, user_id, message_id, with_user_id, ref, connection_id, coalesce(outcome, ''), final, attempts,
			coalesce(request_id, ''), coalesce(status, 0), coalesce(scope, ''), coalesce(type, ''), coalesce(error, ''), coalesce(hint, ''), ended_at,
			coalesce(answered, false), coalesce(cause, '')
		FROM message WHERE run_id = $1 AND id > $2 AND `+wanted+` ORDER BY id LIMIT $3`, s.runID, after, n)
}

func scanEntry(row pgx.CollectableRow) (e batch.Entry, err error) {
	var at *time.Time // nil while it is open
	i, f := &e.Item, &e.Failure
	err = row.Scan(&e.Key, &i.Line, &i.MaybeUnsent, &i.UserID, &i.MessageID, &i.WithUserID, &i.Ref, &i.ConnectionID, &e.Outcome, &e.Final, &e.Attempts,
		&e.RequestID, &f.Status, &f.Scope, &f.Type, &f.Text, &f.Hint, &at,
		&f.Answered, &f.Cause)
	if at != nil {
		e.At = *at
	}
	return e, err
}
