package batch

import (
	"context"
	"errors"

	"github.com/unsend-go/unsend/api"
)

// record is an entry for the ledger, and what happens when it is synced: a Sending is sent, an
// outcome is yielded.
type record struct {
	entry  Entry
	task   *task
	result Result // with an outcome
}

// commit is what is written to the ledger at once.
type commit struct {
	records []record
	release []string // connections on which nothing is left to do when this is written
}

func (c *commit) empty() bool { return len(c.records)+len(c.release) == 0 }

// recorder writes to the ledger what the dispatcher decides, on a goroutine of its own.
type recorder struct {
	store    Store
	progress *Progress
	sender   *sender
	events   chan<- event
	results  chan<- Result
}

// work writes one commit at a time, and returns the error after which it wrote, sent and yielded
// nothing more. While one commit is synced the dispatcher gathers the next, so that each sync
// serves many messages.
func (r *recorder) work(ctx context.Context, commits <-chan commit) (failed error) {
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

// afterCommit does what a record was waiting for.
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

// ending returns the record of a task's outcome.
func ending(t *task, outcome Outcome, final bool, err error) record {
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

// whole returns the error of the last call as one of all calls for its message.
func whole(e *api.Error, t *task) error {
	if e.Attempts == t.sent && e.MaybeUnsent == t.maybe {
		return e
	}
	all := *e
	all.Attempts, all.MaybeUnsent = t.sent, t.maybe
	return &all
}
