package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// sentinels are all that errors.Is can match.
func sentinels() map[string]error {
	return map[string]error{
		"ErrConfig": api.ErrConfig, "ErrInvalidID": api.ErrInvalidID, "ErrBadRequest": api.ErrBadRequest,
		"ErrUnauthorized": api.ErrUnauthorized, "ErrSessionExpired": api.ErrSessionExpired, "ErrForbidden": api.ErrForbidden,
		"ErrNotFound": api.ErrNotFound, "ErrRateLimited": api.ErrRateLimited, "ErrServer": api.ErrServer, "ErrStopped": api.ErrStopped,
		"ErrRefused": api.ErrRefused, "ErrUnexpectedResponse": api.ErrUnexpectedResponse,
	}
}

// matches are the names of the sentinels that err is, in order.
func matches(err error) []string {
	names := []string{}
	for name, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestMeanings calls with the two retries of the default, and meets one response again and again.
func TestMeanings(t *testing.T) {
	typed := func(kind string) string { return fmt.Sprintf(`{"error":"No","type":%q}`, kind) }
	for _, c := range []struct {
		name   string
		status int
		body   string

		scope     api.Scope
		flags     string // retried, maybe unsent, silent: not a response of the service itself
		sentinels string
	}{
		{"session expired", 401, typed("SESSION_EXPIRED"), api.ScopeConnection, "", "ErrSessionExpired ErrUnauthorized"},
		{"a session type to come", 401, typed("SESSION_LOCKED"), api.ScopeConnection, "", "ErrSessionExpired ErrUnauthorized"},
		{"403 of the session", 403, typed("SESSION_EXPIRED"), api.ScopeConnection, "", "ErrForbidden ErrSessionExpired"},
		{"409 of the session", 409, typed("SESSION_EXPIRED"), api.ScopeMessage, "", "ErrRefused"},
		{"another case", 401, typed("session_expired"), api.ScopeAccount, "", "ErrUnauthorized"},
		{"wrong key", 401, typed("UNAUTHORIZED"), api.ScopeAccount, "", "ErrUnauthorized"},
		{"401 of a gateway", 401, "no", api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"rules outdated", 401, typed("RULES_OUTDATED"), api.ScopeService, "retried", "ErrUnauthorized"},
		{"rules outdated, earlier", 401, `{"error":"e","code":"RULES_OUTDATED","details":{}}`, api.ScopeService, "retried", "ErrUnauthorized"},
		{"rules outdated on 403", 403, typed("RULES_OUTDATED"), api.ScopeMessage, "", "ErrForbidden"},
		{"402", 402, typed("NO_CREDIT"), api.ScopeAccount, "", "ErrUnauthorized"},
		{"forbidden", 403, typed("FORBIDDEN"), api.ScopeConnection, "", "ErrForbidden"},
		{"403 without a type", 403, `{"error":"No","requestId":"req_1"}`, api.ScopeConnection, "", "ErrForbidden"},
		{"403 of another type", 403, typed("TOO_OLD"), api.ScopeMessage, "", "ErrForbidden"},
		{"403 of a problem", 403, `{"type":"about:blank","title":"Forbidden"}`, api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"no such message", 404, typed("RESOURCE_NOT_FOUND"), api.ScopeMessage, "", "ErrNotFound"},
		{"no such route", 404, typed("ROUTE_NOT_FOUND"), api.ScopeClient, "", "ErrUnexpectedResponse"},
		{"404 of an unknown type", 404, typed("USER_NOT_FOUND"), api.ScopeClient, "", "ErrUnexpectedResponse"},
		{"404 of a gateway's page", 404, "<html>RESOURCE_NOT_FOUND</html>", api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"404 of a gateway's JSON", 404, `{"message":"no Route matched"}`, api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"404 of a type alone", 404, `{"type":"RESOURCE_NOT_FOUND"}`, api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"not found, by another status", 410, typed("RESOURCE_NOT_FOUND"), api.ScopeMessage, "", "ErrRefused"},
		{"bad request", 400, typed("BAD_REQUEST"), api.ScopeMessage, "", "ErrBadRequest"},
		{"validation failed", 422, `{"error":"No","code":"VALIDATION_ERROR","details":[]}`, api.ScopeMessage, "", "ErrBadRequest"},
		{"400 of a framework", 400, `{"status":400,"error":"Bad Request"}`, api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"a number as type", 400, `{"error":"No","type":7}`, api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"407 of a proxy", 407, typed("FORBIDDEN"), api.ScopeClient, "", ""},
		{"408", 408, typed("X"), api.ScopeService, "retried maybe", "ErrServer"},
		{"409 of the service", 409, typed("CONFLICT"), api.ScopeMessage, "", "ErrRefused"}, // X11
		{"410 of the service", 410, `{"error":"No","requestId":"req_1"}`, api.ScopeMessage, "", "ErrRefused"},
		{"409 of a gateway", 409, "conflict", api.ScopeService, "silent", "ErrUnexpectedResponse"},
		{"425", 425, typed("TOO_EARLY"), api.ScopeService, "retried", "ErrRateLimited"},
		{"429", 429, typed("RATE_LIMIT_EXCEEDED"), api.ScopeService, "retried", "ErrRateLimited"},
		{"429 of a gateway", 429, "slow down", api.ScopeService, "retried silent", "ErrRateLimited"},
		{"500", 500, `{"error":"No","requestId":"req_1"}`, api.ScopeService, "retried maybe", "ErrServer"},
		{"500 of nobody", 500, `{"error":"No"}`, api.ScopeService, "retried maybe silent", "ErrServer"},
		{"501", 501, typed("X"), api.ScopeService, "maybe", "ErrServer"},
		{"505", 505, typed("X"), api.ScopeService, "maybe", "ErrServer"},
		{"599", 599, typed("X"), api.ScopeService, "retried maybe", "ErrServer"},
		{"refused", 200, `{"success":false}`, api.ScopeMessage, "", "ErrRefused"},
		{"no success", 200, `{"queue":{"id":1}}`, api.ScopeService, "maybe silent", "ErrUnexpectedResponse"},
		{"an error in a 200", 200, typed("RESOURCE_NOT_FOUND"), api.ScopeService, "maybe", "ErrUnexpectedResponse"},
		{"000", 0, `{"success":true}`, api.ScopeService, "maybe silent", "ErrUnexpectedResponse"},
		{"101", 101, "", api.ScopeService, "maybe silent", "ErrUnexpectedResponse"},
		{"600", 600, `{"success":true}`, api.ScopeService, "maybe silent", "ErrUnexpectedResponse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := unsend(t.Context(), t, newClient(t, respond(t, c.status, nil, c.body)))
				e := apiError(t, err)
				has := func(flag string) bool { return strings.Contains(c.flags, flag) }
				if e.Scope != c.scope || e.Retryable() != has("retried") || e.MaybeUnsent != has("maybe") || e.Answered == has("silent") {
					t.Errorf("scope %v, retryable %v, maybe %v, answered %v: %v", e.Scope, e.Retryable(), e.MaybeUnsent, e.Answered, e)
				}
				if want := map[bool]int{true: 3, false: 1}[has("retried")]; e.Attempts != want || e.StatusCode != c.status {
					t.Errorf("%d attempts, status %d; want %d, %d", e.Attempts, e.StatusCode, want, c.status)
				}
				if got := strings.Join(matches(e), " "); got != c.sentinels {
					t.Errorf("the error is %s, want %s", got, c.sentinels)
				}
				if hint := e.Hint(); hint == "" || strings.Contains(hint, "\n") || unicode.IsUpper(rune(hint[0])) {
					t.Errorf("the hint is %q", hint)
				}
				kept := &api.Error{StatusCode: e.StatusCode, Type: e.Type, Scope: e.Scope, Answered: e.Answered, Err: e.Err}
				if got := strings.Join(matches(kept), " "); got != c.sentinels || kept.Hint() != e.Hint() || kept.Retryable() != e.Retryable() {
					t.Errorf("a copy of its fields is %s, with the hint %q; want %s, %q", got, kept.Hint(), c.sentinels, e.Hint())
				}
			})
		})
	}
}

func acted(f mock.Fault) mock.Fault {
	f.Acted = true
	return f
}

// TestRetries has the faults of a call's requests, and its outcome. A transient error is followed by
// another attempt; once the message may be gone, only certainty about it ends that.
func TestRetries(t *testing.T) {
	limited, lost, refused := mock.Fault{Status: 429}, mock.Fault{Status: 502}, mock.Fault{Kind: mock.Refused}
	outdated, page := mock.Fault{Status: 401, Type: "RULES_OUTDATED"}, mock.Fault{Status: 404, Kind: mock.HTML}
	alone := mock.Fault{Status: 404, Body: `{"type":"RESOURCE_NOT_FOUND"}`}
	type row struct {
		faults  []mock.Fault // the requests behind them meet nothing
		gone    bool         // before the call
		before  bool         // an earlier call may have unsent the message
		outcome api.Outcome
		is      error // with no outcome
		maybe   bool
	}
	rows := map[string]row{
		"nothing wrong":              {outcome: api.Unsent},
		"gone before":                {gone: true, is: api.ErrNotFound},
		"gone by an earlier call":    {gone: true, before: true, outcome: api.AlreadyGone},
		"forbidden, after one":       {faults: []mock.Fault{{Status: 403}}, before: true, is: api.ErrForbidden, maybe: true},
		"gone before, and 502":       {faults: []mock.Fault{lost}, gone: true, outcome: api.AlreadyGone},
		"429":                        {faults: []mock.Fault{limited, limited}, outcome: api.Unsent},
		"429, and gone":              {faults: []mock.Fault{limited}, gone: true, is: api.ErrNotFound},
		"rules outdated":             {faults: []mock.Fault{outdated}, outcome: api.Unsent},
		"502, then rules outdated":   {faults: []mock.Fault{lost, outdated}, outcome: api.Unsent},
		"502, then 429 twice":        {faults: []mock.Fault{lost, limited, limited}, is: api.ErrRateLimited, maybe: true},
		"502, then refused":          {faults: []mock.Fault{lost, refused}, is: api.ErrRefused, maybe: true},
		"502, then forbidden":        {faults: []mock.Fault{lost, {Status: 403}}, is: api.ErrForbidden, maybe: true},
		"429, unseen, then gone":     {faults: []mock.Fault{limited, acted(lost)}, outcome: api.AlreadyGone},
		"unseen, then 429, gone":     {faults: []mock.Fault{acted(lost), limited}, outcome: api.AlreadyGone},
		"unseen, then a type alone":  {faults: []mock.Fault{acted(lost), alone}, is: api.ErrUnexpectedResponse, maybe: true},
		"unseen, then a page of 404": {faults: []mock.Fault{acted(lost), page}, is: api.ErrUnexpectedResponse, maybe: true},
	}
	for name, f := range map[string]mock.Fault{
		"dropped": {Kind: mock.Drop}, "cut before success": {Status: 200, Kind: mock.Truncated}, "500": {Status: 500},
		"a page on 502": {Status: 502, Kind: mock.HTML}, "a cut body on 503": {Status: 503, Kind: mock.Truncated},
	} {
		is := api.ErrServer
		if f.Status < 500 {
			is = api.ErrUnexpectedResponse
		}
		if f.Kind == mock.Drop {
			is = nil
		}
		rows[name+" twice"] = row{faults: []mock.Fault{f, f}, outcome: api.Unsent}
		rows[name+" thrice"] = row{faults: []mock.Fault{f, f, f}, is: is, maybe: true}
		rows[name+", unsent the second time"] = row{faults: []mock.Fault{f, acted(f)}, outcome: api.AlreadyGone}
		rows[name+", unsent the last time"] = row{faults: []mock.Fault{f, f, acted(f)}, is: is, maybe: true}
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				if r.gone {
					server.Remove(userID, messageID)
				}
				server.Next(r.faults...)
				var opts []api.CallOption
				if r.before {
					opts = append(opts, api.WithMaybeUnsent())
				}
				started := time.Now()
				result, err := unsend(t.Context(), t, newClient(t, validatedRequests(t, server.Client().Transport)), opts...)
				n := len(server.Journal())
				waits := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond} // until each request
				if took := time.Since(started); took != waits[n-1] {
					t.Errorf("%d requests in %v, want %v", n, took, waits[n-1])
				}
				if r.outcome != "" {
					if err != nil || result.Outcome != r.outcome || result.Attempts != n || server.Exists(userID, messageID) {
						t.Fatalf("%v, %v; want %v", result, err, r.outcome)
					}
					gone := strings.Contains(string(result.Raw), "RESOURCE_NOT_FOUND")
					if gone != (r.outcome == api.AlreadyGone) || result.RequestID != fmt.Sprintf("req_%012d", n) {
						t.Errorf("the result has %s of %s; want the last response", result.Raw, result.RequestID)
					}
					return
				}
				e := apiError(t, err)
				if e.MaybeUnsent != r.maybe || e.Attempts != n || n < len(r.faults) || r.is != nil && !errors.Is(err, r.is) {
					t.Errorf("%v: MaybeUnsent %v, %d attempts, %d requests; want %v", err, e.MaybeUnsent, e.Attempts, n, r.is)
				}
			})
		})
	}
}

func TestRetriesAsMany(t *testing.T) {
	for _, retries := range []int{0, 1, 5, 20} {
		synctest.Test(t, func(t *testing.T) {
			server := newMock(mock.WithFaults(1, 1, mock.Fault{Status: 503}))
			started := time.Now()
			_, err := unsend(t.Context(), t, mockClient(t, server, api.WithRetries(retries)))
			if e := apiError(t, err); e.Attempts != retries+1 || len(server.Journal()) != retries+1 || !errors.Is(err, api.ErrServer) {
				t.Errorf("%d retries: %d attempts, %d requests: %v", retries, e.Attempts, len(server.Journal()), err)
			}
			// The ceilings double from half a second to 20 s.
			want, ceiling := time.Duration(0), 500*time.Millisecond
			for range retries {
				want += min(ceiling, 20*time.Second)
				ceiling *= 2
			}
			if took := time.Since(started); took != want {
				t.Errorf("%d retries took %v, want %v", retries, took, want)
			}
		})
	}
}

// TestJitter: a wait is anything up to its ceiling.
func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		wait := api.FullJitter(3)
		if wait < 0 || wait > 3 {
			t.Fatalf("a wait of %d, want 0 to 3", wait)
		}
		seen[wait] = true
	}
	if len(seen) == 1 {
		t.Error("all waits are alike")
	}
}

// TestWaits end as the response requests, or before they begin: a wait over a minute, or one that
// would outlast the context, is left to the caller.
func TestWaits(t *testing.T) {
	date := func(d time.Duration) string { // that far from when a bubble begins
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
	}
	for name, c := range map[string]struct {
		fault    mock.Fault
		deadline time.Duration
		took     time.Duration
		after    time.Duration // what the error has; 0: the call succeeds
	}{
		"backoff fits":             {mock.Fault{Status: 503}, 501 * time.Millisecond, 500 * time.Millisecond, 0},
		"backoff ends with it":     {mock.Fault{Status: 503}, 500 * time.Millisecond, 0, 500 * time.Millisecond},
		"Retry-After fits":         {mock.Fault{Status: 429, RetryAfter: "5"}, 5001 * time.Millisecond, 5 * time.Second, 0},
		"Retry-After ends with it": {mock.Fault{Status: 429, RetryAfter: "5"}, 5 * time.Second, 0, 5 * time.Second},
		"a date is too long":       {mock.Fault{Status: 503, RetryAfter: date(5 * time.Second)}, 4 * time.Second, 0, 5 * time.Second},
		"a date that has passed":   {mock.Fault{Status: 429, RetryAfter: date(-time.Hour)}, time.Hour, 500 * time.Millisecond, 0},
		"a minute":                 {mock.Fault{Status: 503, RetryAfter: "60"}, time.Hour, time.Minute, 0},
		"more than a minute":       {mock.Fault{Status: 429, RetryAfter: "61"}, time.Hour, 0, 61 * time.Second},
		"not retried":              {mock.Fault{Status: 403, RetryAfter: "30"}, time.Hour, 0, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				server.Next(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				started := time.Now()
				_, err := unsend(ctx, t, mockClient(t, server))
				if took := time.Since(started); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.after == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := apiError(t, err)
				if e.RetryAfter != c.after || e.StatusCode != c.fault.Status || e.Attempts != 1 || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v: RetryAfter %v, %d attempts; want %v", err, e.RetryAfter, e.Attempts, c.after)
				}
			})
		})
	}
}
