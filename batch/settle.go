package batch

import (
	"errors"
	"time"

	"github.com/unsend-go/unsend/api"
)

// settle finds out what an answer means for its message and its connection. It asks for facts
// of the error only: what a status or a type means is decided in package api.
func (d *dispatcher) settle(t *task, result *api.Result, err error, now time.Time) {
	c := t.connection
	if err == nil {
		t.sent += result.Attempts
		t.unrecorded += result.Attempts
		c.recordSuccess(now)
		d.progress.change(func() { d.progress.trouble = nil })
		outcome := Unsent
		if result.Outcome == api.AlreadyGone {
			outcome = AlreadyGone
		}
		rec := ending(t, outcome, true, nil)
		rec.entry.RequestID = cut(result.RequestID, maxFailureText)
		rec.result.RequestID, rec.result.Response = rec.entry.RequestID, result
		d.record(rec)
		return
	}
	var e *api.Error
	if !errors.As(err, &e) {
		d.settleUnsendable(t, err)
		return
	}
	t.sent += e.Attempts
	t.unrecorded += e.Attempts
	if e.Attempts > 0 {
		t.maybe = e.MaybeUnsent
	}
	switch {
	case e.Attempts == 0 && (d.halting || c.stopped != nil || d.ctx.Err() != nil):
		d.notSent(t, true)
	case d.ctx.Err() != nil:
		d.record(ending(t, Failed, false, err))
	default:
		d.settleError(t, e, now)
	}
}

// settleUnsendable is for a call that was refused before it began: for the message's ids, or
// for the client's configuration.
func (d *dispatcher) settleUnsendable(t *task, err error) {
	d.record(ending(t, Failed, false, err))
	if !errors.Is(err, api.ErrInvalidID) || errors.Is(err, api.ErrConfig) {
		d.run.halt(err)
		d.halt()
	}
}

func (d *dispatcher) settleError(t *task, e *api.Error, now time.Time) {
	c := t.connection
	switch e.Scope {
	case api.ScopeMessage:
		c.recordSuccess(now)
		d.record(ending(t, Failed, e.Answered && !t.maybe, e))
	case api.ScopeConnection:
		d.record(ending(t, Failed, false, e))
		d.stop(c, e)
	case api.ScopeAccount, api.ScopeClient:
		d.record(ending(t, Failed, false, e))
		d.run.halt(e)
		d.halt()
	case api.ScopeService, api.ScopeUnknown:
		d.settleTransient(t, e, now)
	}
}

// settleTransient sends the message again, later, unless that has been done often enough.
func (d *dispatcher) settleTransient(t *task, e *api.Error, now time.Time) {
	c := t.connection
	kept := keepable(e)
	d.progress.change(func() { d.progress.trouble = kept })
	t.err = kept
	wait := max(e.RetryAfter, firstWait)
	if e.Attempts > 0 {
		if c.recordFailure(t.began, now, e.RetryAfter) && !d.halting {
			d.stop(c, kept)
		}
		t.tries++
		wait = backoff(t.tries)
	}
	if d.halting || c.stopped != nil || t.tries > maxRequeues {
		d.record(ending(t, Failed, false, e))
		return
	}
	t.due = now.Add(wait)
	c.retry(t)
	d.progress.underWay(c, 0, 1)
	d.record(record{task: t, entry: Entry{
		Message: t.Message, Event: Waiting, MaybeUnsent: t.maybe, Failure: failureOf(e), RequestID: cut(e.RequestID, maxFailureText),
	}})
}
