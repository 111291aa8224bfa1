package batch

import "github.com/unsend-go/unsend/api"

// Outcome is how a message ended: that of [api], Failed or Skipped.
type Outcome = api.Outcome

// Outcomes. The zero value is a message that has not ended.
const (
	Unsent              = api.Unsent      // the service said that it took the message back
	AlreadyGone         = api.AlreadyGone // an earlier request may have taken it back, and it is gone
	Failed      Outcome = "failed"        // Result.Err says why
	Skipped     Outcome = "skipped"       // not sent: its connection was stopped, as Result.Err says
)

// Result is how one message ended.
type Result struct {
	Item    Item
	Outcome Outcome // empty, of [Ledger.Messages] only, for a message that is still to be sent

	// Final messages have ended for good, and are never sent again. Unsent and AlreadyGone
	// are; Failed is where the service itself refused this message and nothing of it is
	// ambiguous. Everything else is sent again by the next run.
	Final bool
	// MaybeUnsent is true of a message that is not known to be gone, but may be.
	MaybeUnsent bool

	Attempts  int         // requests: of this run, or of all runs in what [Ledger.Messages] yields
	RequestID string      // names the last request to the vendor's support
	Response  *api.Result // the client's answer; nil where there was no good one, and from Messages

	// Err is nil for Unsent and AlreadyGone. Of a Failed message it is an [*api.Error], whose
	// Attempts and MaybeUnsent are of all that this run sent for it. Of a Skipped one it is
	// what stopped its connection. From Messages it is an *api.Error made of what the ledger
	// keeps of it.
	Err error
	// Hint is one line that says what to do about Err, or empty.
	Hint string
}
