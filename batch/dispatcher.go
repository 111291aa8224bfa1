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
	// maxReadAhead bounds the messages in memory, those of all connections together.
	maxReadAhead = 1 << 16
	// claimInterval is the time between two claims in a ledger that other workers share.
	claimInterval = 2 * time.Second
	// maxSkipped bounds the messages of stopped connections in one commit.
	maxSkipped = 256
)

// dispatcher decides what is sent when. Its state, and that of its connections, belongs to one
// goroutine, which runs work; all methods run on it. It keeps a heap of connections, ordered by when
// each may send next, and reads a few messages of each ahead, so that memory stays bounded.
//
// When a connection is due, the recorder writes its next message to the ledger, one synced commit at
// a time; a commit has everything that came during the sync before. Then the sender sends the
// message, and the dispatcher handles the response. The recorder writes the outcome in the same way,
// and yields it when it is durable. A connection that waits has no goroutine.
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
	skipping    []*connection // stopped, with messages that are still to be skipped
	inFlight    int
	pending     commit // for the recorder, when it is ready
	left        int    // connections with open messages that other workers have
	claimAt     time.Time
	broken      error // the ledger failed: nothing can be recorded any more
	ending      bool  // nothing more is sent
}

// event reports that a task has begun or, if done is true, is complete. Without a task it reports
// that the ledger failed.
type event struct {
	task   *task
	done   bool
	result *api.Result
	err    error
}

// work runs until nothing is left to do or, if the run is ended, until nothing is in flight. It
// returns the ledger's error.
func (d *dispatcher) work() error {
	commits, recorded := make(chan commit), make(chan error, 1)
	sender := &sender{ctx: d.ctx, client: d.client, events: d.events}
	recorder := &recorder{store: d.store, progress: d.progress, sender: sender, events: d.events, results: d.results}
	go func() { recorded <- recorder.writeAll(context.WithoutCancel(d.ctx), commits) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop, halted := d.opts.Stop, d.sending.Done()
	for {
		for range len(d.events) { // all at once, so that one commit has them
			d.handle(<-d.events)
		}
		if d.sending.Err() != nil {
			d.stopSending()
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
			d.end(ErrStopped)
		case <-halted:
			halted = nil
		}
	}
	commits <- d.pending
	close(commits)
	err := <-recorded
	sender.workers.Wait()
	return cmp.Or(d.broken, err)
}

// done reports whether nothing is in flight, and nothing is left to send, for any worker.
func (d *dispatcher) done() bool {
	if d.inFlight > 0 {
		return false
	}
	return d.ending || d.working == 0 && d.left == 0
}

// claim claims connections that have no worker, and reads the counts of all workers.
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

// dispatch passes the messages that are due to the recorder.
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
		if !d.schedule(c, now) {
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

// schedule gives a connection its place in the heap, and reports whether it is due. A request is not
// recorded before it is due, so that a crash leaves few messages ambiguous.
func (d *dispatcher) schedule(c *connection, now time.Time) (due bool) {
	if d.ending {
		return false
	}
	at, ok := c.next(now, d.opts.InFlight)
	if ok {
		at = later(at, now.Add(d.client.Delay(c.counts.ID)))
	}
	d.due.put(c, at, ok)
	return ok && !at.After(now)
}

// readAhead returns how many messages are read at once: the more connections, the fewer.
func (d *dispatcher) readAhead() int {
	return min(max(maxReadAhead/len(d.connections), 2), 64)
}

// fill reads messages of a connection if its queue is empty. It returns false if the ledger failed.
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

// finish releases a connection if nothing is left to do on it.
func (d *dispatcher) finish(c *connection) {
	if c.idle() && !c.finished {
		c.finished = true
		d.working--
		d.pending.release = append(d.pending.release, c.counts.ID)
	}
}

// taskDone counts a task as no longer in flight.
func (d *dispatcher) taskDone(t *task) {
	if t.connection.inFlight--; t.connection.inFlight == 0 {
		t.connection.quit = nil
	}
	d.inFlight--
	d.progress.underWay(t.connection, -1, 0)
}

func (d *dispatcher) handle(e event) {
	if e.task == nil {
		d.broken = e.err
		d.fail(e.err)
		return
	}
	now, t, c := time.Now(), e.task, e.task.connection
	if !e.done {
		t.began = now
		if c.lastResponse.IsZero() {
			c.lastResponse = now
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

// sleep returns how long to wait if no event comes.
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

// handleResult applies a result to its message and its connection. Of an error it reads the scope
// alone: package api decides what a status or a type means.
func (d *dispatcher) handleResult(t *task, result *api.Result, err error, now time.Time) {
	if err == nil {
		d.handleSuccess(t, result, now)
		return
	}
	e, ok := errors.AsType[*api.Error](err)
	if !ok { // an id that Add refuses: another program has written into the ledger
		d.enqueue(outcomeRecord(t, Failed, false, err))
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
	t.connection.noteSuccess(now)
	d.progress.change(func() { d.progress.trouble = nil })
	rec := outcomeRecord(t, result.Outcome, true, nil)
	rec.entry.RequestID = cut(result.RequestID, maxFailureText)
	rec.result.RequestID, rec.result.Response = rec.entry.RequestID, result
	d.enqueue(rec)
}

func (d *dispatcher) handleError(t *task, e *api.Error, now time.Time) {
	c := t.connection
	switch e.Scope {
	case api.ScopeMessage:
		c.noteSuccess(now)
		d.enqueue(outcomeRecord(t, Failed, e.Answered && !t.maybe, e))
	case api.ScopeConnection:
		d.enqueue(outcomeRecord(t, Failed, false, e))
		d.stop(c, e)
	case api.ScopeAccount, api.ScopeClient:
		d.enqueue(outcomeRecord(t, Failed, false, e))
		d.end(e)
	case api.ScopeService, api.ScopeUnknown:
		d.handleTransient(t, e, now)
	}
}

// handleTransient queues the message for another attempt, or fails it after the last one.
func (d *dispatcher) handleTransient(t *task, e *api.Error, now time.Time) {
	c := t.connection
	d.progress.change(func() { d.progress.trouble = e })
	t.err = e
	wait := max(e.RetryAfter, firstWait)
	if e.Attempts > 0 {
		if c.noteFailure(t.began, now, e.RetryAfter) && !d.ending {
			d.stop(c, e)
		}
		t.tries++
		wait = backoff(t.tries)
	}
	if d.ending || c.counts.Stopped != nil || t.tries > maxRequeues {
		d.enqueue(outcomeRecord(t, Failed, false, e))
		return
	}
	t.due = now.Add(wait)
	c.retry(t)
	d.progress.underWay(c, 0, 1)
	d.enqueue(record{task: t, entry: Entry{
		Message: t.Message, MaybeUnsent: t.maybe, Failure: failureOf(e), RequestID: cut(e.RequestID, maxFailureText),
	}})
}

// fail stops sending after an error of the ledger. Outcomes are still recorded if they can be.
func (d *dispatcher) fail(err error) {
	if errors.Is(err, ErrClaimLost) {
		d.broken = err
	} else {
		d.end(err)
	}
	d.stopSending()
}

// stopSending stops sending, and fails the messages that wait for another attempt.
func (d *dispatcher) stopSending() {
	if d.ending {
		return
	}
	d.ending = true
	d.due, d.skipping = nil, nil
	for _, c := range d.connections {
		c.close()
		d.failRetries(c)
	}
}

// stop stops sending on one connection. The first reason stands.
func (d *dispatcher) stop(c *connection, reason error) {
	if c.counts.Stopped != nil {
		return
	}
	d.progress.change(func() { c.counts.Stopped = reason })
	c.close()
	d.failRetries(c)
	if !d.ending {
		d.skipping = append(d.skipping, c)
	}
}

// failRetries fails the messages that wait for another attempt.
func (d *dispatcher) failRetries(c *connection) {
	d.progress.underWay(c, 0, -len(c.retries))
	for _, t := range c.retries {
		d.enqueue(outcomeRecord(t, Failed, false, t.err))
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
			d.enqueue(outcomeRecord(&task{Message: m, connection: c, maybe: m.Item.MaybeUnsent}, Skipped, false, c.counts.Stopped))
		}
		c.queue = nil
		if c.drained {
			d.skipping = d.skipping[1:]
			d.finish(c)
		}
	}
}

// notSent handles a task that was recorded as being sent, and then was not, because its run or its
// connection was stopped.
func (d *dispatcher) notSent(t *task) {
	switch {
	case t.tries > 0:
		d.enqueue(outcomeRecord(t, Failed, false, t.err))
	case t.connection.counts.Stopped != nil:
		d.enqueue(outcomeRecord(t, Skipped, false, t.connection.counts.Stopped))
	default:
		d.enqueue(record{task: t, entry: Entry{Message: t.Message, MaybeUnsent: t.maybe}})
	}
}
