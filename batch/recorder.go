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

// recorder writes to the ledger, one commit at a time. While one is synced, the dispatcher
// gathers the next: that is what makes each sync worth many messages.
type recorder struct {
	*run
	commits chan commit
	send    func(*task)
	failed  chan failure // the one that ends the recorder
	done    chan struct{}
}

// failure is an error of the ledger, and the records that it kept from being written.
type failure struct {
	err     error
	records []record
}

func (r *recorder) work() {
	defer close(r.done)
	ctx := context.WithoutCancel(r.ctx)
	var entries []Entry
	for c := range r.commits {
		entries = entries[:0]
		for i := range c.records {
			entries = append(entries, c.records[i].entry)
		}
		if len(entries) > 0 {
			if err := r.store.Write(ctx, entries); err != nil {
				r.failed <- failure{err, c.records}
				return
			}
		}
		for i := range c.records {
			r.written(&c.records[i])
		}
		if len(c.release) > 0 {
			if err := r.store.Release(ctx, c.release); err != nil {
				r.failed <- failure{err: err}
				return
			}
		}
	}
}

func (r *recorder) written(rec *record) {
	switch rec.entry.Event {
	case Sending:
		r.send(rec.task)
	case Ended:
		r.progress.ended(rec.task.connection, rec.entry.Outcome, r.store.Shared())
		r.results <- rec.result
	case Waiting:
	}
}

// ending makes the record of a task that has ended.
func ending(t *task, outcome Outcome, final bool, err error) record {
	r := record{task: t, entry: Entry{Message: t.Message, Event: Ended, Outcome: outcome, Final: final}}
	r.entry.MaybeUnsent = t.maybe && (outcome == Failed || outcome == Skipped)
	r.entry.Failure = failureOf(err)
	var e *api.Error
	if errors.As(err, &e) {
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
