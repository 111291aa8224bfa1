package batch

import (
	"cmp"
	"slices"
	"sync"
)

// Progress follows a run, for a progress bar. Make one with new(Progress), hand it to the run
// in [Options], and ask it from any goroutine; asking is cheap. It follows the latest run that
// was given it.
type Progress struct {
	mu          sync.Mutex // guards all below, and the connections' counts
	counts      Counts
	connections []*connection
	trouble     error
}

// ConnectionCounts are the counts of one connection in this run.
type ConnectionCounts struct {
	ID string
	Counts
	Stopped error // why nothing more is sent on it; nil while it works
}

// Counts returns the counts of all connections together, those that earlier runs ended for good
// included; of a ledger that several workers share, of all workers, as of some seconds ago.
func (p *Progress) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Connections returns the counts of each connection that this run works on or has worked on,
// by name.
func (p *Progress) Connections() []ConnectionCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]ConnectionCounts, 0, len(p.connections))
	for _, c := range p.connections {
		list = append(list, c.counts)
	}
	slices.SortFunc(list, func(a, b ConnectionCounts) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// Trouble returns the error of the latest request, while requests fail; nil once one succeeds.
func (p *Progress) Trouble() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// change lets f change what the progress says.
func (p *Progress) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// begin makes the progress follow another run.
func (p *Progress) begin() {
	p.change(func() { p.counts, p.connections, p.trouble = Counts{}, nil, nil })
}

// recount takes over what the ledger counts.
func (p *Progress) recount(c Counts) {
	p.change(func() {
		c.InFlight, c.Waiting = p.counts.InFlight, p.counts.Waiting
		p.counts = c
	})
}

// underWay counts requests that begin or, negative, end, and messages that wait to be sent again.
func (p *Progress) underWay(c *connection, inFlight, waiting int) {
	p.change(func() {
		p.counts.InFlight += inFlight
		p.counts.Waiting += waiting
		c.counts.InFlight += inFlight
		c.counts.Waiting += waiting
	})
}

// ended counts a message that has ended.
func (p *Progress) ended(c *connection, o Outcome, shared bool) {
	p.change(func() {
		if !shared {
			p.counts.count(o, 1)
		}
		c.counts.count(o, 1)
	})
}
