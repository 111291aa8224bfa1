package batch

import (
	"errors"
	"time"
)

// maxSkipped is how many messages of stopped connections are recorded at once.
const maxSkipped = 256

// fail ends the sending, since the ledger cannot be read or written. What has ended is still
// recorded, if it can be.
func (d *dispatcher) fail(err error) {
	if errors.Is(err, ErrClaimLost) {
		d.broken = err
	} else {
		d.run.halt(err)
	}
	d.halt()
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
	d.progress.underWay(c, 0, -len(c.retries))
	for _, t := range c.retries {
		d.record(ending(t, Failed, false, t.err))
	}
	c.retries = nil
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

// notSent is for a task that was kept from being sent, this time, by the end of the run or of
// its connection. Recorded says that the ledger has it as being sent.
func (d *dispatcher) notSent(t *task, recorded bool) {
	switch {
	case t.tries > 0:
		d.record(ending(t, Failed, false, t.err))
	case t.connection.stopped != nil && !d.halting:
		d.record(ending(t, Skipped, false, t.connection.stopped))
	case recorded:
		d.record(record{task: t, entry: Entry{Message: t.Message, Event: Waiting, MaybeUnsent: t.maybe}})
	}
}
