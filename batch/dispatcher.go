package batch

import (
	"cmp"
	"context"
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
	// claimInterval is the time between two looks at a ledger that others work on too.
	claimInterval = 2 * time.Second
)

// dispatcher decides what is sent when. One goroutine, work, owns all of its state and that of
// its connections: the recorder records what it decides, workers only send, and both tell it
// through channels.
//
//	dispatcher ─ Sending ─> recorder ─ synced ─> worker ─ answer ─> dispatcher (and so on)
//	dispatcher ─ Ended ───> recorder ─ synced ─> results
type dispatcher struct {
	*run
	events  chan event // from workers and the recorder
	workers sync.WaitGroup

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

// event is what becomes of a task: it is begun, or, where done is true, it has ended. Without a
// task it says that the ledger failed.
type event struct {
	task   *task
	done   bool
	result *api.Result
	err    error
}

func newDispatcher(r *run) *dispatcher {
	return &dispatcher{run: r, events: make(chan event, maxInFlightOverall)}
}

// send is a worker: it sends one message.
func (d *dispatcher) send(t *task) {
	c := t.connection
	opts := []api.CallOption{api.WithConnection(c.id), api.WithRetries(0), api.WithStop(c.quit)}
	if t.Item.WithUserID != "" {
		opts = append(opts, api.WithUserID(t.Item.WithUserID))
	}
	if t.maybe {
		opts = append(opts, api.WithMaybeUnsent())
	}
	d.events <- event{task: t}
	result, err := d.client.Unsend(d.ctx, t.Item.UserID, t.Item.MessageID, opts...)
	d.events <- event{task: t, done: true, result: result, err: err}
}

// work goes on until nothing is left to do, or all that was under way when the run was halted
// has ended. It returns what went wrong with the ledger.
func (d *dispatcher) work() error {
	commits, recorded := make(chan commit), make(chan error, 1)
	go func() { recorded <- d.write(commits) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop, halted := d.opts.Stop, d.sending.Done()
	for {
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
			d.run.halt(ErrStopped)
			d.halt()
		case <-halted:
			halted = nil
			d.halt()
		}
	}
	if !d.pending.empty() {
		commits <- d.pending
	}
	close(commits)
	err := <-recorded
	d.workers.Wait()
	return cmp.Or(d.broken, err)
}

// done reports whether the session is at its end: nothing is under way, and nothing that could
// be sent is left, or may be.
func (d *dispatcher) done() bool {
	if d.inFlight > 0 {
		return false
	}
	return d.halting || d.working == 0 && d.left == 0
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
		d.fail(err)
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
		d.progress.underWay(c, 1, -min(t.tries, 1))
		t.begun = false
		c.flying++
		c.unstarted++
		d.inFlight++
		d.record(record{task: t, entry: Entry{Message: t.Message, Event: Sending, MaybeUnsent: true}})
		d.schedule(c, now)
	}
}

// next returns when a connection can send. A request is recorded when its time has come, not
// before: its token then counts from when it really goes, and the next comes no earlier to the
// service than the service expects it.
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
		d.fail(err)
		return false
	}
	c.queue, c.drained = list, len(list) < n
	if len(list) > 0 {
		c.last = Message{Key: list[len(list)-1].Key, Item: Item{Line: list[len(list)-1].Item.Line}}
	}
	return true
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
	d.progress.underWay(t.connection, -1, 0)
}

// handle takes in what a worker tells.
func (d *dispatcher) handle(e event) {
	if e.task == nil {
		d.broken = e.err
		d.fail(e.err)
		return
	}
	now, t, c := time.Now(), e.task, e.task.connection
	if !e.done {
		t.begun, t.began = true, now
		if c.answered.IsZero() {
			c.answered = now
		}
		c.unstarted--
		c.paced = d.client.Delay(c.id) > 0
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
