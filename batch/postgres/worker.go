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
	// isOpen is true of a message that can be sent, unless it has ended in this round.
	isOpen = `NOT final AND NOT set_aside`
	// isRefused is true of what --retry-failed opens, isCounted of what is not set aside.
	isRefused = `final AND NOT set_aside AND outcome = 'failed'`
	isCounted = `(final OR NOT set_aside)`

	// A worker's advisory lock has the key ('worker'::regclass, its id): no two schemas of a
	// database share one. A run's is held only within transactions that change who works on
	// what. There is none for a connection: a stock server holds some 12,000.
	lockRun    = `SELECT pg_advisory_xact_lock('run'::regclass::oid::int4, $1)`
	lockWorker = `SELECT pg_advisory_lock('worker'::regclass::oid::int4, $1)`
	// reapDead deletes the workers of a run whose lock is free, and with them their claims.
	reapDead = `DELETE FROM worker WHERE run_id = $1 AND id <> $2 AND pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int4, id)`

	// othersMayJoin is how long after it began a worker leaves connections to others, but for
	// firstClaim of them.
	othersMayJoin = 10 * time.Second
	firstClaim    = 16
)

// lockRunAndReap makes the caller the only one that changes who works on what, until its
// transaction ends, and frees what the dead have claimed.
func (s *store) lockRunAndReap(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, reapDead, s.runID, s.workerID)
	return err
}

// Begin makes this process a worker. One that lost its session in the latest round continues in
// that, as does one that begins while others are active.
func (s *store) Begin(ctx context.Context, retryFailed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuseReader(); err != nil {
		return err
	}
	if s.workerID != 0 {
		s.disconnect() // of a run that did not end
	}
	if err := s.reconnect(ctx); err != nil {
		return err
	}
	var id, round int32
	err := s.write(ctx, writeTimeout, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndReap(ctx, tx); err != nil {
			return err
		}
		var list, others int32
		err := tx.QueryRow(ctx, "SELECT round, list, (SELECT count(*) FROM worker WHERE run_id = $1) FROM run WHERE id = $1", s.runID).Scan(&round, &list, &others)
		if err != nil {
			return err
		}
		if known := s.list.Load(); known != 0 && known != list {
			return s.refuse("has another list of messages by now: somebody has replaced that which this program has read; run it again")
		}
		if others == 0 && round != s.round.Load() || round == 0 {
			if err := tx.QueryRow(ctx, "UPDATE run SET round = round + 1 WHERE id = $1 RETURNING round", s.runID).Scan(&round); err != nil {
				return err
			}
		}
		if retryFailed {
			if err := s.reopen(ctx, tx, round); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, "INSERT INTO worker (run_id, name) VALUES ($1, $2) RETURNING id", s.runID, s.worker).Scan(&id); err != nil {
			return err
		}
		// Held by the session from here on, and before anybody sees the worker.
		_, err = tx.Exec(ctx, lockWorker, id)
		return err
	})
	if err != nil {
		return err
	}
	s.workerID, s.begun = id, time.Now()
	s.round.Store(round)
	return nil
}

// reopen opens failed messages again, but those that failed in this round.
func (s *store) reopen(ctx context.Context, tx pgx.Tx, round int32) error {
	tag, err := tx.Exec(ctx, "UPDATE message SET final = false WHERE run_id = $1 AND "+isRefused+" AND ended_in <> $2", s.runID, round)
	if err == nil && tag.RowsAffected() > 0 {
		_, err = tx.Exec(ctx, "UPDATE connection SET done_in = 0 WHERE run_id = $1", s.runID)
	}
	return err
}

// Claim gives the worker its share of what is free, and more each time while nobody else comes.
func (s *store) Claim(ctx context.Context) (claimed []batch.Load, left int, err error) {
	err = s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndReap(ctx, tx); err != nil {
			return err
		}
		round := s.round.Load()
		var workers, mine, others int
		err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM worker WHERE run_id = $1), count(*) FILTER (WHERE worker_id = $2), count(*) FILTER (WHERE worker_id <> $2)
			FROM connection WHERE run_id = $1`, s.runID, s.workerID).Scan(&workers, &mine, &others)
		if err != nil {
			return err
		}
		free, err := collect(ctx, tx, pgx.RowTo[string], `SELECT connection_id FROM connection c WHERE run_id = $1 AND worker_id IS NULL AND done_in <> $2
			AND EXISTS (SELECT FROM message m WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND `+isOpen+` AND ended_in <> $2) ORDER BY 1`, s.runID, round)
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
			" AND ended_in <> $2 AND connection_id = ANY ($3) GROUP BY 1 ORDER BY 1", s.runID, round, take)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return claimed, left, nil
}

// share is how many free connections a worker takes now: up to an equal part of all, and beyond
// that a few, so that an idle worker does not keep others from them. One that is alone and has
// just begun takes half of what is free, since others may be about to come.
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

// Write records the entries, if the worker has the claims of all of them.
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

// queue adds what records an entry.
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
		args = append(args, string(e.Outcome), e.Final, s.round.Load(), e.At)
	} else {
		args = append(args, "", false, nil, nil)
	}
	args = append(args, answered, e.Failure.Cause)
	return b.Queue(writeResult, args...)
}

// Release gives connections back, and notes those on which nothing is open. What was added to
// them meanwhile is somebody's again.
func (s *store) Release(ctx context.Context, connectionIDs []string) error {
	return s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE connection c SET worker_id = NULL, done_in = CASE WHEN EXISTS (SELECT FROM message m
				WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND `+isOpen+` AND ended_in <> $3) THEN c.done_in ELSE $3 END
			WHERE run_id = $1 AND worker_id = $2 AND connection_id = ANY ($4)`, s.runID, s.workerID, s.round.Load(), connectionIDs)
		return err
	})
}

// End gives back all claims, and ends the session, whose lock goes with it. A session that was
// lost has given them back by that.
func (s *store) End(ctx context.Context) error {
	err := s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM worker WHERE id = $1", s.workerID)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.round.Store(0)
	if errors.Is(err, batch.ErrClaimLost) {
		return nil
	}
	return err
}
