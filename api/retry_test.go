package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// row is a call with the two retries of the default: what its requests meet, and what it must
// come to. The requests behind the faults meet nothing. Its answers may break the contract.
type row struct {
	name   string
	faults []mock.Fault
	gone   bool // the message was taken away before the call

	requests int
	outcome  api.Outcome // 0: an error, with the rest
	status   int
	is       []string // all the sentinels that it is
	maybe    bool
}

// thrice is a fault that every attempt meets.
func thrice(f mock.Fault) []mock.Fault { return []mock.Fault{f, f, f} }

func acted(f mock.Fault) mock.Fault {
	f.Acted = true
	return f
}

func (r row) run(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// Without a rate limit, which has waits of its own.
		server := newMock(mock.WithoutRateLimit())
		if r.gone {
			server.Remove(userID, messageID)
		}
		server.Next(r.faults...)
		started := time.Now()
		result, err := unsend(t.Context(), t, newClient(t, validatedRequests(t, server.Client().Transport)))

		waits := []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond} // until each request
		if took, n := time.Since(started), len(server.Journal()); n != r.requests || took != waits[r.requests-1] {
			t.Errorf("%d requests in %v, want %d in %v", n, took, r.requests, waits[r.requests-1])
		}
		if r.outcome != "" {
			if err != nil || result.Outcome != r.outcome || result.Attempts != r.requests || server.Exists(userID, messageID) {
				t.Errorf("%+v, %v; want %v", result, err, r.outcome)
			}
			return
		}
		if err == nil {
			t.Fatalf("want an error, got %v", result.Outcome)
		}
		e := apiError(t, err)
		if e.StatusCode != r.status || e.MaybeUnsent != r.maybe || e.Attempts != r.requests || e.RetryAfter != 0 {
			t.Errorf("status %d, MaybeUnsent %v, %d attempts, RetryAfter %v", e.StatusCode, e.MaybeUnsent, e.Attempts, e.RetryAfter)
		}
		if got := matches(err); !slices.Equal(got, r.is) && len(got)+len(r.is) > 0 {
			t.Errorf("the error is %v, want %v", got, r.is)
		}
	})
}

func run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, r.run)
	}
}

// TestTransientErrorsAreRetried has faults after which the message may be gone, and another
// attempt may succeed.
func TestTransientErrorsAreRetried(t *testing.T) {
	for name, f := range map[string]mock.Fault{
		"dropped": {Kind: mock.Drop}, "cut before success": {Status: 200, Kind: mock.Truncated}, "408": {Status: 408}, "500": {Status: 500},
		"502": {Status: 502}, "599": {Status: 599}, "a page on 502": {Status: 502, Kind: mock.HTML}, "no body on 500": {Status: 500, Kind: mock.Empty},
		"a cut body on 503": {Status: 503, Kind: mock.Truncated}, "500, earlier": {Status: 500, Body: `{"error":"e","code":"INTERNAL_SERVER_ERROR","details":{}}`},
	} {
		gaveUp := row{name: name + " thrice", faults: thrice(f), requests: 3, status: f.Status, is: statusSentinels(f.Status), maybe: true}
		gaveUpUnsent := gaveUp
		gaveUpUnsent.name, gaveUpUnsent.faults = name+", unsent the last time", []mock.Fault{f, f, acted(f)}
		run(t, []row{
			{name: name + " once", faults: []mock.Fault{f}, requests: 2, outcome: api.Unsent},
			{name: name + " twice", faults: []mock.Fault{f, f}, requests: 3, outcome: api.Unsent},
			{name: name + ", unsent", faults: []mock.Fault{acted(f)}, requests: 2, outcome: api.AlreadyGone},
			{name: name + ", unsent the second time", faults: []mock.Fault{f, acted(f)}, requests: 3, outcome: api.AlreadyGone},
			gaveUp,
			gaveUpUnsent,
		})
	}
}

// TestRetriedUnambiguously: what says for certain that nothing was done.
func TestRetriedUnambiguously(t *testing.T) {
	limited, outdated := mock.Fault{Status: 429}, mock.Fault{Status: 401, Type: "RULES_OUTDATED"}
	run(t, []row{
		{name: "429 once", faults: []mock.Fault{limited}, requests: 2, outcome: api.Unsent},
		{name: "429 thrice", faults: thrice(limited), requests: 3, status: 429, is: []string{"ErrRateLimited"}},
		{name: "425 thrice", faults: thrice(mock.Fault{Status: 425}), requests: 3, status: 425, is: []string{"ErrRateLimited"}},
		{name: "429 and the message gone", faults: []mock.Fault{limited}, gone: true, requests: 2, status: 404, is: []string{"ErrNotFound"}},
		{name: "rules outdated once", faults: []mock.Fault{outdated}, requests: 2, outcome: api.Unsent},
		{name: "rules outdated thrice", faults: thrice(outdated), requests: 3, status: 401, is: []string{"ErrUnauthorized"}},
		{name: "rules outdated and the message gone", faults: []mock.Fault{outdated, outdated}, gone: true, requests: 3, status: 404, is: []string{"ErrNotFound"}},
		{name: "rules outdated, earlier shape", faults: []mock.Fault{{Status: 401, Body: `{"error":"e","code":"RULES_OUTDATED","details":{}}`}}, requests: 2, outcome: api.Unsent},
	})
}

func TestNotRetried(t *testing.T) {
	rows := []row{
		{name: "nothing wrong", outcome: api.Unsent},
		{name: "gone before", gone: true, status: 404, is: []string{"ErrNotFound"}},
		{name: "session expired", faults: []mock.Fault{{Status: 401, Type: "SESSION_EXPIRED"}}, status: 401, is: []string{"ErrSessionExpired", "ErrUnauthorized"}},
		{name: "refused", faults: []mock.Fault{{Kind: mock.Refused}}, status: 200, is: []string{"ErrRefused"}},
		{name: "cut behind success", faults: []mock.Fault{{Kind: mock.TruncatedLate}}, outcome: api.Unsent},
		{name: "too long behind success", faults: []mock.Fault{{Kind: mock.Oversized}}, outcome: api.Unsent},
		{name: "success last", faults: []mock.Fault{{Kind: mock.SuccessLast}}, outcome: api.Unsent},
	}
	for _, status := range []int{301, 304, 400, 401, 402, 403, 404, 405, 407, 409, 418, 422, 451} {
		rows = append(rows, row{name: fmt.Sprint(status), faults: []mock.Fault{{Status: status}}, status: status, is: serviceSentinels(status)})
	}
	for name, f := range map[string]mock.Fault{
		"303": {Status: 303}, "501": {Status: 501}, "505": {Status: 505}, "204": {Status: 204}, "200 null": {Status: 200, Kind: mock.Null}, "200 empty": {Status: 200, Kind: mock.Empty},
		"200 HTML": {Status: 200, Kind: mock.HTML}, "200 too long before success": {Status: 200, Kind: mock.OversizedLate}, "200 success as text": {Status: 200, Set: `success="true"`},
	} {
		r := row{name: name, faults: []mock.Fault{f}, status: f.Status, is: statusSentinels(f.Status), maybe: true}
		rows = append(rows, r)
		r.name, r.faults = name+", unsent", []mock.Fault{acted(f)}
		rows = append(rows, r)
	}
	for i := range rows {
		rows[i].requests = 1
	}
	run(t, rows)
}

// TestMaybeUnsentOutlastsLaterAnswers: once an attempt may have been acted on, only certainty
// about the message ends that.
func TestMaybeUnsentOutlastsLaterAnswers(t *testing.T) {
	lost := mock.Fault{Status: 502}
	var rows []row
	for _, status := range []int{400, 401, 403, 404, 409, 302} {
		rows = append(rows, row{name: fmt.Sprintf("502, then %d", status), faults: []mock.Fault{lost, {Status: status}}, requests: 2, status: status, is: serviceSentinels(status), maybe: true})
	}
	run(t, append(rows, []row{
		{name: "502, then 429 twice", faults: []mock.Fault{lost, {Status: 429}, {Status: 429}}, requests: 3, status: 429, is: []string{"ErrRateLimited"}, maybe: true},
		{name: "502, then refused", faults: []mock.Fault{lost, {Kind: mock.Refused}}, requests: 2, status: 200, is: []string{"ErrRefused"}, maybe: true},
		{name: "502, then rules outdated", faults: []mock.Fault{lost, {Status: 401, Type: "RULES_OUTDATED"}}, requests: 3, outcome: api.Unsent},
		{name: "429, then unsent unseen, then gone", faults: []mock.Fault{{Status: 429}, acted(lost)}, requests: 3, outcome: api.AlreadyGone},
		{name: "unsent unseen, then 429, then gone", faults: []mock.Fault{acted(lost), {Status: 429}}, requests: 3, outcome: api.AlreadyGone},
		{name: "gone before, and 502", faults: []mock.Fault{lost}, gone: true, requests: 2, outcome: api.AlreadyGone},
		{name: "unsent unseen, then a page of 404", faults: []mock.Fault{acted(lost), {Status: 404, Kind: mock.HTML}}, requests: 2, status: 404, is: []string{"ErrUnexpectedResponse"}, maybe: true},
		{name: "unsent unseen, then 404 of a route", faults: []mock.Fault{acted(lost), {Status: 404, Type: "ROUTE_NOT_FOUND"}}, requests: 2, status: 404, is: []string{"ErrUnexpectedResponse"}, maybe: true},
	}...))
}

func TestRetriesAsMany(t *testing.T) {
	for _, retries := range []int{0, 1, 2, 5, 20} {
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

// TestWithMaybeUnsent is a call that continues one whose outcome is not known.
func TestWithMaybeUnsent(t *testing.T) {
	server := newMock()
	server.Remove(userID, messageID)
	client := mockClient(t, server)
	if result, err := unsend(t.Context(), t, client, api.WithMaybeUnsent()); err != nil || result.Outcome != api.AlreadyGone || result.Attempts != 1 {
		t.Errorf("%v, %v", result, err)
	}
	server.Next(mock.Fault{Status: 403})
	_, err := unsend(t.Context(), t, client, api.WithMaybeUnsent())
	if e := apiError(t, err); !e.MaybeUnsent {
		t.Errorf("MaybeUnsent is false: %v", err)
	}
}

// TestAlreadyGoneTellsOfItsAnswer: the answer is an error's, and the result has what it said.
func TestAlreadyGoneTellsOfItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		server.Next(mock.Fault{Kind: mock.Drop, Acted: true})
		result, err := unsend(t.Context(), t, mockClient(t, server))
		if err != nil {
			t.Fatal(err)
		}
		if result.RequestID != "req_000000000002" || result.RateLimit.Remaining != 88 || !strings.Contains(string(result.Raw), "RESOURCE_NOT_FOUND") {
			t.Errorf("%+v", result)
		}
	})
}
