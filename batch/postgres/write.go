package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsend-go/unsend/batch"
)

const (
	checkClaims  = `SELECT count(*) FROM connection WHERE run_id = $1 AND worker_id = $2 AND connection_id = ANY ($3)`
	writeSending = `UPDATE message SET maybe_unsent = true, outcome = NULL WHERE run_id = $1 AND id = ANY ($2) AND ` + isOpen
	writeResults = `UPDATE message m SET maybe_unsent = e.maybe_unsent, attempts = m.attempts + e.attempts, outcome = NULLIF(e.outcome, ''), final = e.final,
			ended_in = CASE WHEN e.outcome = '' THEN m.ended_in ELSE $2 END, ended_at = e.ended_at,
			status = e.status, scope = NULLIF(e.scope, ''), type = NULLIF(e.type, ''), error = NULLIF(e.error, ''), hint = NULLIF(e.hint, ''), request_id = NULLIF(e.request_id, '')
		FROM unnest($3::bigint[], $4::boolean[], $5::integer[], $6::text[], $7::boolean[], $8::timestamptz[], $9::integer[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
			AS e (id, maybe_unsent, attempts, outcome, final, ended_at, status, scope, type, error, hint, request_id)
		WHERE m.run_id = $1 AND m.id = e.id AND ` + isOpenM
	isOpenM = `NOT m.final AND NOT m.set_aside`
)

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
