package batch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/unsend-go/unsend/api"
)

const (
	// maxInFlightOverall bounds the requests under way on all connections: enough for ten
	// thousand connections at 60 a minute whose answers take 400 ms, at some 30 KiB each.
	maxInFlightOverall = 4096
	// maxReadAhead is how many messages of all connections are in memory.
	maxReadAhead = 1 << 16
	// maxSkipped is how many messages of stopped connections are recorded at once.
	maxSkipped = 256
	// claimInterval is the time between two looks at a ledger that others work on too.
	claimInterval = 2 * time.Second
)

// dispatcher decides what is sent when. One goroutine, work, owns all of its state and that of
// its connections: the recorder records what it decides, workers only send, and both tell it
// through channels.
//
//	dispatcher ─ Sending ─> recorder ─ synced ─> worker ─ answer ─> dispatcher
//	dispatcher ─ Ended ───> recorder ─ synced ─> results
type dispatcher struct {
	*run
	recorder *recorder
	tasks    chan *task // to workers that are idle
	events   chan event // from workers
	workers  sync.WaitGroup

	connections []*connection
	due         dueHeap
	working     int           // connections that are not done
	skipping    []*connection // that were stopped, and of which the rest is to be skipped
	inFlight    int
	pending     commit // goes to the recorder when that is ready
	left        int    // connections with open messages that others work on
	claimAt     time.Time
	broken      error // the ledger failed: nothing can be recorded any more
	halting     bool  // nothing more is sent
}

// event is what a worker tells of a task: that it begins to send it, or, where done is true,
// how that ended.
type event struct {
	task   *task
	done   bool
	result *api.Result
	err    error
}

func newDispatcher(r *run) *dispatcher {
	d := &dispatcher{
		run: r, tasks: make(chan *task), events: make(chan event, maxInFlightOverall),
		recorder: &recorder{run: r, commits: make(chan commit), failed: make(chan failure, 1), done: make(chan struct{})},
	}
	d.recorder.send = d.send
	return d
}

// send gives a task to a worker: one that is idle, or a new one. There are never more than
// requests may be in flight.
func (d *dispatcher) send(t *task) {
	select {
	case d.tasks <- t:
	default:
		d.workers.Go(func() { d.sendAll(t) })
	}
}

// sendAll is a worker: it sends one task after the other.
func (d *dispatcher) sendAll(t *task) {
	for ok := true; ok; t, ok = <-d.tasks {
		opts := []api.CallOption{api.OnConnection(t.connection.id), api.Retries(0), api.StopWith(t.connection.quit)}
		if t.Item.WithUserID != "" {
			opts = append(opts, api.WithUserID(t.Item.WithUserID))
		}
		if t.maybe {
			opts = append(opts, api.MaybeUnsentBefore())
		}
		d.events <- event{task: t}
		result, err := d.client.Unsend(d.ctx, t.Item.UserID, t.Item.MessageID, opts...)
		d.events <- event{task: t, done: true, result: result, err: err}
	}
}

// work goes on until nothing is left to do, or all that was under way when the run was halted
// has ended. It returns what went wrong with the ledger.
func (d *dispatcher) work() error {
	go d.recorder.work()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop, over, halted := d.opts.Stop, d.ctx.Done(), d.run.halting
	for {
		d.claim()
		d.dispatch()
		d.skip()
		if d.done() {
			return d.close()
		}
		timer.Reset(d.sleep())
		var commits chan<- commit
		if len(d.pending.records)+len(d.pending.release) > 0 && d.broken == nil {
			commits = d.recorder.commits
		}
		select {
		case commits <- d.pending:
			d.pending = commit{}
		case e := <-d.events:
			d.handle(e)
			d.handleMore()
		case f := <-d.recorder.failed:
			d.cannotWrite(f)
		case <-timer.C:
		case <-stop:
			stop = nil
			d.run.halt(ErrStopped)
			d.halt()
		case <-over:
			over = nil
			d.run.halt(d.ctx.Err())
			d.halt()
		case <-halted:
			halted = nil
			d.halt()
		}
	}
}

// handleMore handles what else has been told by now, without going round for each.
func (d *dispatcher) handleMore() {
	for range 256 {
		select {
		case e := <-d.events:
			d.handle(e)
		default:
			return
		}
	}
}

// done reports whether the session is at its end: nothing is under way, and nothing that could
// be sent is left, or may be.
func (d *dispatcher) done() bool {
	if d.inFlight > 0 {
		return false
	}
	return d.halting || d.working == 0 && d.left == 0
}

// close writes what is pending, and waits for the recorder and the workers.
func (d *dispatcher) close() error {
	if d.broken == nil && len(d.pending.records)+len(d.pending.release) > 0 {
		select {
		case d.recorder.commits <- d.pending:
		case <-d.recorder.done:
		}
	}
	close(d.recorder.commits)
	<-d.recorder.done
	close(d.tasks)
	d.workers.Wait()
	select {
	case f := <-d.recorder.failed:
		return f.err
	default:
		return d.broken
	}
}

// claim takes over connections that nobody works on, and asks what others have done.
func (d *dispatcher) claim() {
	now := time.Now()
	if d.halting || d.claimAt.After(now) || !d.claimAt.IsZero() && !d.store.Shared() {
		return
	}
	ctx := context.WithoutCancel(d.ctx)
	claimed, left, err := d.store.Claim(ctx)
	if err == nil && d.store.Shared() && !d.claimAt.IsZero() {
		var counts Counts
		if counts, err = d.store.Counts(ctx, true); err == nil {
			d.progress.recount(counts)
		}
	}
	if err != nil {
		d.cannotRead(err)
		return
	}
	d.left, d.claimAt = left, now.Add(claimInterval)
	d.working += len(claimed)
	for _, load := range claimed {
		c := newConnection(load)
		d.connections = append(d.connections, c)
		d.progress.change(func() { d.progress.connections = append(d.progress.connections, c) })
		d.due.put(c, now, true)
	}
}

// cannotRead ends the sending. What has ended can still be recorded, unless the claims are void.
func (d *dispatcher) cannotRead(err error) {
	if errors.Is(err, ErrClaimLost) {
		d.cannotWrite(failure{err: err})
		return
	}
	d.run.halt(err)
	d.halt()
}

// cannotWrite ends the sending, and all that was not recorded yet is never told.
func (d *dispatcher) cannotWrite(f failure) {
	d.broken = f.err
	if !errors.Is(f.err, ErrClaimLost) {
		d.run.halt(f.err)
	}
	for _, rec := range f.records {
		if rec.entry.Event == Sending {
			d.land(rec.task)
		}
	}
	d.halt()
	d.pending = commit{}
}

// halt ends the sending. What had failed and waited to be sent again has failed.
func (d *dispatcher) halt() {
	if d.halting {
		return
	}
	d.halting = true
	d.due, d.skipping = nil, nil
	d.withdraw(func(*connection) bool { return true })
	for _, c := range d.connections {
		c.index = -1
		c.close()
		d.failRetries(c)
	}
}

// stop ends the sending on one connection. The first reason stands.
func (d *dispatcher) stop(c *connection, reason error) {
	if c.stopped != nil {
		return
	}
	c.stopped = reason
	d.progress.change(func() { c.counts.Stopped = reason })
	c.close()
	d.due.put(c, time.Time{}, false)
	d.withdraw(func(of *connection) bool { return of == c })
	d.failRetries(c)
	if !d.halting {
		d.skipping = append(d.skipping, c)
	}
}

// withdraw takes back requests that are not on record yet.
func (d *dispatcher) withdraw(of func(*connection) bool) {
	all := d.pending.records
	d.pending.records = nil
	for _, rec := range all {
		if rec.entry.Event != Sending || !of(rec.task.connection) {
			d.pending.records = append(d.pending.records, rec)
			continue
		}
		d.land(rec.task)
		d.notSent(rec.task, false)
	}
}

// failRetries ends the messages that would have been sent again.
func (d *dispatcher) failRetries(c *connection) {
	d.progress.waiting(c, -len(c.retries))
	for _, t := range c.retries {
		d.record(ending(t, Failed, false, t.err))
	}
	c.retries = nil
}

func (d *dispatcher) record(rec record) {
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
		if t.tries > 0 {
			d.progress.waiting(c, -1)
		}
		t.begun = false
		c.flying++
		c.unstarted++
		d.inFlight++
		d.progress.flying(c, 1)
		d.record(record{task: t, entry: Entry{Message: t.Message, Event: Sending, MaybeUnsent: true}})
		d.schedule(c, now)
	}
}

// next returns when a connection can send, its pace included. A request is recorded when its
// time has come, not before: its token then counts from when it really goes, and the next comes
// no earlier to the service than the service expects it.
func (d *dispatcher) next(c *connection, now time.Time) (time.Time, bool) {
	at, ok := c.next(now, d.opts.InFlight)
	if !ok {
		return at, false
	}
	return later(at, now.Add(d.client.Delay(c.id))), true
}

// schedule gives a connection its place among those that are due.
func (d *dispatcher) schedule(c *connection, now time.Time) {
	if !d.halting {
		at, ok := d.next(c, now)
		d.due.put(c, at, ok)
	}
}

// readAhead is how many messages are read at once: the more connections, the fewer.
func (d *dispatcher) readAhead() int {
	return min(max(maxReadAhead/len(d.connections), 2), 64)
}

// fill reads messages of a connection, where none are left. It reports whether it could.
func (d *dispatcher) fill(c *connection, n int) bool {
	if len(c.queue) > 0 || c.drained {
		return true
	}
	list, err := d.store.Next(context.WithoutCancel(d.ctx), c.id, c.last, n)
	if err != nil {
		d.cannotRead(err)
		return false
	}
	c.queue, c.drained = list, len(list) < n
	if len(list) > 0 {
		c.last = Message{Key: list[len(list)-1].Key, Item: Item{Line: list[len(list)-1].Item.Line}}
	}
	return true
}

// skip ends the messages of connections that were stopped.
func (d *dispatcher) skip() {
	for len(d.skipping) > 0 && len(d.pending.records) < maxSkipped {
		c := d.skipping[0]
		if !d.fill(c, maxSkipped) {
			return
		}
		for _, m := range c.queue {
			d.record(ending(&task{Message: m, connection: c, maybe: m.Item.MaybeUnsent}, Skipped, false, c.stopped))
		}
		c.queue = nil
		if c.drained {
			d.skipping = d.skipping[1:]
			d.finish(c)
		}
	}
}

// finish gives a connection back on which nothing is left to do.
func (d *dispatcher) finish(c *connection) {
	if c.idle() && !c.finished {
		c.finished = true
		d.working--
		d.pending.release = append(d.pending.release, c.id)
	}
}

// land takes a task out of what is in flight.
func (d *dispatcher) land(t *task) {
	if !t.begun {
		t.connection.unstarted--
	}
	t.connection.flying--
	d.inFlight--
	d.progress.flying(t.connection, -1)
}

// handle takes in what a worker tells.
func (d *dispatcher) handle(e event) {
	now, t, c := time.Now(), e.task, e.task.connection
	if !e.done {
		t.begun, t.began = true, now
		if c.answered.IsZero() {
			c.answered = now
		}
		c.begins(d.client.Delay(c.id), d.opts.InFlight)
		d.schedule(c, now)
		return
	}
	d.land(t)
	if d.broken != nil {
		return
	}
	d.settle(t, e.result, e.err, now)
	d.schedule(c, now)
	d.finish(c)
}

// sleep is how long nothing is to be done unless something is told.
func (d *dispatcher) sleep() time.Duration {
	at := time.Now().Add(time.Hour)
	if len(d.due) > 0 && d.inFlight < maxInFlightOverall && d.due[0].at.Before(at) {
		at = d.due[0].at
	}
	if !d.halting && d.store.Shared() && d.claimAt.Before(at) {
		at = d.claimAt
	}
	return max(0, time.Until(at))
}
