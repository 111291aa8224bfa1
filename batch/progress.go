package batch

// Progress follows a run, for a progress bar. Make one with new(Progress), hand it to the run
// in [Options], and ask it from any goroutine; asking is cheap. It follows the latest run that
// was given it.
type Progress struct {
}

// ConnectionCounts are the counts of one connection in this run.
type ConnectionCounts struct {
	ID string
	Counts
	Stopped error // why nothing more is sent on it; nil while it works
}

// Counts returns the counts of all connections together, those that earlier runs ended for good
// included; of a ledger that several workers share, of all workers, as of some seconds ago.
func (p *Progress) Counts() Counts { return Counts{} }

// Connections returns the counts of each connection that this run has worked on, by name.
func (p *Progress) Connections() []ConnectionCounts { return nil }

// Trouble returns the error of the latest request, while requests fail; nil once one succeeds.
func (p *Progress) Trouble() error { return nil }

// Err returns why the run ended before all messages had an outcome: [ErrStopped], the
// context's error, an [ErrLedger], or the [*api.Error] of the account's or the client's scope
// that ended it. It is nil while the run goes on, and after one that came to its end.
func (p *Progress) Err() error { return nil }
