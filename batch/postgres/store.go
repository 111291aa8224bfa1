package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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

	isOpen     = `NOT final AND NOT set_aside` // and not ended in this round
	countLoads = `SELECT connection_id, count(*) FROM message WHERE run_id = $1 AND ` + isOpen + ` AND ended_in <> $2 AND connection_id = ANY ($3) GROUP BY 1 ORDER BY 1`
	freeRows   = `SELECT c.connection_id FROM connection c WHERE c.run_id = $1 AND c.worker_id IS NULL AND c.done_in <> $2
		AND EXISTS (SELECT FROM message m WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND ` + isOpen + ` AND ended_in <> $2) ORDER BY 1`
	countClaims = `SELECT count(*) FILTER (WHERE worker_id = $2), count(*) FILTER (WHERE worker_id <> $2) FROM connection WHERE run_id = $1`
	claimRows   = `UPDATE connection SET worker_id = $2 WHERE run_id = $1 AND worker_id IS NULL AND connection_id = ANY ($3)`
	checkClaims = `SELECT count(*) FROM connection WHERE run_id = $1 AND worker_id = $2 AND connection_id = ANY ($3)`
	// releaseRows gives connections back, and notes those on which nothing is open.
	releaseRows = `UPDATE connection c SET worker_id = NULL, done_in = CASE WHEN EXISTS (SELECT FROM message m
			WHERE m.run_id = c.run_id AND m.connection_id = c.connection_id AND ` + isOpen + ` AND ended_in <> $3) THEN c.done_in ELSE $3 END
		WHERE c.run_id = $1 AND c.worker_id = $2 AND c.connection_id = ANY ($4)`
	endWorker = `DELETE FROM worker WHERE id = $1`

	writeSending = `UPDATE message SET maybe_unsent = true, outcome = NULL WHERE run_id = $1 AND id = ANY ($2) AND ` + isOpen
	writeResults = `UPDATE message m SET maybe_unsent = e.maybe_unsent, attempts = m.attempts + e.attempts, outcome = NULLIF(e.outcome, ''), final = e.final,
			ended_in = CASE WHEN e.outcome = '' THEN m.ended_in ELSE $2 END, ended_at = e.ended_at,
			status = e.status, scope = NULLIF(e.scope, ''), type = NULLIF(e.type, ''), error = NULLIF(e.error, ''), hint = NULLIF(e.hint, ''), request_id = NULLIF(e.request_id, '')
		FROM unnest($3::bigint[], $4::boolean[], $5::integer[], $6::text[], $7::boolean[], $8::timestamptz[], $9::integer[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
			AS e (id, maybe_unsent, attempts, outcome, final, ended_at, status, scope, type, error, hint, request_id)
		WHERE m.run_id = $1 AND m.id = e.id AND ` + isOpenM
	isOpenM = `NOT m.final AND NOT m.set_aside`
)

const (
	writeTimeout = time.Minute // for what a worker writes: then its session is taken for lost
	closeTimeout = 5 * time.Second
	// othersMayCome is how long after it began a worker leaves connections to others, but for
	// firstClaim of them.
	othersMayCome = 10 * time.Second
	firstClaim    = 16
)

// store is a run in a database.
type store struct {
	name     string // for people
	run      string
	schema   string
	worker   string // for people
	config   *pgx.ConnConfig
	readOnly bool
	service  string
	runID    int32
	list     atomic.Int32 // the list that was loaded or planned from; 0 for none
	round    atomic.Int32 // that was begun last, from 1; 0 for none
	working  atomic.Bool  // between Begin and End

	mu       sync.Mutex // a session does one thing at a time
	session  *pgx.Conn  // all that the worker writes goes through it
	workerID int32      // 0: none
	begun    time.Time

	reads  sync.Mutex
	reader *pgx.Conn // another session, for reads that must not wait for a sync
}

func (s *store) Name() string    { return s.name }
func (s *store) Service() string { return s.service }
func (s *store) Shared() bool    { return true }

// write runs f in a transaction of the worker's session, which is synced when write returns
// without an error. Where that fails, the session ends, and with it all claims: only so is it
// certain that nobody holds what nobody works on.
func (s *store) write(ctx context.Context, limit time.Duration, f func(context.Context, pgx.Tx) error) error {
	if s.session == nil || s.session.IsClosed() {
		return s.explain(ctx, errClaims)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := pgx.BeginFunc(within, s.session, func(tx pgx.Tx) error { return f(within, tx) })
	if err == nil {
		return nil
	}
	err = s.explain(ctx, err)
	if errors.Is(err, batch.ErrClaimLost) {
		s.disconnect()
	}
	return err
}

// work is write for a worker that has begun.
func (s *store) work(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.workerID == 0 {
		return s.explain(ctx, errClaims)
	}
	return s.write(ctx, writeTimeout, f)
}

func (s *store) disconnect() {
	s.workerID = 0
	if s.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.session.Close(ctx)
	}
}

// reconnect makes sure that there is a session. It tries once: who calls Begin waits between
// two tries.
func (s *store) reconnect(ctx context.Context) (err error) {
	switch {
	case s.readOnly:
		return s.refuse("is open for reading only")
	case s.session != nil && !s.session.IsClosed():
		return nil
	}
	s.workerID = 0
	s.session, err = s.connect(ctx)
	return err
}

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
	return nil
}

// Claim gives the worker its share of what is free, and more each time while nobody else comes.
func (s *store) Claim(ctx context.Context) (claimed []batch.Load, left int, err error) {
	err = s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := s.lockRunAndBury(ctx, tx); err != nil {
			return err
		}
		round := s.round.Load()
		var mine, others, workers int
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

// Write records the entries, if the worker has the claims of all of them.
func (s *store) Write(ctx context.Context, entries []batch.Entry) error {
	connections := map[string]bool{}
	for i := range entries {
		connections[entries[i].Item.ConnectionID] = true
	}
	names := make([]string, 0, len(connections))
	for name := range connections {
		names = append(names, name)
	}
	slices.Sort(names)
	return s.work(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(checkClaims, s.runID, s.workerID, names).QueryRow(func(row pgx.Row) error {
			var n int
			if err := row.Scan(&n); err != nil {
				return err
			}
			if n < len(names) {
				return errClaims
			}
			return nil
		})
		for rest := entries; len(rest) > 0; {
			rest = s.queue(&b, rest)
		}
		return tx.SendBatch(ctx, &b).Close()
	})
}

// queue adds what records the first entries: as many as are of different messages, since one
// statement cannot change a message twice.
func (s *store) queue(b *pgx.Batch, entries []batch.Entry) (rest []batch.Entry) {
	seen := make(map[int64]bool, len(entries))
	var sending []int64
	var r results
	for i := range entries {
		e := &entries[i]
		if seen[e.Key] {
			rest = entries[i:]
			break
		}
		seen[e.Key] = true
		if e.Event == batch.Sending {
			sending = append(sending, e.Key)
		} else {
			r.add(e)
		}
	}
	if len(sending) > 0 {
		s.expect(b.Queue(writeSending, s.runID, sending), len(sending))
	}
	if len(r.id) > 0 {
		s.expect(b.Queue(writeResults, s.runID, s.round.Load(), r.id, r.maybe, r.attempts, r.outcome, r.final, r.at,
			r.status, r.scope, r.kind, r.text, r.hint, r.requestID), len(r.id))
	}
	return rest
}

// expect makes it an error if not all messages were as they must be.
func (s *store) expect(q *pgx.QueuedQuery, n int) {
	q.Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(n) {
			return s.refuse("has changed: a message of this worker is no longer open; another program has written to it")
		}
		return nil
	})
}

// results are entries that are not Sending, one slice for each column.
type results struct {
	id                                          []int64
	maybe, final                                []bool
	attempts                                    []int32
	outcome, scope, kind, text, hint, requestID []string
	status                                      []*int32
	at                                          []*time.Time
}

func (r *results) add(e *batch.Entry) {
	r.id = append(r.id, e.Key)
	r.maybe = append(r.maybe, e.MaybeUnsent)
	r.attempts = append(r.attempts, int32(e.Attempts)) //nolint:gosec // a few
	r.requestID = append(r.requestID, e.RequestID)
	outcome, final, at := "", false, (*time.Time)(nil)
	if e.Event == batch.Ended {
		outcome, final, at = string(e.Outcome), e.Final, &e.At
	}
	r.outcome, r.final, r.at = append(r.outcome, outcome), append(r.final, final), append(r.at, at)
	scope, status := "", (*int32)(nil)
	if e.Failure != (batch.Failure{}) {
		code := int32(e.Failure.Status) //nolint:gosec // an HTTP status
		scope, status = e.Failure.Scope.String(), &code
	}
	r.scope, r.status = append(r.scope, scope), append(r.status, status)
	r.kind = append(r.kind, e.Failure.Type)
	r.text = append(r.text, e.Failure.Text)
	r.hint = append(r.hint, e.Failure.Hint)
}

// Release gives connections back. What was added to them meanwhile is somebody's again.
func (s *store) Release(ctx context.Context, connectionIDs []string) error {
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

// Close ends both sessions.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.reads.Lock()
	defer s.reads.Unlock()
	if s.reader != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.reader.Close(ctx)
	}
	return nil
}
