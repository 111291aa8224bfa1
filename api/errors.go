package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsend-go/unsend/internal/ratelimit"
	"github.com/unsend-go/unsend/internal/textutil"
	"github.com/unsend-go/unsend/internal/transport"
)

// Sentinels for [errors.Is]. ErrServer, ErrRateLimited and ErrUnexpectedResponse also match responses
// of a gateway or proxy; the others match the service's own only.
var (
	// ErrConfig is returned by New, FromEnv and every request when the key, the connection, the
	// base URL or an option is missing or invalid. No request was sent.
	ErrConfig = errors.New("invalid configuration")
	// ErrInvalidID is returned by Unsend when an id does not match the contract's pattern; if an
	// option set it, it is an ErrConfig too. No request was sent.
	ErrInvalidID = errors.New("invalid id")
	// ErrBadRequest is returned for a 400 or 422: the request is invalid.
	ErrBadRequest = errors.New("bad request")
	// ErrUnauthorized is returned for a 401 or 402: the service does not accept the key, its account
	// or the session.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrSessionExpired is returned, together with ErrUnauthorized or ErrForbidden, for a 401 or
	// 403 of the creator's session: the creator has to connect again.
	ErrSessionExpired = errors.New("session expired")
	// ErrForbidden is returned for a 403: the key or the connection lacks messages:write.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound is returned for a 404 RESOURCE_NOT_FOUND, and no other 404: there is no such
	// message, or no longer is.
	ErrNotFound = errors.New("not found")
	// ErrRateLimited is returned for a 425 or 429. It has StatusCode 0, and nothing was sent, if the
	// wait for the client's own rate limit would outlast the context.
	ErrRateLimited = errors.New("rate limited")
	// ErrServer is returned for a 408 or any 5xx.
	ErrServer = errors.New("server error")
	// ErrRefused is returned for a success of false, or a 4xx that is none of the above.
	ErrRefused = errors.New("refused")
	// ErrUnexpectedResponse is returned for a 2xx whose success cannot be read, a redirect, a status
	// outside 200 to 599, an unknown path, or a 4xx that the service did not send.
	ErrUnexpectedResponse = errors.New("unexpected response")
	// ErrStopped is returned when the channel of [WithStop] ends a call between two attempts.
	ErrStopped = ratelimit.ErrStopped
)

// sentinels match by the table only: a transport's error that wraps one does not.
var sentinels = []error{
	ErrConfig, ErrInvalidID, ErrBadRequest, ErrUnauthorized, ErrSessionExpired, ErrForbidden,
	ErrNotFound, ErrRateLimited, ErrServer, ErrRefused, ErrUnexpectedResponse, ErrStopped,
}

// Scope is the cause of an error: what has to change before the same call can succeed.
type Scope string

// Scopes.
const (
	ScopeUnknown    Scope = ""           // of an error made by hand
	ScopeMessage    Scope = "message"    // this message: other messages may succeed
	ScopeConnection Scope = "connection" // the creator's connection: other connections may succeed
	ScopeAccount    Scope = "account"    // the API key or its account: nothing succeeds until it is fixed
	ScopeService    Scope = "service"    // the service, or the network: the same call may succeed later
	ScopeClient     Scope = "client"     // this program or machine, or cancellation by the caller
)

// String returns the scope, and "unknown" for ScopeUnknown.
func (s Scope) String() string {
	if s == ScopeUnknown {
		return "unknown"
	}
	return string(s)
}

// Bounds, in bytes.
const (
	maxErrorLine = 400      // of Error.Error
	maxErrorText = 1 << 10  // of each text of a response that an Error repeats
	maxErrorBody = 64 << 10 // of Error.Body
	maxHeader    = 16 << 10 // of Error.Header and Result.Header
)

// Error is returned by Unsend unless the message is known to be gone. Its meaning depends on its
// exported fields alone, by the table of docs/client/errors.md: a copy, or one made by hand, such as
// Error{StatusCode: 401, Type: "SESSION_EXPIRED"}, matches the same sentinels. If Scope is empty, an
// error that has a Type counts as Answered.
type Error struct {
	StatusCode     int           // of the last response; 0 if none came
	Type           string        // the service's name of the error, such as RESOURCE_NOT_FOUND
	Message        string        // the response's text, or why there is none; at most 1 KiB
	RequestID      string        // identifies the request to the vendor's support
	ActionRequired string        // what the service requires of the caller, such as refresh_session
	RetryAfter     time.Duration // how long to wait before the next call; 0 if not known
	Attempts       int           // attempts made
	MaybeUnsent    bool          // an attempt of the call, or a call before it, may have unsent the message
	Answered       bool          // the service itself responded, not a gateway, a proxy or the network
	Scope          Scope         // what has to change before the same call can succeed
	Header         http.Header   // of the last response, at most 16 KiB, without cookies; nil if none came
	Err            error         // what status and type cannot express: a sentinel, the context's error, a cause

	body  []byte
	other bool // of another operation than Unsend
}

// Error returns one line of at most 400 bytes.
func (e *Error) Error() string {
	prefix, tail := "unsend message: ", ""
	if e.RequestID != "" {
		tail += " (request " + line(e.RequestID, 80) + ")"
	}
	if e.MaybeUnsent {
		tail += "; it may have been unsent"
	}
	if e.other {
		prefix, tail = "", strings.TrimSuffix(tail, "; it may have been unsent")
	}
	return prefix + e.summary(maxErrorLine-len(prefix)-len(tail)) + tail
}

// summary returns status, type and message in one line of at most n bytes.
func (e *Error) summary(n int) string {
	head := ""
	if e.StatusCode != 0 {
		head = strconv.Itoa(e.StatusCode)
	}
	if e.Type != "" {
		head = line(head+" "+e.Type, maxErrorLine/2)
	}
	if head != "" {
		head += ": "
	}
	return head + line(e.Message, n-len(head))
}

// Format prints the error's line for every verb, and also for an Error that is no pointer: fields may
// hold the text of a response.
func (e Error) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
}

// line makes a text fit for one line of at most n bytes.
func line(s string, n int) string { return textutil.Truncate(textutil.OneLine(s), n) }

// Is reports whether target is a sentinel of e's row in the table.
func (e *Error) Is(target error) bool { return slices.Contains(e.meaning().sentinels, target) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the call's deadline or the timeout of its last attempt passed.
// [net/url.Error] and [os.IsTimeout] use it.
func (e *Error) Timeout() bool {
	late, ok := errors.AsType[net.Error](e.Err)
	return ok && late.Timeout() || errors.Is(e.Err, context.DeadlineExceeded)
}

// Retryable reports whether the same call may succeed later without a change. Of another operation
// than Unsend it does not report whether the request was carried out.
func (e *Error) Retryable() bool { return e.meaning().retried != never }

// Hint returns one lower-case line that advises what to do. It is never empty.
func (e *Error) Hint() string {
	m := e.meaning()
	if _, hint := causeOf(e.Err); hint != "" && e.StatusCode == 0 && m.retried != later {
		return hint
	}
	switch {
	case !e.other:
	case e.MaybeUnsent:
		return "find out whether the request was carried out before it is sent again"
	case m.hint == hintGrant:
		return "grant the operation's permission to the key and to the connection"
	case m.scope == ScopeMessage:
		return "check the ids and the body of the request, and whether the service allows it"
	}
	return m.hint
}

// Body returns the start of the response's body, at most 64 KiB, with the key redacted.
func (e *Error) Body() []byte { return e.body }

func (e *Error) meaning() *meaning { return classify(facts{Error: e}) }

// endedBy makes e the error of a call that its caller ended. errors.Is finds cause.
func (e *Error) endedBy(cause error) *Error {
	e.Err, e.Scope = errors.Join(e.Err, cause), ScopeClient
	return e
}

// redactedError hides what a transport's error may quote: the key, and bytes of a response. It has no
// Unwrap. [errors.Is] finds what it was made of, and [errors.As] the types of net, crypto/tls and
// crypto/x509; neither finds a text of the peer, except the names in its certificate.
type redactedError struct {
	text     string
	err      error
	redactor redactor
}

// redactError returns err without the key and without what it quotes of a response.
func redactError(err error, r redactor) error {
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*transport.RefusedError](err); ok {
		return refused // an ErrConfig of this client
	}
	return &redactedError{withoutQuotes(r.redact(err.Error())), err, r}
}

func (r *redactedError) Error() string { return r.text }

// Format prints the text, whatever the verb.
func (r *redactedError) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), r.text)
}

// Is reports whether the transport's error matches target, which is no sentinel of this package.
func (r *redactedError) Is(target error) bool {
	return !slices.Contains(sentinels, target) && errors.Is(r.err, target)
}

// As finds an error of the network that holds no text of a response.
func (r *redactedError) As(target any) bool {
	if !errors.As(r.err, target) {
		return false
	}
	found := reflect.ValueOf(target).Elem()
	if record, ok := reflect.TypeAssert[tls.RecordHeaderError](found); ok {
		found.Set(reflect.ValueOf(tls.RecordHeaderError{Msg: record.Msg})) // its header is the peer's bytes
	}
	if err, ok := reflect.TypeAssert[error](found); ok && r.isVisible(err) {
		return true
	}
	found.SetZero()
	return false
}

func (r *redactedError) isVisible(err error) bool {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "crypto/tls", "crypto/x509", reflect.TypeFor[transport.ProxyError]().PkgPath():
		return true
	case "net", "os", "syscall":
		return withoutQuotes(r.redactor.redact(err.Error())) == err.Error()
	}
	return false
}

// Timeout is a method of [net.Error].
func (r *redactedError) Timeout() bool {
	late, ok := errors.AsType[net.Error](r.err)
	return ok && late.Timeout()
}

// Temporary is a method of [net.Error].
func (r *redactedError) Temporary() bool { return r.Timeout() }
