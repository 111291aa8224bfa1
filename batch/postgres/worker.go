package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsend-go/unsend/batch"
)

const (
	// isOpen selects the messages that can be sent, but for those that have ended in this epoch.
	isOpen = `NOT final AND NOT set_aside`
	// isFinalFailure selects what --retry-failed opens, isCounted what a report counts.
	isFinalFailure = `final AND NOT set_aside AND outcome = 'failed'`
	isCounted      = `(final OR NOT set_aside)`

	// A worker holds the advisory lock ('worker'::regclass, its id), which no two schemas of a
	// database share. A run's lock is held only within a transaction that changes claims. A
	// connection has none: a stock server holds some 12,000 locks in all.
	lockRun    = `SELECT pg_advisory_xact_lock('run'::regclass::oid::int4, $1)`
	lockWorker = `SELECT pg_advisory_lock('worker'::regclass::oid::int4, $1)`
	// reapDead deletes the workers of a run whose lock is free, and their claims with them.
	reapDead = `DELETE FROM worker WHERE run_id = $1 AND id <> $2 AND pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int4, id)`

	// For othersMayJoin a worker that is alone claims half of what is free, but at least
	// firstClaim connections, so that workers that are started together share.
	othersMayJoin = 10 * time.Second
	firstClaim    = 16
)

// lockRunAndReap makes the transaction the only one that changes claims, and frees those of dead
// workers.
func (s *store) lockRunAndReap(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, reapDead, s.runID, s.workerID)
	return err
}

// Begin makes this process a worker. It joins the current epoch if others are active, or if it
// has lost its session in it; otherwise it begins the next.
func (s *store) Begin(ctx context.Context, retryFailed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuseReader(); err != nil {
		return err
	}
	if s.workerID != 0 {
		s.disconnect() // from a run that did not end
	}
	if err := s.reconnect(ctx); err != nil {
		return err
	}
	var id, epoch int32
	err := s.write(ctx, writeTimeout, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndReap(ctx, tx); err != nil {
			return err
		}
		var version, others int32
		err := tx.QueryRow(ctx, "SELECT epoch, list_version, (SELECT count(*) FROM worker WHERE run_id = $1) FROM run WHERE id = $1", s.runID).Scan(&epoch, &version, &others)
		if err != nil {
			return err
		}
		if known := s.version.Load(); known != 0 && known != version {
			return s.refuse("has another list of messages now: another program has replaced the one that was planned; run it again")
		}
		if others == 0 && epoch != s.epoch.Load() || epoch == 0 {
			if err := tx.QueryRow(ctx, "UPDATE run SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch", s.runID).Scan(&epoch); err != nil {
				return err
			}
		}
		if retryFailed {
			if err := s.reopen(ctx, tx, epoch); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, "INSERT INTO worker (run_id, name) VALUES ($1, $2) RETURNING id", s.runID, s.worker).Scan(&id); err != nil {
			return err
		}
		// The session holds it from here on, before the worker is visible to others.
		_, err = tx.Exec(ctx, lockWorker, id)
		return err
	})
	if err != nil {
		return err
	}
	s.workerID, s.begun = id, time.Now()
	s.epoch.Store(epoch)
	return nil
}

// reopen opens the messages that failed in earlier epochs.
func (s *store) reopen(ctx context.Context, tx pgx.Tx, epoch int32) error {
	tag, err := tx.Exec(ctx, "UPDATE message SET final = false WHERE run_id = $1 AND "+isFinalFailure+" AND ended_in <> $2", s.runID, epoch)
	if err == nil && tag.RowsAffected() > 0 {
		_, err = tx.Exec(ctx, "UPDATE connection SET done_in = 0 WHERE run_id = $1", s.runID)
	}
	return err
}

// Claim gives the worker its share of the free connections, and more with each call if no other worker comes.
func (s *store) Claim(ctx context.Context) (claimed []batch.Load, left int, err error) {
	err = s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndReap(ctx, tx); err != nil {
			return err
		}
		epoch := s.epoch.Load()
		var workers, mine, others int
		err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM worker WHERE run_id = $1), count(*) FILTER (WHERE worker_id = $2), count(*) FILTER (WHERE worker_id <> $2)
			FROM connection WHERE run_id = $1`, s.runID, s.workerID).Scan(&workers, &mine, &others)
		if err != nil {
			return err
		}
		free, err := collect(ctx, tx, pgx.RowTo[string], `SELECT connection_id FROM connection c WHERE run_id = $1 AND worker_id IS NULL AND done_in <> $2
			AND EXISTS (SELECT FROM message m WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND `+isOpen+` AND ended_in <> $2) ORDER BY 1`, s.runID, epoch)
		if err != nil {
			return err
		}
		take := free[:share(len(free), mine, others, workers, time.Since(s.begun) < othersMayJoin)]
		left = others + len(free) - len(take)
		if len(take) == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, "UPDATE connection SET worker_id = $2 WHERE run_id = $1 AND connection_id = ANY ($3)", s.runID, s.workerID, take); err != nil {
			return err
		}
		claimed, err = collect(ctx, tx, scanLoad, "SELECT connection_id, count(*) FROM message WHERE run_id = $1 AND "+isOpen+
			" AND ended_in <> $2 AND connection_id = ANY ($3) GROUP BY 1 ORDER BY 1", s.runID, epoch, take)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return claimed, left, nil
}

// share returns how many free connections a worker takes now: up to an equal part of all, then an
// eighth of what is free with each call. One that is alone and has just begun takes half.
func share(free, mine, others, workers int, justBegun bool) int {
	switch {
	case workers > 1:
		equal := (free + mine + others + workers - 1) / workers
		return min(free, max(equal-mine, (free+7)/8))
	case justBegun:
		return min(free, max(firstClaim, (free+1)/2))
	}
	return free
}

// Write records the entries if the worker holds the claims of all of them.
func (s *store) Write(ctx context.Context, entries []batch.Entry) error {
	unique := map[string]bool{}
	var connections []string
	for i := range entries {
		if id := entries[i].Item.ConnectionID; !unique[id] {
			unique[id] = true
			connections = append(connections, id)
		}
	}
	return s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var b pgx.Batch // one round trip
		b.Queue("SELECT count(*) FROM connection WHERE run_id = $1 AND worker_id = $2 AND connection_id = ANY ($3)", s.runID, s.workerID, connections).QueryRow(func(row pgx.Row) error {
			var n int
			if err := row.Scan(&n); err != nil {
				return err
			}
			if n < len(connections) {
				return s.claimsLost()
			}
			return nil
		})
		for i := range entries {
			s.queue(&b, &entries[i]).Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() != 1 {
					return s.refuse("has changed: a message of this worker is no longer open; another program has written to it")
				}
				return nil
			})
		}
		return tx.SendBatch(ctx, &b).Close()
	})
}

const (
	writeSending = `UPDATE message SET maybe_unsent = true, outcome = NULL WHERE run_id = $1 AND id = $2 AND ` + isOpen
	writeResult  = `UPDATE message SET maybe_unsent = $3, attempts = attempts + $4, request_id = NULLIF($5, ''),
			scope = NULLIF($6, ''), status = $7, type = NULLIF($8, ''), error = NULLIF($9, ''), hint = NULLIF($10, ''),
			outcome = NULLIF($11, ''), final = $12, ended_in = coalesce($13, ended_in), ended_at = $14, answered = $15, cause = NULLIF($16, '')
		WHERE run_id = $1 AND id = $2 AND ` + isOpen
)

// queue adds the statement that records an entry.
func (s *store) queue(b *pgx.Batch, e *batch.Entry) *pgx.QueuedQuery {
	if e.Sending {
		return b.Queue(writeSending, s.runID, e.Key)
	}
	var scope string
	var status *int
	var answered *bool
	if e.Failure != (batch.Failure{}) {
		scope, status, answered = e.Failure.Scope.String(), &e.Failure.Status, &e.Failure.Answered
	}
	args := []any{s.runID, e.Key, e.MaybeUnsent, e.Attempts, e.RequestID, scope, status, e.Failure.Type, e.Failure.Text, e.Failure.Hint}
	if e.Outcome != "" {
		args = append(args, string(e.Outcome), e.Final, s.epoch.Load(), e.At)
	} else {
		args = append(args, "", false, nil, nil)
	}
	args = append(args, answered, e.Failure.Cause)
	return b.Queue(writeResult, args...)
}

// Release releases connections, and marks those without open messages as done in this epoch. If
// messages were added meanwhile, the next Claim finds the connection again.
func (s *store) Release(ctx context.Context, connectionIDs []string) error {
	return s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE connection c SET worker_id = NULL, done_in = CASE WHEN EXISTS (SELECT FROM message m
				WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND `+isOpen+` AND ended_in <> $3) THEN c.done_in ELSE $3 END
			WHERE run_id = $1 AND worker_id = $2 AND connection_id = ANY ($4)`, s.runID, s.workerID, s.epoch.Load(), connectionIDs)
		return err
	})
}

// End releases all claims, and ends the session, which frees its lock. Losing the session has the
// same effect, and is no error.
func (s *store) End(ctx context.Context) error {
	err := s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM worker WHERE id = $1", s.workerID)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.epoch.Store(0)
	if errors.Is(err, batch.ErrClaimLost) {
		return nil
	}
	return err
}
