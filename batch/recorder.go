package batch

import (
	"context"
	"errors"

	"github.com/unsend-go/unsend/api"
)

// record is an entry for the ledger, and what happens once it is synced there: a Sending is
// sent, an Ended is told.
type record struct {
	entry  Entry
	task   *task
	result Result // of an Ended
}

// commit is what goes to the ledger at once.
type commit struct {
	records []record
	release []string // connections on which nothing is left to do, once this is written
}

func (c *commit) empty() bool { return len(c.records)+len(c.release) == 0 }

// write is the recorder: it writes to the ledger, one commit at a time, and returns the error
// after which it wrote, sent and told nothing more. While one commit is synced, the dispatcher
// gathers the next: that is what makes each sync worth many messages.
func (d *dispatcher) write(commits <-chan commit) (failed error) {
	ctx := context.WithoutCancel(d.ctx)
	var entries []Entry
	for c := range commits {
		entries = entries[:0]
		for i := range c.records {
			entries = append(entries, c.records[i].entry)
		}
		if failed == nil && len(entries) > 0 {
			failed = d.store.Write(ctx, entries)
		}
		synced := failed == nil
		if synced && len(c.release) > 0 {
			failed = d.store.Release(ctx, c.release)
		}
		if failed != nil {
			d.events <- event{err: failed}
		}
		for i := range c.records {
			d.written(&c.records[i], synced)
		}
	}
	return failed
}

// written lets happen what a record was waiting for.
func (d *dispatcher) written(r *record, synced bool) {
	switch {
	case r.entry.Event == Sending && synced:
		d.workers.Go(func() { d.send(r.task) })
	case r.entry.Event == Sending:
		d.events <- event{task: r.task, done: true}
	case r.entry.Event == Ended && synced:
		d.progress.ended(r.task.connection, r.entry.Outcome, d.store.Shared())
		d.results <- r.result
	}
}

// ending makes the record of a task that has ended.
func ending(t *task, outcome Outcome, final bool, err error) record {
	r := record{task: t, entry: Entry{Message: t.Message, Event: Ended, Outcome: outcome, Final: final}}
	r.entry.MaybeUnsent = t.maybe && (outcome == Failed || outcome == Skipped)
	r.entry.Failure = failureOf(err)
	if e, ok := errors.AsType[*api.Error](err); ok {
		r.entry.RequestID = cut(e.RequestID, maxFailureText)
		if e = keepable(e); outcome == Failed {
			err = whole(e, t)
		}
	}
	r.result = Result{
		Item: t.Item, Outcome: outcome, Final: final, MaybeUnsent: r.entry.MaybeUnsent,
		Attempts: t.sent, RequestID: r.entry.RequestID, Err: err, Hint: r.entry.Failure.Hint,
	}
	return r
}

// whole makes the error of the last call one of all calls for its message.
func whole(e *api.Error, t *task) error {
	if e.Attempts == t.sent && e.MaybeUnsent == t.maybe {
		return e
	}
	all := *e
	all.Attempts, all.MaybeUnsent = t.sent, t.maybe
	return &all
}
