package batch

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/unsend-go/unsend/api"
)

const (
	// maxInFlightOverall bounds the requests in flight on all connections: enough for ten
	// thousand connections at 60 a minute whose responses take 400 ms, at some 30 KiB each.
	maxInFlightOverall = 4096
	// maxReadAhead is how many messages of all connections are in memory.
	maxReadAhead = 1 << 16
	// claimInterval is the time between two claims in a ledger that others work on too.
	claimInterval = 2 * time.Second
	// maxSkipped is how many messages of stopped connections are recorded at once.
	maxSkipped = 256
)

// dispatcher decides what is sent when. Its state, and that of its connections, belongs to one
// goroutine, which runs work; all methods run on it. It has a heap of connections by when each may
// send next, and reads a few messages of each ahead, so that memory does not grow with their number.
//
// When a connection is due, its next message goes to the recorder, which writes to the ledger, one
// synced commit at a time; whatever comes while it syncs is in the next commit. Then the sender
// sends the message, and the dispatcher gets the response. An outcome takes the same way, and is
// yielded once it is durable. No goroutine belongs to a connection that waits.
//
//	                  due                        synced
//	heap ─> dispatcher ──> recorder (the ledger) ──────> sender ─> the service
//	             ^                     │                    │
//	             │                     └─ synced ─> results │
//	             └─────────── response ─────────────────────┘
type dispatcher struct {
	*run
	events chan event // from the sender and the recorder

	connections []*connection
	due         dueHeap
	working     int           // connections that are not done
	skipping    []*connection // that were stopped, and whose rest is to be skipped
	inFlight    int
	pending     commit // goes to the recorder when that is ready
	left        int    // connections with open messages that others have
	claimAt     time.Time
	broken      error // the ledger failed: nothing can be recorded any more
	ending      bool  // nothing more is sent
}

// event reports that a task is begun or, if done is true, is over; without a task, that the ledger
// failed.
type event struct {
	task   *task
	done   bool
	result *api.Result
	err    error
}

func newDispatcher(r *run) *dispatcher {
	return &dispatcher{run: r, events: make(chan event, maxInFlightOverall)}
}

// work runs until nothing is left to do, or all that was in flight when the run was ended is over.
// It returns the ledger's error.
func (d *dispatcher) work() error {
	commits, recorded := make(chan commit), make(chan error, 1)
	sender := &sender{ctx: d.ctx, client: d.client, events: d.events}
	recorder := &recorder{store: d.store, progress: d.progress, sender: sender, events: d.events, results: d.results}
	go func() { recorded <- recorder.work(context.WithoutCancel(d.ctx), commits) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop, halted := d.opts.Stop, d.sending.Done()
	for {
		for range len(d.events) { // all at once, so that one commit has them
			d.handle(<-d.events)
		}
		d.claim()
		d.dispatch()
		d.skip()
		if d.done() {
			break
		}
		timer.Reset(d.sleep())
		var ready chan<- commit
		if !d.pending.empty() {
			ready = commits
		}
		select {
		case ready <- d.pending:
			d.pending = commit{}
		case e := <-d.events:
			d.handle(e)
		case <-timer.C:
		case <-stop:
			stop = nil
			d.abort(ErrStopped)
		case <-halted:
			halted = nil
			d.stopSending()
		}
	}
	commits <- d.pending
	close(commits)
	err := <-recorded
	sender.wait()
	return cmp.Or(d.broken, err)
}

// done reports whether the session is over: nothing is in flight, and nothing is left to send, here
// or with others.
func (d *dispatcher) done() bool {
	if d.inFlight > 0 {
		return false
	}
	return d.ending || d.working == 0 && d.left == 0
}

// claim claims connections that have no worker, and reads what others have done.
func (d *dispatcher) claim() {
	now := time.Now()
	if d.ending || d.claimAt.After(now) || !d.claimAt.IsZero() && !d.store.Shared() {
		return
	}
	ctx := context.WithoutCancel(d.ctx)
	claimed, left, err := d.store.Claim(ctx)
	if err == nil && d.store.Shared() && now.After(d.countAt) {
		err = d.recount(ctx)
	}
	if err != nil {
		d.fail(err)
		return
	}
	d.left, d.claimAt = left, now.Add(claimInterval)
	d.working += len(claimed)
	for _, load := range claimed {
		c := newConnection(load)
		d.connections = append(d.connections, c)
		d.progress.claimed(c)
		d.due.put(c, now, true)
	}
}

func (d *dispatcher) enqueue(rec record) {
	if d.broken == nil {
		rec.entry.At = time.Now()
		rec.entry.Attempts, rec.task.unrecorded = rec.task.unrecorded, 0
		d.pending.records = append(d.pending.records, rec)
	}
}

// dispatch lets what is due be recorded, and then sent.
func (d *dispatcher) dispatch() {
	now := time.Now()
	for len(d.due) > 0 && d.inFlight < maxInFlightOverall {
		c := d.due[0]
		if c.at.After(now) {
			return
		}
		if !d.fill(c, d.readAhead()) {
			return
		}
		at, ok := d.next(c, now)
		if !ok || at.After(now) {
			d.due.put(c, at, ok)
			d.finish(c)
			continue
		}
		t := c.take(now)
		d.progress.underWay(c, 1, -min(t.tries, 1))
		c.inFlight++
		c.queued++
		d.inFlight++
		d.enqueue(record{task: t, entry: Entry{Message: t.Message, Sending: true}})
		d.schedule(c, now)
	}
}

// next returns when a connection can send. A request is recorded when it is due, not before: its
// token then counts from when it is really sent, and the next comes no earlier than the service
// expects it.
func (d *dispatcher) next(c *connection, now time.Time) (time.Time, bool) {
	at, ok := c.next(now, d.opts.InFlight)
	if !ok {
		return at, false
	}
	return later(at, now.Add(d.client.Delay(c.counts.ID))), true
}

// schedule gives a connection its place among those that are due.
func (d *dispatcher) schedule(c *connection, now time.Time) {
	if !d.ending {
		at, ok := d.next(c, now)
		d.due.put(c, at, ok)
	}
}

// readAhead returns how many messages are read at once: the more connections, the fewer.
func (d *dispatcher) readAhead() int {
	return min(max(maxReadAhead/len(d.connections), 2), 64)
}

// fill reads messages of a connection if none are left. It reports whether that worked.
func (d *dispatcher) fill(c *connection, n int) bool {
	if len(c.queue) > 0 || c.drained {
		return true
	}
	after := Message{Key: c.lastKey, Item: Item{Line: c.lastLine}}
	list, err := d.store.Next(context.WithoutCancel(d.ctx), c.counts.ID, after, n)
	if err != nil {
		d.fail(err)
		return false
	}
	c.queue, c.drained = list, len(list) < n
	if len(list) > 0 {
		c.lastKey, c.lastLine = list[len(list)-1].Key, list[len(list)-1].Item.Line
	}
	return true
}

// finish releases a connection on which nothing is left to do.
func (d *dispatcher) finish(c *connection) {
	if c.idle() && !c.finished {
		c.finished = true
		d.working--
		d.pending.release = append(d.pending.release, c.counts.ID)
	}
}

// taskDone takes a task out of what is in flight.
func (d *dispatcher) taskDone(t *task) {
	if t.connection.inFlight--; t.connection.inFlight == 0 {
		t.connection.quit = nil
	}
	d.inFlight--
	d.progress.underWay(t.connection, -1, 0)
}

// handle handles an event.
func (d *dispatcher) handle(e event) {
	if e.task == nil {
		d.broken = e.err
		d.fail(e.err)
		return
	}
	now, t, c := time.Now(), e.task, e.task.connection
	if !e.done {
		t.began = now
		if c.answered.IsZero() {
			c.answered = now
		}
		c.queued--
		c.throttled = d.client.Delay(c.counts.ID) > 0
		d.schedule(c, now)
		return
	}
	d.taskDone(t)
	if d.broken != nil {
		return
	}
	d.handleResult(t, e.result, e.err, now)
	d.schedule(c, now)
	d.finish(c)
}

// sleep returns how long nothing is to be done if no event comes.
func (d *dispatcher) sleep() time.Duration {
	at := time.Now().Add(time.Hour)
	if len(d.due) > 0 && d.inFlight < maxInFlightOverall && d.due[0].at.Before(at) {
		at = d.due[0].at
	}
	if !d.ending && d.store.Shared() && d.claimAt.Before(at) {
		at = d.claimAt
	}
	return max(0, time.Until(at))
}

// handleResult decides what a result means for its message and its connection. It reads the scope of
// an error only: package api decides what a status or a type means.
func (d *dispatcher) handleResult(t *task, result *api.Result, err error, now time.Time) {
	if err == nil {
		d.handleSuccess(t, result, now)
		return
	}
	e, ok := errors.AsType[*api.Error](err)
	if !ok { // for an id that Add refuses: somebody has written into the ledger
		d.enqueue(ending(t, Failed, false, err))
		return
	}
	t.count(e.Attempts)
	t.maybe = e.MaybeUnsent
	if e.Attempts == 0 && (d.ending || d.ctx.Err() != nil || t.connection.counts.Stopped != nil) {
		d.notSent(t)
		return
	}
	d.handleError(t, e, now)
}

func (d *dispatcher) handleSuccess(t *task, result *api.Result, now time.Time) {
	t.count(result.Attempts)
	t.connection.recordSuccess(now)
	d.progress.change(func() { d.progress.trouble = nil })
	rec := ending(t, result.Outcome, true, nil)
	rec.entry.RequestID = cut(result.RequestID, maxFailureText)
	rec.result.RequestID, rec.result.Response = rec.entry.RequestID, result
	d.enqueue(rec)
}

func (d *dispatcher) handleError(t *task, e *api.Error, now time.Time) {
	c := t.connection
	switch e.Scope {
	case api.ScopeMessage:
		c.recordSuccess(now)
		d.enqueue(ending(t, Failed, e.Answered && !t.maybe, e))
	case api.ScopeConnection:
		d.enqueue(ending(t, Failed, false, e))
		d.stop(c, e)
	case api.ScopeAccount, api.ScopeClient:
		d.enqueue(ending(t, Failed, false, e))
		d.abort(e)
	case api.ScopeService, api.ScopeUnknown:
		d.handleTransient(t, e, now)
	}
}

// handleTransient lets the message be sent again later, unless that was done often enough.
func (d *dispatcher) handleTransient(t *task, e *api.Error, now time.Time) {
	c := t.connection
	d.progress.change(func() { d.progress.trouble = e })
	t.err = e
	wait := max(e.RetryAfter, firstWait)
	if e.Attempts > 0 {
		if c.recordFailure(t.began, now, e.RetryAfter) && !d.ending {
			d.stop(c, e)
		}
		t.tries++
		wait = backoff(t.tries)
	}
	if d.ending || c.counts.Stopped != nil || t.tries > maxRequeues {
		d.enqueue(ending(t, Failed, false, e))
		return
	}
	t.due = now.Add(wait)
	c.retry(t)
	d.progress.underWay(c, 0, 1)
	d.enqueue(record{task: t, entry: Entry{
		Message: t.Message, MaybeUnsent: t.maybe, Failure: failureOf(e), RequestID: cut(e.RequestID, maxFailureText),
	}})
}

// fail ends the sending, since the ledger cannot be read or written. What has ended is still
// recorded, if it can be.
func (d *dispatcher) fail(err error) {
	if errors.Is(err, ErrClaimLost) {
		d.broken = err
	} else {
		d.end(err)
	}
	d.stopSending()
}

// abort ends the run for a reason, of which the first stands.
func (d *dispatcher) abort(reason error) {
	d.end(reason)
	d.stopSending()
}

// stopSending ends the sending. What waited for another attempt has failed.
func (d *dispatcher) stopSending() {
	if d.ending {
		return
	}
	d.ending = true
	d.due, d.skipping = nil, nil
	for _, c := range d.connections {
		c.index = -1
		c.close()
		d.failRetries(c)
	}
}

// stop ends the sending on one connection, for a reason, of which the first stands.
func (d *dispatcher) stop(c *connection, reason error) {
	if c.counts.Stopped != nil {
		return
	}
	d.progress.change(func() { c.counts.Stopped = reason })
	c.close()
	d.due.put(c, time.Time{}, false)
	d.failRetries(c)
	if !d.ending {
		d.skipping = append(d.skipping, c)
	}
}

// failRetries fails the messages that wait for another attempt.
func (d *dispatcher) failRetries(c *connection) {
	d.progress.underWay(c, 0, -len(c.retries))
	for _, t := range c.retries {
		d.enqueue(ending(t, Failed, false, t.err))
	}
	c.retries = nil
}

// skip skips the messages of connections that were stopped.
func (d *dispatcher) skip() {
	for len(d.skipping) > 0 && len(d.pending.records) < maxSkipped {
		c := d.skipping[0]
		if !d.fill(c, maxSkipped) {
			return
		}
		for _, m := range c.queue {
			d.enqueue(ending(&task{Message: m, connection: c, maybe: m.Item.MaybeUnsent}, Skipped, false, c.counts.Stopped))
		}
		c.queue = nil
		if c.drained {
			d.skipping = d.skipping[1:]
			d.finish(c)
		}
	}
}

// notSent handles a task that the end of the run or of its connection kept from being sent, although
// the ledger has it as being sent.
func (d *dispatcher) notSent(t *task) {
	switch {
	case t.tries > 0:
		d.enqueue(ending(t, Failed, false, t.err))
	case t.connection.counts.Stopped != nil:
		d.enqueue(ending(t, Skipped, false, t.connection.counts.Stopped))
	default:
		d.enqueue(record{task: t, entry: Entry{Message: t.Message, MaybeUnsent: t.maybe}})
	}
}
