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

// Store is what a database does for a [Ledger]. It is implemented by the packages batch/sqlite
// and batch/postgres, and hand-written code has no use for it: it may grow in any version. All
// methods may be called at the same time.
//
// Between Begin and End a worker works on the messages: it claims connections, records each
// request before it is sent, and each answer before it is told. A store that several workers
// share gives each connection to one of them, and to another when that one has died.
type Store interface {
	// Name is how messages to people name the ledger, without a password.
	Name() string
	// Service is the service that the ledger was made for, as [ServiceOf] writes it; empty
	// where it was made for none.
	Service() string
	// Warning is one line about a store that works, but not as safely as it should; empty
	// where there is none.
	Warning() string
	// Shared reports whether other workers may work on the same messages at the same time,
	// so that what is done must be asked for and cannot be counted here.
	Shared() bool

	// Add stores the items, in one transaction: all of them or, if items yields an error,
	// none, and that error is returned. Items are complete and checked. It counts New, Known
	// and Repeated. A known message takes the line and the Ref of its new row and, unless it
	// is final, the WithUserID; it is MaybeUnsent if it was or the row says so; and it is
	// listed. What is added is synced when Add returns.
	Add(ctx context.Context, items iter.Seq2[Item, error], how AddMode) (Added, error)

	// Begin begins a run, or joins the one that other workers are at. If retryFailed is
	// true, listed messages that ended with Failed and are final are opened again. Of a message
	// that ended in the run it stays known that it did: nobody gets it again before the next.
	Begin(ctx context.Context, retryFailed bool) error
	// Claim gives the caller connections that have open messages and that nobody works on,
	// to work on until Release or End; more of them each time it is called, where the store
	// would rather leave some to other workers. Left is how many connections with open
	// messages the caller has not been given in this run: others work on them, or may.
	Claim(ctx context.Context) (claimed []Load, left int, err error)
	// Next returns up to n open messages of a connection that the caller has claimed, in the
	// order of their lines, behind the message after; its zero value is before the first. It
	// does not wait for a Write that is being synced.
	Next(ctx context.Context, connectionID string, after Message, n int) ([]Message, error)
	// Write records entries in their order, as one transaction, and returns when it is
	// synced. Where the caller no longer has the claim of any entry's connection nothing is
	// written, and the error matches [ErrClaimLost].
	Write(ctx context.Context, entries []Entry) error
	// Release gives connections back on which the caller has nothing left to do.
	Release(ctx context.Context, connectionIDs []string) error
	// End ends the caller's part of the run, and gives back all claims. It is not called by
	// a process that was killed: what that had claimed becomes free by itself.
	End(ctx context.Context) error

	// Counts counts the messages by how they ended last. Where inRun is true, only those that
	// have ended for good or in the run that goes on count as ended.
	Counts(ctx context.Context, inRun bool) (Counts, error)
	// Loads returns the connections with open messages and how many each has, by name; if
	// failed is true, with those that Begin opens again for retryFailed instead.
	Loads(ctx context.Context, failed bool) ([]Load, error)
	// Groups counts the messages that did not end well, or not yet, by everything that a [Group] tells of them, the most
	// frequent first; beyond limit groups the rest is left out.
	Groups(ctx context.Context, limit int) ([]Group, error)
	// Messages yields the messages that filter asks for, in the order in which they were
	// added, those set aside not among them. The loop may take its time: it holds up nothing
	// else.
	Messages(ctx context.Context, filter Filter) iter.Seq2[Entry, error]

	// Discard is Close. It removes a ledger that opening this store created, if no run has
	// begun on it.
	Discard() error
	// Close releases the ledger. No other method is called afterwards.
	Close() error
}

// AddMode is what [Store].Add does beside adding.
type AddMode struct {
	// Replace makes the items the list. An open message that they lack is set aside and
	// counted in SetAside; one that failed and is final stays what it is, and is no longer
	// opened by Begin. A store whose other workers work on another list refuses that.
	Replace bool
	// Preview, if it is not nil, is called with what Counts(true), Loads(false) and
	// Loads(true) would return next. Then Add rolls back.
	Preview func(counts Counts, open, failed []Load)
}

// ErrClaimLost is returned by a [Store] for a worker whose claims have become void, because
// its session with the database ended. [Run] begins again, and claims anew.
var ErrClaimLost = errors.New("the claim on the connection was lost")

// Load is how many messages a connection has to send.
type Load struct {
	ConnectionID string
	Messages     int
}

// Message is an open message, as a [Store] hands it out.
type Message struct {
	Key  int64 // the store's own name of it, above 0
	Item Item
}

// Event is what an [Entry] records.
type Event int

// Events.
const (
	Sending Event = iota // a request is about to be sent: the message may be unsent from here on
	Waiting              // the message is not ended, and waits to be sent again
	Ended                // the message has ended, for this run or for good
)

// Entry is what is recorded of a message.
type Entry struct {
	Message
	Event       Event
	MaybeUnsent bool    // what is known now: true of every Sending
	Outcome     Outcome // of Ended
	Final       bool    // of Ended: it is never sent again
	Attempts    int     // of Waiting and Ended: requests sent since the last entry; from Messages: of all runs
	RequestID   string
	Failure     Failure
	At          time.Time
}

// Failure is what a ledger keeps of an error. Its texts are bounded, and hold nothing of a
// message's text.
type Failure struct {
	Scope    api.Scope
	Status   int    // of the response; 0 if there was none
	Answered bool   // the service itself responded with it
	Cause    string // what status and type cannot tell, from a closed set; empty if they do
	Type     string // the service's name of the error; at most 60 bytes
	Text     string // what it says; at most 300 bytes
	Hint     string // what to do; at most 200 bytes
}

// StoreOptions are what a package of another [Store] needs to know of the options.
type StoreOptions struct {
	// Service is that of [ForService] or [ForMock], as [ServiceOf] writes it; empty where
	// neither is given.
	Service string
	// ReadOnly is whether [ReadOnly] is given.
	ReadOnly bool
}

// Bounds of the texts that are kept of an error, in bytes.
const (
	maxFailureType = 60
	maxFailureText = 300
	maxFailureHint = 200
)

// failureOf is what a ledger keeps of an error.
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

// Causes, from which the Err of an error that a ledger keeps is made again.
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

// causes has what the Err of each matches.
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

// keepable makes an error one that many can be kept of: without its body and its header, and with
// short texts.
func keepable(e *api.Error) *api.Error {
	return &api.Error{
		StatusCode: e.StatusCode, Type: cut(e.Type, maxFailureText), Message: cut(e.Message, maxFailureText),
		RequestID: cut(e.RequestID, maxFailureText), ActionRequired: cut(e.ActionRequired, maxFailureText),
		RetryAfter: e.RetryAfter, Attempts: e.Attempts, MaybeUnsent: e.MaybeUnsent,
		Scope: e.Scope, Answered: e.Answered, Err: e.Err,
	}
}

// cut makes a text of others fit for one line of so many bytes.
func cut(s string, limit int) string { return textutil.Truncate(textutil.OneLine(s), limit) }

// ScopeOf reads what Scope.String wrote.
func ScopeOf(text string) api.Scope {
	if text == api.ScopeUnknown.String() {
		return api.ScopeUnknown
	}
	return api.Scope(text)
}
