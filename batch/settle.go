package batch

import (
	"errors"
	"time"

	"github.com/unsend-go/unsend/api"
)

// maxKeptBody is how much of an answer's body an error keeps while its item waits.
const maxKeptBody = 4 << 10

// settle finds out what an answer means for its item and its lane. begun says that the call
// made an attempt: one that was stopped before has sent nothing, whatever its error leaves
// open.
func (r *run) settle(l *lane, t task, answer *api.Result, err error, begun bool, out *outbox) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	l.counts.InFlight--
	if over := r.ctx.Err(); over != nil {
		r.halted(over)
	}
	if err == nil {
		t.sent += answer.Attempts
		r.accepted(l, now)
		outcome := Unsent
		if answer.Outcome == api.AlreadyGone {
			outcome = AlreadyGone
		}
		r.end(l, t, Result{Outcome: outcome, Final: true, RequestID: answer.RequestID, Response: answer}, out)
		return
	}
	if l.closed && !begun {
		r.uncalled(l, t, out)
		return
	}
	var e *api.Error
	if errors.As(err, &e) {
		t.sent += e.Attempts
		t.maybe = t.maybe || e.MaybeUnsent
	}
	r.settleError(l, t, err, e, now, out)
}

func (r *run) settleError(l *lane, t task, err error, e *api.Error, now time.Time, out *outbox) {
	failed := Result{Outcome: Failed, Err: err}
	switch judge(err) {
	case settles:
		r.accepted(l, now)
		if t.maybe && gone(err) {
			r.end(l, t, Result{Outcome: AlreadyGone, Final: true, RequestID: e.RequestID}, out)
			return
		}
		failed.Final = !t.maybe
	case ends:
		r.accepted(l, now)
	case stops:
		r.stopLane(l, err)
	case passes:
		if r.reason == nil && l.missed(t.began, now, e.RetryAfter) {
			r.stopLane(l, err)
		}
		if e.Attempts > 0 {
			t.tries++
		}
		if r.reason == nil && l.stopped == nil && t.tries <= maxRequeues {
			t.err, t.due = slim(e), now.Add(backoff(t.tries))
			l.pushWaiting(t)
			out.waits(t)
			return
		}
	}
	r.end(l, t, failed, out)
}

// accepted notes an answer to a request that was carried out, or refused for its message.
func (r *run) accepted(l *lane, now time.Time) {
	l.heard(now)
	r.staff(l)
}

// uncalled is for a task that was stopped before anything was sent: with the run, or with its
// connection.
func (r *run) uncalled(l *lane, t task, out *outbox) {
	switch {
	case t.tries > 0:
		r.end(l, t, Result{Outcome: Failed, Err: t.err}, out)
	case r.reason == nil:
		r.end(l, t, Result{Outcome: Skipped, Err: l.stopped}, out)
	default:
		out.waits(t)
	}
}

// end gives an item its outcome, and the rows that repeat it.
func (r *run) end(l *lane, t task, result Result, out *outbox) {
	result.Item = t.item
	result.Attempts = t.sent
	s := r.rows.state(t.row).with(result.Outcome) &^ (final | maybe)
	if result.Final {
		s |= final
	}
	if t.maybe && (result.Outcome == Failed || result.Outcome == Skipped) {
		s |= maybe
		result.MaybeUnsent = true
	}
	if result.Outcome == Failed {
		result.Err = whole(result.Err, t)
		r.rows.setFailure(t.row, failureOf(result.Err))
		if e, ok := errors.AsType[*api.Error](result.Err); ok {
			result.RequestID = e.RequestID
		}
	}
	r.rows.setState(t.row, s&^repeated)
	l.counts.count(result.Outcome)
	out.ends(result)
	if s&repeated != 0 {
		result.Duplicate, result.Attempts = true, 0
		for _, line := range r.repeats.take(t.row) {
			result.Item.Line = line
			out.results = append(out.results, result)
		}
	}
	r.rows.ended(t.row)
}

// whole makes the error of the last call one of all calls for its item.
func whole(err error, t task) error {
	var e *api.Error
	if !errors.As(err, &e) || e.Attempts == t.sent && e.MaybeUnsent == t.maybe {
		return err
	}
	all := *e
	all.Attempts, all.MaybeUnsent = t.sent, t.maybe
	return &all
}

// slim lets go of a large body, of which many could add up while items wait.
func slim(e *api.Error) error {
	if len(e.Body()) <= maxKeptBody {
		return e
	}
	return &api.Error{
		StatusCode: e.StatusCode, Type: e.Type, Message: e.Message, RequestID: e.RequestID,
		ActionRequired: e.ActionRequired, RetryAfter: e.RetryAfter, Attempts: e.Attempts, MaybeUnsent: e.MaybeUnsent,
	}
}
