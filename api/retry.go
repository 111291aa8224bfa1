package api

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
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

// retried is a column of the table of meanings.
type retried string

const (
	never retried = "no"
	again retried = "yes"
	later retried = "later" // not within the call
)

// ambiguity is the column "may have unsent".
type ambiguity string

const (
	notUnsent   ambiguity = "no"
	maybeUnsent ambiguity = "yes"
	alreadyGone ambiguity = "it has"
	ifSent      ambiguity = "if sent"
)

// meaning is a row of the one table that decides what an error means. It depends on the exported
// fields of Error alone, so that a copy, or an error made by hand, means the same.
type meaning struct {
	what      string // as in docs/client/errors.md
	sentinels []error
	scope     Scope
	retried   retried
	ambiguous ambiguity
	hint      string
	fits      func(f facts) bool
}

func is(sentinels ...error) []error { return sentinels }

// facts is the input of classify. Its Scope is evidence: client if this machine refused to send,
// message for a success of false, service for anything else.
type facts struct {
	*Error
	earlier bool // an earlier attempt may have unsent the message
}

func (f facts) status(statuses ...int) bool { return slices.Contains(statuses, f.StatusCode) }

// answered reports whether the service itself sent the response. It did if an error made by hand,
// which has no scope, has a type.
func (f facts) answered() bool { return f.Answered || f.Scope == ScopeUnknown && f.Type != "" }

// kind returns the type of an error that the service itself sent.
func (f facts) kind() string {
	if !f.answered() {
		return ""
	}
	return f.Type
}

// noResponse reports whether no response came. One with the status 000 has an Err of its own.
func (f facts) noResponse() bool {
	return f.StatusCode == 0 && !errors.Is(f.Err, ErrUnexpectedResponse)
}

// endedByCaller reports whether the call was stopped or its context ended. After an attempt's own
// timeout the scope is service.
func (f facts) endedByCaller() bool {
	ended := errors.Is(f.Err, context.Canceled) || errors.Is(f.Err, context.DeadlineExceeded)
	return errors.Is(f.Err, ErrStopped) || ended && (f.Scope == ScopeClient || f.Scope == ScopeUnknown)
}

func (f facts) session() bool { return strings.HasPrefix(f.kind(), "SESSION_") }

const (
	hintAgain   = "make the same call again: a 404 then means that the message is gone"
	hintGrant   = "grant messages:write to the key and to the connection"
	hintBaseURL = "check the base url: something other than the service answered"
)

// meanings is the table. The first row that fits decides, and the last fits all.
var meanings = []meaning{
	{"the client's own configuration; not sent", is(ErrConfig), ScopeClient, never, notUnsent,
		"correct the option, the key or the proxy that the error names",
		func(f facts) bool { return f.StatusCode == 0 && errors.Is(f.Err, ErrConfig) }},
	{"the rate limit cannot be waited for; not sent", is(ErrRateLimited), ScopeService, later, notUnsent,
		"try again after RetryAfter, or give the call more time",
		func(f facts) bool { return f.StatusCode == 0 && errors.Is(f.Err, ErrRateLimited) }},
	{"context ended, or WithStop closed", nil, ScopeClient, later, ifSent,
		"make the same call again: it was ended before its outcome was known",
		facts.endedByCaller},
	{"407, or CONNECT refused with 4xx by a proxy", nil, ScopeClient, never, notUnsent,
		"check the proxy of this machine (HTTPS_PROXY, HTTP_PROXY) and its user and password",
		func(f facts) bool {
			proxy, ok := errors.AsType[*transport.ProxyError](f.Err)
			return f.status(407) || f.noResponse() && ok && proxy.StatusCode/100 == 4
		}},
	{"certificate or TLS refused before a request", nil, ScopeClient, never, notUnsent,
		"check the base url, and this machine's clock and certificates",
		func(f facts) bool { return f.noResponse() && f.Scope == ScopeClient }},
	{"no request written (dial, DNS, CONNECT 5xx)", nil, ScopeService, again, notUnsent,
		"check the network of this machine, its proxy and the base url",
		func(f facts) bool { return f.noResponse() && !f.MaybeUnsent }},
	{"response lost, late, malformed, a TLS alert or reset", nil, ScopeService, again, maybeUnsent,
		hintAgain,
		facts.noResponse},
	{"no final status (outside 200 to 599)", is(ErrUnexpectedResponse), ScopeService, never, maybeUnsent,
		hintBaseURL,
		func(f facts) bool { return f.StatusCode < 200 || f.StatusCode > 599 }},
	{"404 RESOURCE_NOT_FOUND after an attempt that may have", nil, ScopeUnknown, never, alreadyGone,
		"",
		func(f facts) bool { return f.status(404) && f.kind() == "RESOURCE_NOT_FOUND" && f.earlier }},
	{"success: false", is(ErrRefused), ScopeMessage, never, notUnsent,
		"look at the message in the account: the time in which it can be unsent may be over",
		func(f facts) bool { return f.StatusCode/100 == 2 && f.Scope == ScopeMessage }},
	{"2xx that ended before success", is(ErrUnexpectedResponse), ScopeService, again, maybeUnsent,
		hintAgain,
		func(f facts) bool { return f.StatusCode/100 == 2 && errors.Is(f.Err, io.ErrUnexpectedEOF) }},
	{"2xx without a readable success", is(ErrUnexpectedResponse), ScopeService, never, maybeUnsent,
		"check the base url, and the response with unsend contract; then make the same call again",
		func(f facts) bool { return f.StatusCode/100 == 2 }},
	{"303", is(ErrUnexpectedResponse), ScopeService, never, maybeUnsent,
		hintBaseURL,
		func(f facts) bool { return f.status(303) }},
	{"any other 3xx", is(ErrUnexpectedResponse), ScopeService, never, notUnsent,
		hintBaseURL,
		func(f facts) bool { return f.StatusCode/100 == 3 }},
	{"501, 505", is(ErrServer), ScopeService, never, maybeUnsent,
		hintBaseURL,
		func(f facts) bool { return f.status(501, 505) }},
	{"408, any other 5xx", is(ErrServer), ScopeService, again, maybeUnsent,
		"try again later; if it lasts, ask the service's support",
		func(f facts) bool { return f.status(408) || f.StatusCode/100 == 5 }},
	{"425, 429", is(ErrRateLimited), ScopeService, again, notUnsent,
		"wait as long as the response requires, or a minute; another program may be using the same connection",
		func(f facts) bool { return f.status(425, 429) }},
	{"any other 4xx that the service did not answer", is(ErrUnexpectedResponse), ScopeService, never, notUnsent,
		hintBaseURL,
		func(f facts) bool { return !f.answered() }},
	{"401 RULES_OUTDATED", is(ErrUnauthorized), ScopeService, again, notUnsent,
		"try again later: the service is refreshing its signing rules",
		func(f facts) bool { return f.status(401) && f.kind() == "RULES_OUTDATED" }},
	{"401 SESSION_*", is(ErrSessionExpired, ErrUnauthorized), ScopeConnection, never, notUnsent,
		"have the creator connect again, or correct the connection id",
		func(f facts) bool { return f.status(401) && f.session() }},
	{"403 SESSION_*", is(ErrSessionExpired, ErrForbidden), ScopeConnection, never, notUnsent,
		"have the creator connect again, or correct the connection id",
		func(f facts) bool { return f.status(403) && f.session() }},
	{"any other 401, 402", is(ErrUnauthorized), ScopeAccount, never, notUnsent,
		"check the api key and the account that it belongs to",
		func(f facts) bool { return f.status(401, 402) }},
	{"403 FORBIDDEN or without a type", is(ErrForbidden), ScopeConnection, never, notUnsent,
		hintGrant,
		func(f facts) bool { return f.status(403) && (f.kind() == "" || f.kind() == "FORBIDDEN") }},
	{"403 of any other type", is(ErrForbidden), ScopeMessage, never, notUnsent,
		"look at the message in the account: the service does not allow this for it",
		func(f facts) bool { return f.status(403) }},
	{"404 RESOURCE_NOT_FOUND", is(ErrNotFound), ScopeMessage, never, notUnsent,
		"nothing to do: there is no such message, or no longer; check the ids if it should exist",
		func(f facts) bool { return f.status(404) && f.kind() == "RESOURCE_NOT_FOUND" }},
	{"any other 404 (ROUTE_NOT_FOUND)", is(ErrUnexpectedResponse), ScopeClient, never, notUnsent,
		"check the base url: the service has no such path",
		func(f facts) bool { return f.status(404) }},
	{"400, 422", is(ErrBadRequest), ScopeMessage, never, notUnsent,
		"check the ids of this message",
		func(f facts) bool { return f.status(400, 422) }},
	{"any other 4xx that the service answered", is(ErrRefused), ScopeMessage, never, notUnsent,
		"look at the message in the account: the service refuses this for it",
		func(facts) bool { return true }},
}

// classify returns the first row that fits.
func classify(f facts) *meaning {
	return &meanings[slices.IndexFunc(meanings, func(m meaning) bool { return m.fits(f) })]
}

// nextDelay reports whether to try again, and after what wait: that of Retry-After, or else a random
// part of a ceiling that doubles with each attempt. A wait that is too long, or that would outlast
// the context, is left to the caller, in RetryAfter.
func (c *Client) nextDelay(ctx context.Context, e *Error, attempts, retries int) (wait time.Duration, ok bool) {
	if ctx.Err() != nil && e.Err != nil {
		// Transports return the cause of a cancellation, which need not be the context's error.
		_ = e.endedBy(ctx.Err())
		return 0, false
	}
	if e.meaning().retried != again || attempts > retries || e.RetryAfter > maxRetryAfter {
		return 0, false
	}
	wait = e.RetryAfter
	if wait == 0 {
		wait = c.jitter(min(firstBackoff<<(attempts-1), maxBackoff))
	}
	if !ratelimit.EndsInTime(ctx, wait) {
		e.RetryAfter = wait
		return 0, false
	}
	return wait, true
}

// fullJitter draws a wait between nothing and ceiling.
func fullJitter(ceiling time.Duration) time.Duration { return rand.N(ceiling + 1) }
