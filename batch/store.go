package batch

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/textutil"
	"github.com/unsend-go/unsend/internal/transport"
)

// Store is the database of a [Ledger]. It is for stores of this module only, batch/sqlite and
// batch/postgres, and may change in a minor version. Methods are safe for concurrent use.
//
// Between Begin and End a worker claims connections, records each request before it is sent, and
// each outcome before it is yielded. A store that several workers share gives each connection to
// one of them, and to another when that one dies.
type Store interface {
	// Name, Service and Warning are those of the [Ledger].
	Name() string
	Service() string
	Warning() string
	// Shared reports whether other workers may work on the same messages at the same time, so
	// that counts have to be read again.
	Shared() bool

	// Add stores the items, in one transaction: all of them or, if items yields an error,
	// none, and that error is returned. Items are complete and checked. It counts New, Known
	// and Repeated. A known message takes the line and the Ref of its new row and, unless it
	// is final, the WithUserID; it is MaybeUnsent if it was or the row is; and it is
	// listed. What is added is synced when Add returns.
	Add(ctx context.Context, items iter.Seq2[Item, error], how AddMode) (Added, error)

	// Begin begins a run, or joins that of other workers. If retryFailed is true, listed
	// messages that failed and are final are opened again. A message that got an outcome in a
	// run is not returned by Next before another run begins.
	Begin(ctx context.Context, retryFailed bool) error
	// Claim gives the caller connections that have open messages and no worker, until Release
	// or End; more each time it is called, if the store would rather leave some to other
	// workers. Left is how many connections with open messages others have, or may get.
	Claim(ctx context.Context) (claimed []Load, left int, err error)
	// Next returns up to n open messages of a claimed connection, in the order of their lines,
	// after the message after; its zero value is before the first. It does not wait for a
	// Write that is being synced.
	Next(ctx context.Context, connectionID string, after Message, n int) ([]Message, error)
	// Write records entries in their order, in one transaction, and returns when it is synced.
	// If the caller has lost the claim of any entry's connection nothing is written, and the
	// error matches [ErrClaimLost].
	Write(ctx context.Context, entries []Entry) error
	// Release returns connections on which the caller has nothing left to do.
	Release(ctx context.Context, connectionIDs []string) error
	// End ends the caller's part of the run, and releases all claims. The claims of a process
	// that was killed become free without it.
	End(ctx context.Context) error

	// Counts counts the messages by outcome. If inRun is true, outcomes count only if they are
	// final or of the current run.
	Counts(ctx context.Context, inRun bool) (Counts, error)
	Totals(ctx context.Context) (Totals, error)
	// Groups counts the messages that are not known to be gone by everything that a [Group]
	// holds, the most frequent first, and at most limit groups.
	Groups(ctx context.Context, limit int) ([]Group, error)
	// Messages returns up to n messages that filter selects, in the order in which they were
	// added, after the one with the key after.
	Messages(ctx context.Context, filter Filter, after int64, n int) ([]Entry, error)

	// Close releases the ledger. Later calls of it do nothing. If discard is true, it
	// removes a ledger that opening this store created, if no run has begun on it.
	Close(discard bool) error
}

// AddMode is what [Store].Add does beside adding. It is for stores of this module only.
type AddMode struct {
	// Replace makes the items the list. An open message that they lack is set aside and
	// counted in SetAside; one that failed and is final stays what it is, and is no longer
	// opened by Begin. A store whose other workers work on another list refuses that.
	Replace bool
	// Preview, if it is not nil, is set to what Totals would return next. Then Add rolls back.
	Preview *Totals
}

// Totals are what a [Plan] is made of. They are for stores of this module only.
type Totals struct {
	Counts Counts // those that Counts returns in a run
	Open   []Load // connections with open messages, by name
	Failed []Load // connections with messages that Begin opens again for retryFailed, by name
}

// ErrClaimLost is matched by the error of a [Store] whose session with the database ended, and with
// it the claims. [Run] begins again, and claims anew.
var ErrClaimLost = errors.New("the claim on the connection was lost")

// Load is how many messages a connection has to send.
type Load struct {
	ConnectionID string
	Messages     int
}

// Message is an open message, for stores of this module only.
type Message struct {
	Key  int64 // the store's, above 0
	Item Item
}

// Entry is what a store of this module records of a message: that a request is about to be sent,
// that it waits for another attempt, or, with an Outcome, that it has ended.
type Entry struct {
	Message
	Sending     bool    // the message may be unsent from here on
	MaybeUnsent bool    // from now on; not of a Sending. From Messages Item.MaybeUnsent has it
	Outcome     Outcome // of one that has ended
	Final       bool    // it is never sent again
	Attempts    int     // requests sent since the last entry, none of Sending; from Messages of all runs
	RequestID   string
	Failure     Failure
	At          time.Time
}

// Failure is what a store of this module records of an error. Its texts are bounded, and quote no
// message.
type Failure struct {
	Scope    api.Scope // from a store as String writes it
	Status   int       // of the response; 0 if there was none
	Answered bool      // the service itself responded with it
	Cause    string    // what status and type cannot tell, from a closed set; empty if they do
	Type     string    // the service's name of the error; at most 60 bytes
	Text     string    // its message; at most 300 bytes
	Hint     string    // what to do; at most 200 bytes
}

// StoreOptions are what opening a store of this module depends on.
type StoreOptions struct {
	// Service is that of [ForService] or [ForMock], as [ServiceOf] writes it; empty if
	// neither is given.
	Service  string
	ReadOnly bool
}

// Bounds of the stored texts, in bytes.
const (
	maxFailureType = 60
	maxFailureText = 300
	maxFailureHint = 200
)

// failureOf returns what a ledger stores of an error.
func failureOf(err error) Failure {
	var e *api.Error
	switch {
	case err == nil:
		return Failure{}
	case errors.As(err, &e):
		return Failure{
			Scope: e.Scope, Status: e.StatusCode, Answered: e.Answered, Cause: causeOf(e),
			Type: cut(e.Type, maxFailureType), Text: cut(e.Message, maxFailureText), Hint: cut(e.Hint(), maxFailureHint),
		}
	}
	return Failure{Scope: api.ScopeClient, Text: cut(err.Error(), maxFailureText)}
}

// Causes stand for the Err of a stored error.
const (
	causeRateLimited = "rate_limited" // the client's own rate limit could not be waited for
	causeStopped     = "stopped"      // the call was stopped
	causeEnded       = "ended"        // its context ended
	causeUnwritten   = "unwritten"    // no request was written
	causeTLS         = "tls"          // TLS was refused before a request
	causeProxy       = "proxy"        // a proxy refused
	causeLost        = "lost"         // no response came to a request that was written
	causeInterrupted = "interrupted"  // a 2xx ended before it could be read
)

// causes maps each to an Err that matches the same sentinels.
var causes = map[string]error{
	causeRateLimited: api.ErrRateLimited,
	causeStopped:     api.ErrStopped,
	causeEnded:       context.Canceled,
	causeUnwritten:   errors.New("no request was written"),
	causeTLS:         errors.New("TLS was refused"),
	causeProxy:       &transport.ProxyError{StatusCode: http.StatusProxyAuthRequired},
	causeLost:        errors.New("the response was lost"),
	causeInterrupted: io.ErrUnexpectedEOF,
}

func causeOf(e *api.Error) string {
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(e.Err, target) })
	}
	_, isProxy := errors.AsType[*transport.ProxyError](e.Err)
	_, isName := errors.AsType[*net.DNSError](e.Err)
	op, isOp := errors.AsType[*net.OpError](e.Err)
	switch {
	case e.StatusCode/100 == 2 && is(io.ErrUnexpectedEOF):
		return causeInterrupted
	case is(api.ErrStopped):
		return causeStopped
	case is(context.Canceled, context.DeadlineExceeded) && (e.Scope == api.ScopeClient || e.Scope == api.ScopeUnknown):
		return causeEnded
	case e.StatusCode != 0 || is(api.ErrConfig, api.ErrUnexpectedResponse):
		return ""
	case is(api.ErrRateLimited):
		return causeRateLimited
	case isProxy && e.Scope == api.ScopeClient:
		return causeProxy
	case e.Scope == api.ScopeClient:
		return causeTLS
	case !e.MaybeUnsent || isName || isOp && op.Op == "dial":
		return causeUnwritten
	}
	return causeLost
}

// withoutBody returns an error without its body and its header, and with short texts, so that a
// run can hold many.
func withoutBody(e *api.Error) *api.Error {
	return &api.Error{
		StatusCode: e.StatusCode, Type: cut(e.Type, maxFailureText), Message: cut(e.Message, maxFailureText),
		RequestID: cut(e.RequestID, maxFailureText), ActionRequired: cut(e.ActionRequired, maxFailureText),
		RetryAfter: e.RetryAfter, Attempts: e.Attempts, MaybeUnsent: e.MaybeUnsent,
		Scope: e.Scope, Answered: e.Answered, Err: e.Err,
	}
}

// cut returns a text on one line, of at most so many bytes.
func cut(s string, limit int) string { return textutil.Truncate(textutil.OneLine(s), limit) }

// scopeOf reads what Scope.String wrote.
func scopeOf(stored api.Scope) api.Scope {
	if string(stored) == api.ScopeUnknown.String() {
		return api.ScopeUnknown
	}
	return stored
}
