package batch

import (
	"context"
	"fmt"
	"time"
)

var errTooMany = fmt.Errorf("%w: more rows than can be held; split the input", ErrOptions)

const (
	drainStep = 250 * time.Millisecond
	beginning = drainStep       // in which a call that need not wait is on the wire
	finishing = 2 * time.Second // in which an answer that has begun to come in is read
)

// watch stops the run when it is told to, and sees to it that what is under way then ends
// soon.
func (r *run) watch(ctx context.Context, stop <-chan struct{}) {
	select {
	case <-ctx.Done():
		r.stop(ctx.Err())
	case <-stop:
		r.stop(ErrStopped)
	case <-r.halt:
	case <-r.ended:
		return
	}
	ticker := time.NewTicker(drainStep)
	defer ticker.Stop()
	for {
		r.drain()
		select {
		case <-ticker.C:
		case <-r.ended:
			return
		}
	}
}

// drain cancels the calls that are not on the wire: those that wait for their turn, and,
// after an answer that was an error, for another attempt. Where the transport does not tell
// how far a request is, they are left to end by themselves.
func (r *run) drain() {
	if !r.traced.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.workers {
		age := time.Since(time.Unix(0, w.since.Load()))
		if stage := w.stage.Load(); stage == unsent && age > beginning || stage == answered && age > finishing {
			w.cancel()
		}
	}
}

// stop lets nothing more be sent. The first reason stands.
func (r *run) stop(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halted(reason)
}

// halted is stop for those who hold the mutex.
func (r *run) halted(reason error) {
	if r.reason == nil && !r.over {
		r.reason = reason
		close(r.halt)
	}
}

// stop lets nothing more be sent on a connection. The first reason stands.
func (l *lane) stop(reason error) {
	if l.stopped != nil {
		return
	}
	l.stopped = reason
	select {
	case l.wake <- struct{}{}: // whoever waits for a better time waits for nothing
	default:
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
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.order {
		r.failWaiting(l, out)
	}
}

func (r *run) stopReason() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}
