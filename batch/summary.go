package batch

import (
	"io"
	"time"
)

// Summary is the table at the end of a run, or of the runs that journals tell of.
type Summary struct {
	Messages    int // of the inputs that the journals are of; 0 of a Summary made with Add
	Unsent      int
	AlreadyGone int
	Failed      int
	Skipped     int
	Unsettled   int            // sent, and how that ended is not known
	Failures    []FailureGroup // of Failed, the most frequent first
	Elapsed     time.Duration  // during which any of the journals' runs went on; 0 of a Summary made with Add
}

// FailureGroup is failures of one kind.
type FailureGroup struct {
	Kind        string // the service's error type, or what else went wrong
	Count       int
	Final       int    // of these, not sent again when the run is resumed
	MaybeUnsent int    // of these, may have been unsent all the same
	Hint        string // what to do
}

// Ended is how many messages have an outcome.
func (s *Summary) Ended() int { return s.Unsent + s.AlreadyGone + s.Failed + s.Skipped }

// Add counts a result. Repeated rows are not counted.
func (s *Summary) Add(r Result) {
	if r.Duplicate {
		return
	}
	s.count(r.Outcome, failureOf(r.Err), r.Final, r.MaybeUnsent, 1)
}

// Report reads journals, of one run or of several shards, one after the other in one reader
// or each in its own, and makes their joint table. A message of which they tell several times
// counts as it ended last. A torn last line is passed over; any other damage is an error that
// names the journal, from 1, and the line.
func Report(journals ...io.Reader) (Summary, error) {
	return report(journals)
}
