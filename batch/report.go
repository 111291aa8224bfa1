package batch

import (
	"maps"
	"slices"
	"time"

	"github.com/unsend-go/unsend/api"
)

const maxGroups = 50 // the service's set of types is open

// Filter selects the messages that [Ledger.Messages] yields.
type Filter int

// Filters.
const (
	All       Filter = iota // every message but those set aside
	NotUnsent               // those that are not known to be gone: failed, skipped or open
)

// Counts are numbers of messages.
type Counts struct {
	Items       int // all but those set aside
	Unsent      int
	AlreadyGone int
	Failed      int
	Skipped     int
	SetAside    int // not among Items
	InFlight    int // being sent; from Progress only
	Waiting     int // for another attempt after a transient error; from Progress only
}

// count adds n messages of an outcome.
func (c *Counts) count(o Outcome, n int) {
	switch o {
	case Unsent:
		c.Unsent += n
	case AlreadyGone:
		c.AlreadyGone += n
	case Failed:
		c.Failed += n
	case Skipped:
		c.Skipped += n
	}
}

// Ended returns how many messages have an outcome.
func (c Counts) Ended() int { return c.Unsent + c.AlreadyGone + c.Failed + c.Skipped }

// Plan describes what a run would send.
type Plan struct {
	Messages    int    // to be sent
	Connections []Load // of these messages, by name
	Ended       int    // final messages that it would not send
	Failed      int    // listed messages that failed and are final; Options.RetryFailed sends them again
	SetAside    int    // messages that no run sends unless an input lists them again
}

func (t *Totals) plan(retryFailed bool) Plan {
	plan := Plan{Connections: t.Open, SetAside: t.Counts.SetAside}
	each := map[string]int{}
	for _, load := range t.Failed {
		plan.Failed += load.Messages
		each[load.ConnectionID] = load.Messages
	}
	if retryFailed {
		for _, load := range t.Open {
			each[load.ConnectionID] += load.Messages
		}
		plan.Connections = nil
		for _, id := range slices.Sorted(maps.Keys(each)) {
			plan.Connections = append(plan.Connections, Load{ConnectionID: id, Messages: each[id]})
		}
	}
	for _, load := range plan.Connections {
		plan.Messages += load.Messages
	}
	plan.Ended = t.Counts.Items - plan.Messages
	return plan
}

// Duration returns how long the plan takes at least, at perMinute requests a minute on each
// connection after a burst: as long as the connection with the most messages. It is 0 for 0 a
// minute, which is no rate limit.
func (p Plan) Duration(perMinute, burst int) time.Duration {
	if perMinute <= 0 {
		return 0
	}
	interval := (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute)
	most := 0
	for _, c := range p.Connections {
		most = max(most, c.Messages)
	}
	return time.Duration(max(most-burst, 0)) * interval
}

// Report sums up a ledger.
type Report struct {
	Counts
	Open    int     // of Items, still to be sent, without an outcome
	Service string  // as [ServiceOf] writes it, or "mock"
	Groups  []Group // of those that are not known to be gone, the most frequent first; at most 50
}

// Group is a number of messages with the same outcome and cause.
type Group struct {
	Outcome     Outcome // Failed, Skipped, or empty for those still open
	Scope       api.Scope
	Status      int    // of the response; 0 if none came
	Type        string // the service's name of the error
	Hint        string // what to do
	Count       int
	Final       int // of Count, never sent again
	MaybeUnsent int // of Count, may have been unsent
}
