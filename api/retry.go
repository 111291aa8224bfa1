package api

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/unsend-go/unsend/internal/ratelimit"
	"github.com/unsend-go/unsend/internal/transport"
)

const (
	firstBackoff  = 500 * time.Millisecond
	maxBackoff    = 20 * time.Second
	maxRetryAfter = ratelimit.MaxHold
)

// retried is the column "retried" of the table of meanings.
type retried string

const (
	never retried = "no"
	again retried = "yes"
	later retried = "later" // not within the call
)

// ambiguity is the column "may have unsent" of the table of meanings.
type ambiguity string

const (
	notUnsent    ambiguity = "no"
	maybeUnsent  ambiguity = "yes"
	alreadyGone  ambiguity = "it has"
	asItsAttempt ambiguity = "as its attempt"
)

// meaning is a row of the one table that decides what an error means. It is decided from the
// exported fields of Error, so that a copy, or an error made by hand, means the same.
type meaning struct {
	what      string // as in docs/client/errors.md
	sentinels []error
	scope     Scope
	retried   retried
	ambiguous ambiguity
	hint      string
	fits      func(f facts) bool
}

// facts are an error before its row is known. Its Scope is evidence: client for what this
// machine refused, message for a success of false, service for anything else.
type facts struct {
	*Error
	earlier bool // an earlier attempt may have unsent the message
}

func (f facts) is(statuses ...int) bool { return slices.Contains(statuses, f.StatusCode) }

// answered reports whether the service itself sent the response. An error made by hand, which
// has no scope, was answered if it has a type.
func (f facts) answered() bool { return f.Answered || f.Scope == ScopeUnknown && f.Type != "" }

// kind returns the type of an error that the service itself sent.
func (f facts) kind() string {
	if !f.answered() {
		return ""
	}
	return f.Type
}

// noResponse reports whether none came. A response with the status 000 has an Err of its own.
func (f facts) noResponse() bool {
	return f.StatusCode == 0 && !errors.Is(f.Err, ErrUnexpectedResponse)
}

// endedByCaller reports whether the call was stopped or its context ended. The error of an
// attempt's own timeout has the scope service.
func (f facts) endedByCaller() bool {
	ended := errors.Is(f.Err, context.Canceled) || errors.Is(f.Err, context.DeadlineExceeded)
	return errors.Is(f.Err, ErrStopped) || ended && (f.Scope == ScopeClient || f.Scope == ScopeUnknown)
}

func (f facts) proxyStatus() int {
	if proxy, ok := errors.AsType[*transport.ProxyError](f.Err); ok {
		return proxy.StatusCode
	}
	return 0
}

func (f facts) session() bool { return strings.HasPrefix(f.kind(), "SESSION_") }

const (
	hintLater   = "try again later; if it lasts, ask the service's support"
	hintAgain   = "make the same call again: a message that was unsent is then reported as already gone"
	hintBaseURL = "check the base url: something other than the service answered"
)

// meanings is the table. The first row that fits holds, and the last fits all.
var meanings = []meaning{
	{
		what: "the client's own configuration; not sent", sentinels: []error{ErrConfig},
		scope: ScopeClient, retried: never, ambiguous: notUnsent,
		hint: "correct the option, the key or the proxy that the error names",
		fits: func(f facts) bool { return f.StatusCode == 0 && errors.Is(f.Err, ErrConfig) },
	},
	{
		what: "the rate limit cannot be waited for; not sent", sentinels: []error{ErrRateLimited},
		scope: ScopeService, retried: later, ambiguous: notUnsent,
		hint: "try again after RetryAfter, or give the call more time",
		fits: func(f facts) bool { return f.StatusCode == 0 && errors.Is(f.Err, ErrRateLimited) },
	},
	{
		what:  "context ended, or WithStop closed",
		scope: ScopeClient, retried: later, ambiguous: asItsAttempt,
		hint: "make the same call again: it was ended before its outcome was known",
		fits: facts.endedByCaller,
	},
	{
		what:  "407, or CONNECT answered 4xx by a proxy",
		scope: ScopeClient, retried: never, ambiguous: notUnsent,
		hint: "check the proxy of this machine (HTTPS_PROXY, HTTP_PROXY) and its user and password",
		fits: func(f facts) bool {
			return f.is(http.StatusProxyAuthRequired) || f.noResponse() && f.proxyStatus()/100 == 4
		},
	},
	{
		what:  "certificate or TLS refused before a request",
		scope: ScopeClient, retried: never, ambiguous: notUnsent,
		hint: "check the base url, and this machine's clock and certificates",
		fits: func(f facts) bool { return f.noResponse() && f.Scope == ScopeClient },
	},
	{
		what:  "no request written (dial, DNS, CONNECT 5xx)",
		scope: ScopeService, retried: again, ambiguous: notUnsent,
		hint: "check the network of this machine, its proxy and the base url",
		fits: func(f facts) bool { return f.noResponse() && !f.MaybeUnsent },
	},
	{
		what:  "response lost, late, malformed, a TLS alert or reset",
		scope: ScopeService, retried: again, ambiguous: maybeUnsent,
		hint: hintAgain,
		fits: facts.noResponse,
	},
	{
		what: "no final status (outside 200 to 599)", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: never, ambiguous: maybeUnsent,
		hint: hintBaseURL,
		fits: func(f facts) bool { return f.StatusCode < 200 || f.StatusCode > 599 },
	},
	{
		what:      "404 RESOURCE_NOT_FOUND after an attempt that may have",
		ambiguous: alreadyGone, retried: never,
		fits: func(f facts) bool { return f.is(404) && f.kind() == "RESOURCE_NOT_FOUND" && f.earlier },
	},
	{
		what: "success: false", sentinels: []error{ErrRefused},
		scope: ScopeMessage, retried: never, ambiguous: notUnsent,
		hint: "look at the message in the account: the time in which it can be unsent may be over",
		fits: func(f facts) bool { return f.StatusCode/100 == 2 && f.Scope == ScopeMessage },
	},
	{
		what: "2xx that ended before success", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: again, ambiguous: maybeUnsent,
		hint: hintAgain,
		fits: func(f facts) bool { return f.StatusCode/100 == 2 && errors.Is(f.Err, io.ErrUnexpectedEOF) },
	},
	{
		what: "2xx without a readable success", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: never, ambiguous: maybeUnsent,
		hint: "check the base url, and the response with unsend contract; then make the same call again",
		fits: func(f facts) bool { return f.StatusCode/100 == 2 },
	},
	{
		what: "303", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: never, ambiguous: maybeUnsent,
		hint: hintBaseURL,
		fits: func(f facts) bool { return f.is(303) },
	},
	{
		what: "any other 3xx", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: never, ambiguous: notUnsent,
		hint: hintBaseURL,
		fits: func(f facts) bool { return f.StatusCode/100 == 3 },
	},
	{
		what: "501, 505", sentinels: []error{ErrServer},
		scope: ScopeService, retried: never, ambiguous: maybeUnsent,
		hint: hintBaseURL,
		fits: func(f facts) bool { return f.is(501, 505) },
	},
	{
		what: "408, any other 5xx", sentinels: []error{ErrServer},
		scope: ScopeService, retried: again, ambiguous: maybeUnsent,
		hint: hintLater,
		fits: func(f facts) bool { return f.is(408) || f.StatusCode/100 == 5 },
	},
	{
		what: "425, 429", sentinels: []error{ErrRateLimited},
		scope: ScopeService, retried: again, ambiguous: notUnsent,
		hint: "wait as long as RetryAfter; another program may be using the same connection",
		fits: func(f facts) bool { return f.is(425, 429) },
	},
	{
		what: "any other 4xx that the service did not answer", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeService, retried: never, ambiguous: notUnsent,
		hint: hintBaseURL,
		fits: func(f facts) bool { return !f.answered() },
	},
	{
		what: "401 RULES_OUTDATED", sentinels: []error{ErrUnauthorized},
		scope: ScopeService, retried: again, ambiguous: notUnsent,
		hint: "try again later: the service is refreshing its signing rules",
		fits: func(f facts) bool { return f.is(401) && f.kind() == "RULES_OUTDATED" },
	},
	{
		what: "401 SESSION_*", sentinels: []error{ErrSessionExpired, ErrUnauthorized},
		scope: ScopeConnection, retried: never, ambiguous: notUnsent,
		hint: "have the creator connect again, or correct the connection id",
		fits: func(f facts) bool { return f.is(401) && f.session() },
	},
	{
		what: "403 SESSION_*", sentinels: []error{ErrSessionExpired, ErrForbidden},
		scope: ScopeConnection, retried: never, ambiguous: notUnsent,
		hint: "have the creator connect again, or correct the connection id",
		fits: func(f facts) bool { return f.is(403) && f.session() },
	},
	{
		what: "any other 401, 402", sentinels: []error{ErrUnauthorized},
		scope: ScopeAccount, retried: never, ambiguous: notUnsent,
		hint: "check the api key and the account that it belongs to",
		fits: func(f facts) bool { return f.is(401, 402) },
	},
	{
		what: "403 FORBIDDEN or without a type", sentinels: []error{ErrForbidden},
		scope: ScopeConnection, retried: never, ambiguous: notUnsent,
		hint: "grant messages:write to the key and to the connection",
		fits: func(f facts) bool { return f.is(403) && (f.kind() == "" || f.kind() == "FORBIDDEN") },
	},
	{
		what: "403 of any other type", sentinels: []error{ErrForbidden},
		scope: ScopeMessage, retried: never, ambiguous: notUnsent,
		hint: "look at the message in the account: the service does not allow this for it",
		fits: func(f facts) bool { return f.is(403) },
	},
	{
		what: "404 RESOURCE_NOT_FOUND", sentinels: []error{ErrNotFound},
		scope: ScopeMessage, retried: never, ambiguous: notUnsent,
		hint: "nothing to do: there is no such message, or no longer; check the ids if it should exist",
		fits: func(f facts) bool { return f.is(404) && f.kind() == "RESOURCE_NOT_FOUND" },
	},
	{
		what: "any other 404 (ROUTE_NOT_FOUND)", sentinels: []error{ErrUnexpectedResponse},
		scope: ScopeClient, retried: never, ambiguous: notUnsent,
		hint: "check the base url: the service has no such path",
		fits: func(f facts) bool { return f.is(404) },
	},
	{
		what: "400, 422", sentinels: []error{ErrBadRequest},
		scope: ScopeMessage, retried: never, ambiguous: notUnsent,
		hint: "check the ids of this message",
		fits: func(f facts) bool { return f.is(400, 422) },
	},
	{
		what: "any other 4xx that the service answered", sentinels: []error{ErrRefused},
		scope: ScopeMessage, retried: never, ambiguous: notUnsent,
		hint: "look at the message in the account: the service refuses this for it",
		fits: func(facts) bool { return true },
	},
}

// classify returns the first row that fits.
func classify(f facts) *meaning {
	for i := range meanings {
		if meanings[i].fits(f) {
			return &meanings[i]
		}
	}
	return &meanings[len(meanings)-1]
}

// nextDelay reports whether to try again, and after what wait: as long as the response requests,
// or else a random part of a ceiling that doubles with each attempt. A wait that is too long, or
// that cannot end before the context does, is left to the caller, in RetryAfter.
func (c *Client) nextDelay(ctx context.Context, e *Error, attempts, retries int) (wait time.Duration, ok bool) {
	retry := e.meaning().retried == again
	if ctx.Err() != nil && (retry || e.Err != nil) {
		// Transports return the cause of a cancellation, which need not be the context's error.
		_ = e.endedBy(ctx.Err())
		return 0, false
	}
	if !retry || attempts > retries || e.RetryAfter > maxRetryAfter {
		return 0, false
	}
	wait = e.RetryAfter
	if wait == 0 {
		wait = c.jitter(min(firstBackoff<<(attempts-1), maxBackoff))
	}
	if !endsInTime(ctx, wait) {
		e.RetryAfter = wait
		return 0, false
	}
	return wait, true
}

// endsInTime reports whether a wait ends before the context does.
func endsInTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Now().Add(wait).Before(deadline)
}

// fullJitter draws a wait between nothing and ceiling.
func fullJitter(ceiling time.Duration) time.Duration { return rand.N(ceiling + 1) }
