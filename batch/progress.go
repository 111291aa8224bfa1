package batch

import (
	"cmp"
	"slices"
	"sync"
)

// Progress follows a run, for a progress bar. Make one with new(Progress) and set it in [Options].
// Methods are safe for concurrent use, and cheap. It follows the latest run that it was given to.
type Progress struct {
	mu          sync.Mutex // guards all below, and the connections' counts
	counts      Counts
	outcomes    int           // of this run
	connections []*connection // by id
	trouble     error
}

// ConnectionCounts are the counts of one connection in this run.
type ConnectionCounts struct {
	ID string
	Counts
	Stopped error // why nothing more is sent on it; nil if it is not stopped
}

// Counts returns the counts of all connections, including messages that were final before the run.
// In a ledger that several workers share, it returns those of all workers, some seconds old.
func (p *Progress) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Connections returns the counts of each connection that this run has claimed, ordered by id.
func (p *Progress) Connections() []ConnectionCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]ConnectionCounts, 0, len(p.connections))
	for _, c := range p.connections {
		list = append(list, c.counts)
	}
	return list
}

// Trouble returns the last transient error since a request succeeded, or nil.
func (p *Progress) Trouble() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// change calls f under the mutex.
func (p *Progress) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// begin makes the progress follow another run.
func (p *Progress) begin() {
	p.change(func() { p.counts, p.outcomes, p.connections, p.trouble = Counts{}, 0, nil, nil })
}

// claimed adds a connection. One that this run had claimed before keeps its counts.
func (p *Progress) claimed(c *connection) {
	p.change(func() {
		at, before := slices.BinarySearchFunc(p.connections, c, func(a, b *connection) int { return cmp.Compare(a.counts.ID, b.counts.ID) })
		if !before {
			p.connections = slices.Insert(p.connections, at, c)
			return
		}
		open := c.counts.Items
		c.counts.Counts = p.connections[at].counts.Counts
		c.counts.Items = c.counts.Ended() + open
		p.connections[at] = c
	})
}

// recount sets the ledger's counts.
func (p *Progress) recount(c Counts) {
	p.change(func() {
		c.InFlight, c.Waiting = p.counts.InFlight, p.counts.Waiting
		p.counts = c
	})
}

// underWay adds to the requests in flight, and to the messages that wait for another attempt.
func (p *Progress) underWay(c *connection, inFlight, waiting int) {
	p.change(func() {
		p.counts.InFlight += inFlight
		p.counts.Waiting += waiting
		c.counts.InFlight += inFlight
		c.counts.Waiting += waiting
	})
}

// ended counts a message with its outcome.
func (p *Progress) ended(c *connection, o Outcome, shared bool) {
	p.change(func() {
		if !shared {
			p.counts.count(o, 1)
		}
		c.counts.count(o, 1)
		p.outcomes++
	})
}
