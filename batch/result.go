package batch

import "github.com/unsend-go/unsend/api"

// Outcome is how an item ended.
type Outcome string

// Outcomes. The zero value is an item that has not ended.
const (
	Unsent      Outcome = "unsent"       // the service said that it took the message back
	AlreadyGone Outcome = "already_gone" // an earlier attempt may have taken it back, and it is gone
	Failed      Outcome = "failed"       // Result.Err says why
	Skipped     Outcome = "skipped"      // not sent: its connection was stopped, as Result.Err says
)

// Result is how one item ended.
type Result struct {
	Item    Item
	Outcome Outcome

	// Err is nil for Unsent and AlreadyGone. Of a Failed item it is an [*api.Error], whose
	// Attempts and MaybeUnsent are of all that was sent for the item, or an [api.ErrConfig] or
	// [api.ErrInvalidID] where nothing could be sent. Of a Skipped one it is why its connection
	// was stopped.
	Err error

	// Final items have ended for good: a run that resumes this one does not send them again.
	Final bool
	// MaybeUnsent is true of an item that is not known to be gone, but may be.
	MaybeUnsent bool

	Attempts  int         // requests sent in this run
	RequestID string      // names the last request to the vendor's support
	Response  *api.Result // the client's answer, where there was a good one in this run

	Earlier   bool // ended in the run that this one resumes; nothing was sent for it now
	Duplicate bool // repeats an earlier item, whose outcome this is; nothing was sent for it
}
