package mock

import (
	"net/http"
	"time"
)

// Fault is a departure from the plain answer: a status, what happens to the body, a delay, and
// whether the message is unsent all the same. The zero Fault is the plain answer.
//
// A fault befalls a request that would otherwise be carried out, one with good credentials
// and a sound body; others are refused as always and leave the fault to the next request.
//
// Faults never lie. Where the answer says that the message was not unsent (a 4xx but 408, a
// 3xx but 303, "success":false), it is not, whatever Acted says; where it says "success":true,
// the message is unsent by this request, or else the answer is 404 RESOURCE_NOT_FOUND in the
// fault's place, because it was gone before.
type Fault struct {
	Kind   Kind // what happens to the connection or the body; empty for nothing
	Status int  // 200 to 599; 0 is 200

	// Of an error, a Status of 300 or more.
	Type       string        // the error type; by default the documented one of the status. RESOURCE_NOT_FOUND is said only of a message that is gone, ROUTE_NOT_FOUND in its place
	Shape      Shape         // the error's members; the current shape by default
	RetryAfter string        // the header as it is sent, absurd values too; empty for none
	RetryDate  time.Duration // the header as an HTTP date that far from now; used where RetryAfter is empty, 0 for none
	Location   string        // the header of a 3xx; "/moved" by default

	// Body is sent in place of the plain body, whole or by a Truncated, Slow or Mislabeled
	// fault. Its "success" decides whether the message is unsent.
	Body        string
	ContentType string // sent in place of application/json

	// Delay holds the request before the message is unsent, or after it where Acted is true.
	// A client that leaves before that has not been acted for. Of a Slow fault it is the pause
	// before each byte of the body, 1 ms by default.
	Delay time.Duration

	// Acted unsends the message before anything else happens, where the answer leaves open
	// whether it was unsent: a 5xx, 408 or 303, a dropped connection, a 2xx without a readable
	// "success".
	Acted bool
}

// Kind is what happens to the connection or the body.
type Kind string

// Kinds of faults; [DriftKinds] lists more.
const (
	Drop          Kind = "drop"           // the connection is closed without an answer
	Truncated     Kind = "truncated"      // the body breaks off before "success", or right after Body where that is set
	TruncatedLate Kind = "truncated-late" // the body breaks off behind "success"
	Oversized     Kind = "oversized"      // a body of 9 MiB, "success" first
	OversizedLate Kind = "oversized-late" // a body of 9 MiB, "success" last
	Slow          Kind = "slow"           // the body comes byte by byte
	Text          Kind = "text"           // not JSON, and labeled so
	HTML          Kind = "html"           // an HTML page labeled JSON
	Null          Kind = "null"           // the body is null
	Empty         Kind = "empty"          // the body is empty
	Refused       Kind = "refused"        // "success":false
	SuccessLast   Kind = "success-last"   // "success" behind the snapshot
	Mislabeled    Kind = "mislabeled"     // the plain body, labeled text/html
)

// Shape is the form of an error's body.
type Shape string

// Shapes of errors that were documented or that the vendor's SDKs read.
const (
	ShapeCurrent Shape = ""        // error, type, requestId, actionRequired
	ShapeEarlier Shape = "earlier" // error, code, details
	ShapeSDK     Shape = "sdk"     // message, code, details: outside the contract
)

// claim is what an answer says about the message.
type claim int

const (
	claimsNothing claim = iota
	claimsSuccess
	claimsRefusal
)

func (f Fault) claim() claim {
	status := f.status()
	switch {
	case f.Kind == Drop || f.invalid() != "":
		return claimsNothing
	case bodiless(status) && status/100 == 2:
		return claimsNothing
	case status/100 == 2:
		return f.bodyClaim()
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusSeeOther:
		return claimsNothing
	default:
		return claimsRefusal
	}
}

func (f Fault) status() int {
	if f.Status == 0 {
		return http.StatusOK
	}
	return f.Status
}

func (f Fault) bodyClaim() claim {
	if f.ownBody() {
		return claimOf(f.Body)
	}
	switch f.Kind {
	case Truncated, Text, HTML, Null, Empty, OversizedLate:
		return claimsNothing
	case Refused:
		return claimsRefusal
	default:
	}
	if d, ok := driftOf(f.Kind); ok && d.unreadable() {
		return claimsNothing
	}
	return claimsSuccess
}

// ownBody reports whether Body is what is sent.
func (f Fault) ownBody() bool {
	switch f.Kind {
	case "", Truncated, TruncatedLate, Slow, Mislabeled:
		return f.Body != ""
	default:
		return false
	}
}

// invalid says why the fault cannot be answered; such a fault is answered 500 with the reason.
func (f Fault) invalid() string {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return "fault status must be 200 to 599"
	}
	if !f.Kind.known() {
		return "unknown fault " + string(f.Kind)
	}
	switch f.Shape {
	case ShapeCurrent, ShapeEarlier, ShapeSDK:
		return ""
	}
	return "unknown error shape " + string(f.Shape)
}
