package batch

import "sync"

// Progress follows a run, for a progress bar. Make one with new(Progress), hand it to the run
// in [Options], and ask it from any goroutine; asking is cheap. It follows the latest run that
// was given it.
type Progress struct {
	mu  sync.Mutex
	run *run
}

// Counts are how many items there are of each kind. Repeated rows count once.
type Counts struct {
	Items       int // read so far
	Unsent      int
	AlreadyGone int
	Failed      int
	Skipped     int
	Earlier     int // of the four above, those that ended in an earlier run
	InFlight    int // being sent, or waiting for their turn to be
	Waiting     int // failed in passing, to be sent again
}

// Ended is how many items have an outcome.
func (c Counts) Ended() int { return c.Unsent + c.AlreadyGone + c.Failed + c.Skipped }

// ConnectionCounts are the counts of one connection.
type ConnectionCounts struct {
	ID string
	Counts
	Stopped error // why nothing more is sent on it; nil while it works
}

func (p *Progress) following() *run {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

func (p *Progress) follow(r *run) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run = r
}

// Counts returns the counts of all connections together.
func (p *Progress) Counts() Counts {
	if r := p.following(); r != nil {
		return r.counts()
	}
	return Counts{}
}

// Connections returns the counts of each connection, in the order in which the input names
// them first.
func (p *Progress) Connections() []ConnectionCounts {
	if r := p.following(); r != nil {
		return r.countsByConnection()
	}
	return nil
}

// Err returns why the run stopped before it had a result for every item: [ErrStopped], the
// context's error, or what went wrong with the journal. It is nil while the run goes on, and
// after one that came to its end.
func (p *Progress) Err() error {
	if r := p.following(); r != nil {
		return r.stopReason()
	}
	return nil
}
