package batch

import (
	"context"
	"errors"

	"github.com/unsend-go/unsend/api"
)

// record is an entry for the ledger. When it is synced a Sending is sent, and an outcome yielded.
type record struct {
	entry  Entry
	task   *task
	result Result // with an outcome
}

// commit is written to the ledger in one transaction.
type commit struct {
	records []record
	release []string // connections on which nothing is left to do after it
}

func (c *commit) empty() bool { return len(c.records)+len(c.release) == 0 }

// recorder writes the dispatcher's decisions to the ledger, on a goroutine of its own.
type recorder struct {
	store    Store
	progress *Progress
	sender   *sender
	events   chan<- event
	results  chan<- Result
}

// writeAll writes one commit at a time. After an error it writes, sends and yields nothing more, and
// returns that error in the end. During a sync the dispatcher gathers the next commit, so that one
// sync serves many messages.
func (r *recorder) writeAll(ctx context.Context, commits <-chan commit) (failed error) {
	var entries []Entry
	for c := range commits {
		entries = entries[:0]
		for i := range c.records {
			entries = append(entries, c.records[i].entry)
		}
		if failed == nil && len(entries) > 0 {
			failed = r.store.Write(ctx, entries)
		}
		synced := failed == nil
		if synced && len(c.release) > 0 {
			failed = r.store.Release(ctx, c.release)
		}
		if failed != nil {
			r.events <- event{err: failed}
		}
		for i := range c.records {
			r.afterCommit(&c.records[i], synced)
		}
	}
	return failed
}

// afterCommit sends or yields a record that is synced.
func (r *recorder) afterCommit(rec *record, synced bool) {
	switch {
	case rec.entry.Sending && synced:
		r.sender.start(rec.task)
	case rec.entry.Sending:
		r.events <- event{task: rec.task, done: true}
	case rec.entry.Outcome != "" && synced:
		r.progress.ended(rec.task.connection, rec.entry.Outcome, r.store.Shared())
		r.results <- rec.result
	}
}

// outcomeRecord returns the record of a task's outcome.
func outcomeRecord(t *task, outcome Outcome, final bool, err error) record {
	r := record{task: t, entry: Entry{Message: t.Message, Outcome: outcome, Final: final}}
	r.entry.MaybeUnsent = t.maybe && (outcome == Failed || outcome == Skipped)
	r.entry.Failure = failureOf(err)
	if e, ok := errors.AsType[*api.Error](err); ok {
		r.entry.RequestID = cut(e.RequestID, maxFailureText)
		if outcome == Failed {
			err = whole(e, t)
		}
	}
	r.result = Result{
		Item: t.Item, Outcome: outcome, Final: final, MaybeUnsent: r.entry.MaybeUnsent,
		Attempts: t.sent, RequestID: r.entry.RequestID, Err: err, Hint: r.entry.Failure.Hint,
	}
	return r
}

// whole returns the error of the last call with the attempts of all calls for its message.
func whole(e *api.Error, t *task) error {
	if e.Attempts == t.sent {
		return e
	}
	all := *e
	all.Attempts = t.sent
	return &all
}
