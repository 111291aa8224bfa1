package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

// A worker's advisory lock has the key ('worker'::regclass, its id): no two schemas of a database
// share one. A run's has ('run'::regclass, its id), and is held only within transactions that
// change who works on what. There is none for a connection: a stock server holds some 12,000.
const (
	lockRun    = `SELECT pg_advisory_xact_lock('run'::regclass::oid::int4, $1)`
	lockWorker = `SELECT pg_advisory_lock('worker'::regclass::oid::int4, $1)`
	unlock     = `SELECT pg_advisory_unlock('worker'::regclass::oid::int4, $1)`
	// buryDead deletes the workers of a run whose lock is free, and with them their claims.
	buryDead = `DELETE FROM worker WHERE run_id = $1 AND id <> $2 AND pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int4, id)`

	newWorker = `INSERT INTO worker (run_id, name) VALUES ($1, $2) RETURNING id`
	nextRound = `UPDATE run SET round = round + 1 WHERE id = $1 RETURNING round`
	// reopen opens failed messages again, but those that failed in this round.
	reopen       = `UPDATE message SET final = false WHERE run_id = $1 AND outcome = 'failed' AND final AND ended_in <> $2`
	reconsider   = `UPDATE connection SET done_in = 0 WHERE run_id = $1`
	countWorkers = `SELECT count(*) FROM worker WHERE run_id = $1 AND id <> $2`

	countLoads = `SELECT connection_id, count(*) FROM message WHERE run_id = $1 AND ` + isOpen + ` AND ended_in <> $2 AND connection_id = ANY ($3) GROUP BY 1 ORDER BY 1`
	freeRows   = `SELECT c.connection_id FROM connection c WHERE c.run_id = $1 AND c.worker_id IS NULL AND c.done_in <> $2
		AND EXISTS (SELECT FROM message m WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND ` + isOpen + ` AND ended_in <> $2) ORDER BY 1`
	countClaims = `SELECT count(*) FILTER (WHERE worker_id = $2), count(*) FILTER (WHERE worker_id <> $2) FROM connection WHERE run_id = $1`
	claimRows   = `UPDATE connection SET worker_id = $2 WHERE run_id = $1 AND worker_id IS NULL AND connection_id = ANY ($3)`
	// releaseRows gives connections back, and notes those on which nothing is open.
	releaseRows = `UPDATE connection c SET worker_id = NULL, done_in = CASE WHEN EXISTS (SELECT FROM message m
			WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND ` + isOpen + ` AND ended_in <> $3) THEN c.done_in ELSE $3 END
		WHERE c.run_id = $1 AND c.worker_id = $2 AND c.connection_id = ANY ($4)`
	endWorker = `DELETE FROM worker WHERE id = $1`
)

const (
	// othersMayCome is how long after it began a worker leaves connections to others, but for
	// firstClaim of them.
	othersMayCome = 10 * time.Second
	firstClaim    = 16
)

// lockRunAndBury makes the caller the only one that changes who works on what, until its
// transaction ends, and frees what the dead have claimed.
func (s *store) lockRunAndBury(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, buryDead, s.runID, s.workerID)
	return err
}

// Begin makes this process a worker. Who has lost its session in the latest round goes on in
// that; and so does who comes while others work.
func (s *store) Begin(ctx context.Context, retryFailed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.workerID != 0 {
		s.disconnect() // of a run that did not end
	}
	if err := s.reconnect(ctx); err != nil {
		return err
	}
	var id, round int32
	err := s.write(ctx, writeTimeout, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndBury(ctx, tx); err != nil {
			return err
		}
		var list, others int32
		err := tx.QueryRow(ctx, "SELECT round, list FROM run WHERE id = $1", s.runID).Scan(&round, &list)
		if err == nil {
			err = tx.QueryRow(ctx, countWorkers, s.runID, 0).Scan(&others)
		}
		if err != nil {
			return err
		}
		if known := s.list.Load(); known != 0 && known != list+1 {
			return s.refuse("has another list of messages by now: somebody has replaced that which this program has read; run it again")
		}
		goesOn := s.working.Load() && round == s.round.Load() // its session was lost
		if others == 0 && !goesOn {
			if err := tx.QueryRow(ctx, nextRound, s.runID).Scan(&round); err != nil {
				return err
			}
		}
		if retryFailed {
			tag, err := tx.Exec(ctx, reopen, s.runID, round)
			if err == nil && tag.RowsAffected() > 0 {
				_, err = tx.Exec(ctx, reconsider, s.runID)
			}
			if err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, newWorker, s.runID, s.worker).Scan(&id); err != nil {
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
	s.working.Store(true)
	s.recount()
	return nil
}

// Claim gives the worker its share of what is free, and more each time while nobody else comes.
func (s *store) Claim(ctx context.Context) (claimed []batch.Load, left int, err error) {
	var mine int
	err = s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndBury(ctx, tx); err != nil {
			return err
		}
		round := s.round.Load()
		var others, workers int
		err := tx.QueryRow(ctx, countClaims, s.runID, s.workerID).Scan(&mine, &others)
		if err == nil {
			err = tx.QueryRow(ctx, countWorkers, s.runID, 0).Scan(&workers)
		}
		if err != nil {
			return err
		}
		free, err := collect(ctx, tx, pgx.RowTo[string], freeRows, s.runID, round)
		if err != nil {
			return err
		}
		take := free[:share(len(free), mine, others, workers, time.Since(s.begun) < othersMayCome)]
		left = others + len(free) - len(take)
		if len(take) == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, claimRows, s.runID, s.workerID, take); err != nil {
			return err
		}
		claimed, err = collect(ctx, tx, scanLoad, countLoads, s.runID, round, take)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if left+mine+len(claimed) == 0 {
		s.recount() // others have done all: the last count is exact
	}
	return claimed, left, nil
}

// share is how many free connections a worker takes now: up to an equal part of all, and beyond
// that a few, lest a worker that does nothing keeps others from them. One that is alone and has
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

// Release gives connections back. What was added to them meanwhile is somebody's again.
func (s *store) Release(ctx context.Context, connectionIDs []string) error {
	defer s.recount() // after the last connection the last count is exact
	return s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockRun, s.runID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, releaseRows, s.runID, s.workerID, s.round.Load(), connectionIDs)
		return err
	})
}

// End gives back all claims. A session that has ended has given them back by that.
func (s *store) End(ctx context.Context) error {
	defer s.working.Store(false)
	var id int32
	err := s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		id = s.workerID
		_, err := tx.Exec(ctx, endWorker, id)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.workerID = 0
		_, err = s.session.Exec(ctx, unlock, id)
	}
	if err != nil {
		s.disconnect()
	}
	if err = s.explain(ctx, err); errors.Is(err, batch.ErrClaimLost) {
		return nil
	}
	return err
}
