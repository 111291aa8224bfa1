package batch

import (
	"slices"
	"time"

	"github.com/unsend-go/unsend/api"
)

// worker sends items of one lane, one at a time.
type worker struct {
	*run
	lane  *lane
	extra bool // counted in run.extra
	gate  gate
}

// staff starts workers for what a lane has to send, as many as it may have. One that finds
// nothing to do leaves.
func (r *run) staff(l *lane) {
	if r.reason != nil || l.stopped != nil || l.queued+len(l.waiting) == 0 {
		return
	}
	if l.sleeping {
		select {
		case l.wake <- struct{}{}:
		default: // it was told already
		}
	}
	now := time.Now()
	if at, _ := l.ready(now); l.workers > 0 && at.After(now) {
		return
	}
	for range min(l.limit(r.inFlight)-l.workers, max(l.queued, 1)) {
		w := &worker{run: r, lane: l, extra: l.workers > 0}
		if w.extra {
			if r.extra == maxExtra {
				return
			}
			r.extra++
		}
		l.workers++
		r.working.Go(w.work)
	}
}

func (w *worker) work() {
	w.gate = gate{Context: w.ctx, quit: w.lane.quit}
	out := outbox{run: w.run}
	for {
		t, ok := w.next(&out)
		if !ok {
			return
		}
		answer, err := w.send(t)
		w.settle(w.lane, t, answer, err, w.gate.begun > 0, &out)
	}
}

func (w *worker) send(t task) (*api.Result, error) {
	opts := w.lane.options
	if t.item.WithUserID != "" {
		opts = append(slices.Clip(opts), api.WithUserID(t.item.WithUserID))
	}
	w.gate.begun = 0
	return w.client.Unsend(&w.gate, t.item.UserID, t.item.MessageID, opts...)
}

// next returns what is to be sent next, once it is on record; false where there is nothing
// left for this worker. What out holds has left when it returns.
func (w *worker) next(out *outbox) (task, bool) {
	for {
		t, wait, what := w.pick()
		switch what {
		case leave:
			w.skipRest(w.lane, out)
			out.flush()
			return task{}, false
		case take:
			out.sends(t.item)
			if out.flush() {
				return t, true
			}
			w.takeBack(t)
			return task{}, false
		case rest:
			out.flush()
			w.sleep(wait)
		}
	}
}

// What a worker does next.
type step int

const (
	leave step = iota
	take
	rest
)

func (w *worker) pick() (task, time.Duration, step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.lane
	now := time.Now()
	at, some := l.ready(now)
	switch {
	case w.reason != nil, l.stopped != nil, !some, l.workers > l.limit(w.inFlight):
		w.dismiss()
		return task{}, 0, leave
	case at.After(now):
		if l.sleeping {
			w.dismiss()
			return task{}, 0, leave
		}
		l.sleeping = true
		return task{}, at.Sub(now), rest
	}
	t := l.take(w.rows, now)
	t.began = now
	if l.answered.IsZero() {
		l.answered = now
	}
	l.counts.InFlight++
	w.staff(l)
	return t, 0, take
}

// takeBack is for a task that could not be recorded, and so is not sent.
func (w *worker) takeBack(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lane.counts.InFlight--
	if t.tries > 0 {
		w.lane.pushWaiting(t)
	}
	w.dismiss()
}

// dismiss takes the worker off the books.
func (w *worker) dismiss() {
	w.lane.workers--
	if w.extra {
		w.run.extra-- // not the worker's own
	}
}

func (w *worker) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.lane.wake:
	case <-w.lane.quit:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lane.sleeping = false
}
