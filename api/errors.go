package api

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unsend-go/unsend/internal/ratelimit"
)

// What an error of this package is, for [errors.Is].
var (
	// ErrConfig is returned by New, FromEnv and Unsend when the key, the connection, the base
	// URL or an option is missing or invalid. No request was sent.
	ErrConfig = errors.New("invalid configuration")
	// ErrInvalidID is returned by Unsend when an id does not match the contract's pattern. It
	// is an ErrConfig too where the id was given by an option. No request was sent.
	ErrInvalidID = errors.New("invalid id")
	// ErrBadRequest is a 400 or 422: the request was found invalid.
	ErrBadRequest = errors.New("bad request")
	// ErrUnauthorized is a 401: the key or the creator's session was not accepted.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrSessionExpired is a 401 or 403 by which the service asks the creator to connect again.
	// It is an ErrUnauthorized or ErrForbidden too.
	ErrSessionExpired = errors.New("session expired")
	// ErrForbidden is a 403: the key or the connection lacks messages:write.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound is a 404: no such message, or no such path.
	ErrNotFound = errors.New("not found")
	// ErrRateLimited is a 429, or a wait for the client's own pace that cannot end before the
	// context's deadline (StatusCode 0, nothing sent).
	ErrRateLimited = errors.New("rate limited")
	// ErrServer is any 5xx.
	ErrServer = errors.New("server error")
	// ErrRefused is an answer that says success: false.
	ErrRefused = errors.New("refused")
	// ErrUnexpectedResponse is an answer that does not say whether the message was unsent: a
	// 2xx whose success cannot be read, a redirect, or a status outside 200 to 599.
	ErrUnexpectedResponse = errors.New("unexpected response")
	// ErrStopped is a call that the channel of [WithStop] ended between two attempts.
	ErrStopped = ratelimit.ErrStopped
)

const (
	maxErrorText = 400      // bytes of Error.Error
	maxErrorBody = 64 << 10 // bytes of Error.Body, and of each text that the service sent
)

// Error is a call that did not end with the message known to be gone. The table in the package
// documentation says what its facts are for each answer.
type Error struct {
	StatusCode     int           // of the last answer; 0 where none came
	Type           string        // the answer's name of the error, such as RESOURCE_NOT_FOUND
	Message        string        // the answer's text, or what went wrong on the way
	RequestID      string        // names the request to the vendor's support
	ActionRequired string        // what the service asks the caller to do, such as refresh_session
	RetryAfter     time.Duration // how long to wait before the next call; 0 where nothing says so
	Attempts       int           // requests sent, or begun to be sent
	MaybeUnsent    bool          // an attempt of the call, or one before it, may have unsent the message
	Scope          Scope         // what has to change before the same call can succeed
	Answered       bool          // the service itself said it, not a gateway, a proxy or the network

	hint     string
	retried  retried
	sentinel error // beside that of the status
	cause    error
	body     []byte
}

// Error returns one line of at most 400 bytes.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("unsend message:")
	if e.StatusCode != 0 {
		b.WriteString(" " + strconv.Itoa(e.StatusCode))
	}
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.StatusCode != 0 || e.Type != "" {
		b.WriteString(":")
	}
	tail := ""
	if e.RequestID != "" {
		tail += " (request " + cut(oneLine(e.RequestID), 80) + ")"
	}
	if e.MaybeUnsent {
		tail += "; it may have been unsent"
	}
	head := cut(oneLine(b.String()), maxErrorText/2)
	return head + " " + cut(oneLine(e.Message), maxErrorText-len(head)-1-len(tail)) + tail
}

// Is reports whether target, a sentinel of this package, describes e.
func (e *Error) Is(target error) bool {
	return target != nil && (target == e.sentinel || target == sentinelOf(e.StatusCode))
}

// sentinelOf returns the sentinel of a status; nil where it has none.
func sentinelOf(status int) error {
	switch status {
	case 400, 422:
		return ErrBadRequest
	case 401:
		return ErrUnauthorized
	case 403:
		return ErrForbidden
	case 404:
		return ErrNotFound
	case 429:
		return ErrRateLimited
	}
	switch status / 100 {
	case 3:
		return ErrUnexpectedResponse
	case 5:
		return ErrServer
	}
	return nil
}

// Retryable reports whether the same call may succeed later without a change.
func (e *Error) Retryable() bool { return e.retried == again || e.retried == later }

// Hint returns one lower-case line that says what to do. It is never empty for an error that a
// call returned; of one made of its exported fields, it is empty where no answer came.
func (e *Error) Hint() string {
	if e.hint != "" || e.StatusCode == 0 {
		return e.hint
	}
	f := &facts{status: e.StatusCode, answered: e.Answered, readable: e.Scope == ScopeMessage}
	if e.Answered {
		f.kind = e.Type
	}
	return classify(f).hint
}

// Unwrap returns what caused e, such as an error of the network or of the context.
func (e *Error) Unwrap() error { return e.cause }

// Body returns the start of the answer's body, at most 64 KiB, with the key redacted.
func (e *Error) Body() []byte { return e.body }

// mean takes over what a row of the table says.
func (e *Error) mean(m *meaning) {
	e.Scope, e.retried, e.sentinel = m.scope, m.retried, m.sentinel
	if e.hint == "" || m.retried == later {
		e.hint = m.hint
	}
}

// endedBy makes e the error of a call that its caller ended, with a cause that Unwrap reaches.
func (e *Error) endedBy(cause error) *Error {
	e.cause = errors.Join(e.cause, cause)
	e.mean(classify(&facts{ended: true}))
	return e
}

// redactor returns a function that takes the key out of a text. Keys shorter than 8
// characters are no secrets, and occur in innocent text.
func redactor(key string) func(string) string {
	if len(key) < 8 {
		return func(s string) string { return s }
	}
	return func(s string) string { return strings.ReplaceAll(s, key, "[redacted]") }
}

// veiledError is an error of a transport, which may say more than it should, without the key. It
// is held by a pointer, which formatting does not follow.
type veiledError struct {
	text string
	err  error
}

func (v *veiledError) Error() string { return v.text }

func (v *veiledError) Unwrap() error { return v.err }

func (c *Client) veil(err error) error {
	if err == nil {
		return nil
	}
	return &veiledError{text: withoutPeersText(c.redact(err.Error())), err: err}
}

// oneLine leaves of a text what a terminal shows in the order in which it stands.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
	}), " ")
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n-len("…"), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
