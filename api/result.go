package api

// Outcome is how a message came to be gone. The zero value is no outcome.
type Outcome int

const (
	// Unsent says that the service said that this call took the message back.
	Unsent Outcome = iota + 1
	// AlreadyGone says that an attempt of this call may have taken the message back, its answer was
	// lost, and the service then said that there is no such message (any more).
	AlreadyGone
)

// String returns "unsent", "already_gone" or "unknown".
func (o Outcome) String() string {
	switch o {
	case Unsent:
		return "unsent"
	case AlreadyGone:
		return "already_gone"
	}
	return "unknown"
}

// Result is a call that ended with the message known to be gone.
type Result struct {
	Outcome   Outcome
	RequestID string    // names the request to the vendor's support; "" where the answer did not say
	RateLimit RateLimit // what the last answer said of the connection's bucket
	Attempts  int       // requests sent
	Raw       []byte    // the last answer's body as received, at most 8 MiB; added members included

	broken error // why Raw ends early
}
