package batch

import (
	"context"
	"fmt"
)

var errTooMany = fmt.Errorf("%w: more rows than can be held; split the input", ErrOptions)

// watch stops the run when it is told to.
func (r *run) watch(ctx context.Context, stop <-chan struct{}) {
	select {
	case <-ctx.Done():
		r.stop(ctx.Err())
	case <-stop:
		r.stop(ErrStopped)
	case <-r.ended:
	}
}

// stop lets nothing more be sent. The first reason stands; stop reports whether it is this
// one.
func (r *run) stop(reason error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.halted(reason)
}

// halted is stop for those who hold the mutex.
func (r *run) halted(reason error) bool {
	if r.reason != nil || r.over {
		return false
	}
	r.reason = reason
	for _, l := range r.order {
		l.close()
	}
	return true
}

// stopLane lets nothing more be sent on a connection. The first reason stands.
func (r *run) stopLane(l *lane, reason error) {
	if l.stopped == nil {
		l.stopped = reason
		l.close()
	}
}

// close ends what waits on the lane.
func (l *lane) close() {
	if !l.closed {
		l.closed = true
		close(l.quit)
	}
}

// skipRest ends the items of a lane that was stopped: those that were sent have failed.
func (r *run) skipRest(l *lane, out *outbox) {
	for r.skipSome(l, out) && out.flush() {
		continue
	}
}

func (r *run) skipSome(l *lane, out *outbox) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.stopped == nil || r.reason != nil {
		return false
	}
	r.failWaiting(l, out)
	for l.queued > 0 && !out.full() {
		row := l.pop(r.rows)
		t := task{row: row, item: r.rows.item(row), maybe: r.rows.state(row)&maybe != 0}
		r.end(l, t, Result{Outcome: Skipped, Err: l.stopped}, out)
	}
	return l.queued > 0
}

// failWaiting ends the items that would have been sent again.
func (r *run) failWaiting(l *lane, out *outbox) {
	for _, t := range l.waiting {
		r.end(l, t, Result{Outcome: Failed, Err: t.err}, out)
	}
	l.waiting = nil
}

// giveUpWaiting does so for all lanes, once nothing is sent any more.
func (r *run) giveUpWaiting(out *outbox) {
	for _, l := range r.order { // which nobody adds to any more
		r.mu.Lock()
		r.failWaiting(l, out)
		r.mu.Unlock()
		out.flush()
	}
}

func (r *run) stopReason() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}
