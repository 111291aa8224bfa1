package api

import (
	"net/http"
	"slices"
	"strings"
)

// Scope is the cause of an error: what has to change before the same call can succeed.
type Scope string

// Scopes.
const (
	ScopeUnknown    Scope = ""           // an error that no call returned
	ScopeMessage    Scope = "message"    // this message: other messages may succeed
	ScopeConnection Scope = "connection" // the creator's connection: other connections may succeed
	ScopeAccount    Scope = "account"    // the API key or its account: nothing succeeds until it is fixed
	ScopeService    Scope = "service"    // the service, or the network: the same call may succeed later
	ScopeClient     Scope = "client"     // this program, this machine, or the caller, who ended the call
)

// String returns the scope, and "unknown" for ScopeUnknown.
func (s Scope) String() string {
	if s == ScopeUnknown {
		return "unknown"
	}
	return string(s)
}

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

// meaning is a row of the one table that says what became of an attempt. Nothing else in this
// module compares a status, a type or the text of an error.
type meaning struct {
	what      string // as the table in the package documentation has it
	retried   retried
	ambiguous ambiguity
	scope     Scope
	sentinel  error // what the error is beside the sentinel of its status; nil for nothing
	hint      string
	fits      func(f *facts) bool
}

// facts are what classify decides from.
type facts struct {
	ended     bool // the context ended, or WithStop's channel was closed
	tooLong   bool // the wait that the pace asks for cannot be waited for
	noAnswer  bool
	unwritten bool // no answer, and provably no request was written
	tls       bool // no answer, for TLS was refused before a request was written
	proxy     int  // no answer, for a proxy answered CONNECT with this status

	status      int
	answered    bool   // by the service itself
	kind        string // the error type, "" unless answered
	earlier     bool   // an earlier attempt may have unsent the message
	readable    bool   // success can be read
	success     bool   // and is true
	interrupted bool   // the body ended early, before success could be read
}

func (f *facts) status2xx() bool { return f.status/100 == 2 }

func (f *facts) session() bool { return strings.HasPrefix(f.kind, "SESSION_") }

func (f *facts) is(statuses ...int) bool { return slices.Contains(statuses, f.status) }

const (
	hintLater   = "try again later; if it lasts, ask the service's support"
	hintAgain   = "make the same call again: a message that was unsent is then reported as already gone"
	hintBaseURL = "check the base url: something other than the service answered"
)

// meanings is the table. The first row that fits holds, and the last fits all.
var meanings = []meaning{
	{
		what: "the pace asks for a wait that is too long; not sent", retried: later, ambiguous: notUnsent, scope: ScopeService, sentinel: ErrRateLimited,
		hint: "try again after the wait that it names, or give the call more time",
		fits: func(f *facts) bool { return f.tooLong },
	},
	{
		what: "context ended, or WithStop closed", retried: later, ambiguous: asItsAttempt, scope: ScopeClient,
		hint: "make the same call again: it was ended before its outcome was known",
		fits: func(f *facts) bool { return f.ended },
	},
	{
		what: "certificate or TLS refused before a request", retried: never, ambiguous: notUnsent, scope: ScopeClient,
		hint: "check the base url, and this machine's clock and certificates",
		fits: func(f *facts) bool { return f.noAnswer && f.tls },
	},
	{
		what: "407, or CONNECT answered 4xx by a proxy", retried: never, ambiguous: notUnsent, scope: ScopeClient,
		hint: "check the proxy of this machine (HTTPS_PROXY, HTTP_PROXY) and its user and password",
		fits: func(f *facts) bool { return f.proxy/100 == 4 || f.status == http.StatusProxyAuthRequired },
	},
	{
		what: "no request written (dial, DNS, CONNECT 5xx)", retried: again, ambiguous: notUnsent, scope: ScopeService,
		hint: "check the network of this machine, its proxy and the base url",
		fits: func(f *facts) bool { return f.noAnswer && f.unwritten },
	},
	{
		what: "answer lost, late, malformed, a TLS alert or reset", retried: again, ambiguous: maybeUnsent, scope: ScopeService,
		hint: hintAgain,
		fits: func(f *facts) bool { return f.noAnswer },
	},
	{
		what: "2xx that ended before success", retried: again, ambiguous: maybeUnsent, scope: ScopeService, sentinel: ErrUnexpectedResponse,
		hint: hintAgain,
		fits: func(f *facts) bool { return f.interrupted },
	},
	{
		what: "no final status (outside 200 to 599)", retried: never, ambiguous: maybeUnsent, scope: ScopeService, sentinel: ErrUnexpectedResponse,
		hint: hintBaseURL,
		fits: func(f *facts) bool { return f.status < 200 || f.status > 599 },
	},
	{
		what: "404 RESOURCE_NOT_FOUND after an attempt that may have", retried: never, ambiguous: alreadyGone,
		fits: func(f *facts) bool { return f.status == 404 && f.kind == "RESOURCE_NOT_FOUND" && f.earlier },
	},
	{
		what: "success: false", retried: never, ambiguous: notUnsent, scope: ScopeMessage, sentinel: ErrRefused,
		hint: "look at the message in the account: the time in which it can be unsent may be over",
		fits: func(f *facts) bool { return f.status2xx() && f.readable && !f.success },
	},
	{
		what: "2xx without a readable success", retried: never, ambiguous: maybeUnsent, scope: ScopeService, sentinel: ErrUnexpectedResponse,
		hint: "check the base url, and the answer with unsend contract; then make the same call again",
		fits: func(f *facts) bool { return f.status2xx() },
	},
	{
		what: "303, 501, 505", retried: never, ambiguous: maybeUnsent, scope: ScopeService,
		hint: hintBaseURL,
		fits: func(f *facts) bool { return f.is(303, 501, 505) },
	},
	{
		what: "408, any other 5xx", retried: again, ambiguous: maybeUnsent, scope: ScopeService,
		hint: hintLater,
		fits: func(f *facts) bool { return f.status == 408 || f.status/100 == 5 },
	},
	{
		what: "425, 429", retried: again, ambiguous: notUnsent, scope: ScopeService,
		hint: "wait as long as the answer asks; another program may be using the same connection",
		fits: func(f *facts) bool { return f.is(425, 429) },
	},
	{
		what: "401 RULES_OUTDATED", retried: again, ambiguous: notUnsent, scope: ScopeService,
		hint: "try again later: the service is refreshing its signing rules",
		fits: func(f *facts) bool { return f.status == 401 && f.kind == "RULES_OUTDATED" },
	},
	{
		what: "400, 401, 403, 404, 422 that the service did not answer", retried: never, ambiguous: notUnsent, scope: ScopeService,
		hint: hintBaseURL,
		fits: func(f *facts) bool { return !f.answered && f.is(400, 401, 403, 404, 422) },
	},
	{
		what: "401 or 403 SESSION_*", retried: never, ambiguous: notUnsent, scope: ScopeConnection, sentinel: ErrSessionExpired,
		hint: "have the creator connect again, or correct the connection id",
		fits: func(f *facts) bool { return f.is(401, 403) && f.session() },
	},
	{
		what: "any other 401; 402", retried: never, ambiguous: notUnsent, scope: ScopeAccount,
		hint: "check the api key and the account that it belongs to",
		fits: func(f *facts) bool { return f.is(401, 402) },
	},
	{
		what: "403 FORBIDDEN or without a type", retried: never, ambiguous: notUnsent, scope: ScopeConnection,
		hint: "grant messages:write to the key and to the connection",
		fits: func(f *facts) bool { return f.status == 403 && (f.kind == "" || f.kind == "FORBIDDEN") },
	},
	{
		what: "403 of any other type", retried: never, ambiguous: notUnsent, scope: ScopeMessage,
		hint: "look at the message in the account: the service does not allow this for it",
		fits: func(f *facts) bool { return f.status == 403 },
	},
	{
		what: "404 RESOURCE_NOT_FOUND", retried: never, ambiguous: notUnsent, scope: ScopeMessage,
		hint: "nothing to do: there is no such message, or no longer; check the ids if it should exist",
		fits: func(f *facts) bool { return f.status == 404 && f.kind == "RESOURCE_NOT_FOUND" },
	},
	{
		what: "400, 422", retried: never, ambiguous: notUnsent, scope: ScopeMessage,
		hint: "check the ids of this message",
		fits: func(f *facts) bool { return f.is(400, 422) },
	},
	{
		what: "any other 404 (ROUTE_NOT_FOUND)", retried: never, ambiguous: notUnsent, scope: ScopeClient,
		hint: "check the base url: the service has no such path",
		fits: func(f *facts) bool { return f.status == 404 },
	},
	{
		what: "any other 3xx or 4xx", retried: never, ambiguous: notUnsent, scope: ScopeService,
		hint: hintBaseURL,
		fits: func(*facts) bool { return true },
	},
}

// classify returns the first row that fits.
func classify(f *facts) *meaning {
	for i := range meanings {
		if meanings[i].fits(f) {
			return &meanings[i]
		}
	}
	return &meanings[len(meanings)-1]
}
