package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// row is a call with the two retries of the default: what its requests meet, and what it must
// come to. The requests behind the faults meet nothing.
type row struct {
	name   string
	faults []mock.Fault
	gone   bool // the message was taken away before the call
	breaks bool // the answers break the contract, which judges the client's requests alone

	waits   []time.Duration // between the requests, so one less than they are
	outcome api.Outcome     // 0: an error, with the rest
	status  int
	is      []string // all the sentinels that it is
	maybe   bool
	after   time.Duration // RetryAfter
}

// The waits of a call that goes on to its end, without chance.
func firstWait() []time.Duration { return []time.Duration{500 * time.Millisecond} }

func bothWaits() []time.Duration { return []time.Duration{500 * time.Millisecond, time.Second} }

// transient are the faults after which the message may be gone, and another attempt may succeed.
func transient() map[string]mock.Fault {
	return map[string]mock.Fault{
		"dropped": {Kind: mock.Drop}, "cut before success": {Kind: mock.Truncated}, "408": {Status: 408}, "500": {Status: 500},
		"502": {Status: 502}, "599": {Status: 599},
		"a page on 502": {Status: 502, Kind: mock.HTML}, "no body on 500": {Status: 500, Kind: mock.Empty},
		"a cut body on 503": {Status: 503, Kind: mock.Truncated}, "500, earlier": {Status: 500, Shape: mock.ShapeEarlier},
	}
}

func (r row) run(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// Without a rate limit, which has waits of its own.
		server := newMock(mock.WithoutRateLimit(), mock.WithMessages(mock.Message{UserID: userID, MessageID: messageID}))
		if r.gone {
			server.Remove(userID, messageID)
		}
		server.Next(r.faults...)
		transport := validated(t, server.Client().Transport)
		if r.breaks {
			transport = validatedRequests(t, server.Client().Transport)
		}
		started := time.Now()
		result, err := unsend(t.Context(), t, newClient(t, transport))

		waits, last := []time.Duration{}, time.Time{}
		for i, entry := range server.Journal() {
			if i == 0 && !entry.Time.Equal(started) {
				t.Errorf("the first request was %v late", entry.Time.Sub(started))
			}
			if i > 0 {
				waits = append(waits, entry.Time.Sub(last))
			}
			last = entry.Time
		}
		if !slices.Equal(waits, r.waits) {
			t.Errorf("%d requests with the waits %v between, want %v", len(waits)+1, waits, r.waits)
		}
		r.check(t, result, err, len(r.waits)+1)
		if r.outcome != 0 && server.Exists(userID, messageID) {
			t.Error("the message still exists")
		}
	})
}

func (r row) check(t *testing.T, result *api.Result, err error, requests int) {
	t.Helper()
	if r.outcome != 0 {
		if err != nil {
			t.Fatalf("want %v, got %v", r.outcome, err)
		}
		if result.Outcome != r.outcome || result.Attempts != requests {
			t.Errorf("%v after %d attempts, want %v after %d", result.Outcome, result.Attempts, r.outcome, requests)
		}
		return
	}
	if err == nil {
		t.Fatalf("want an error, got %v", result.Outcome)
	}
	e := apiError(t, err)
	if e.StatusCode != r.status || e.MaybeUnsent != r.maybe || e.Attempts != requests || e.RetryAfter != r.after {
		t.Errorf("status %d, MaybeUnsent %v, %d attempts, RetryAfter %v; want %d, %v, %d, %v",
			e.StatusCode, e.MaybeUnsent, e.Attempts, e.RetryAfter, r.status, r.maybe, requests, r.after)
	}
	if got := matches(err); !slices.Equal(got, r.is) && len(got)+len(r.is) > 0 {
		t.Errorf("the error is %v, want %v", got, r.is)
	}
}

func run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, r.run)
	}
}

func TestTransientErrorsAreRetried(t *testing.T) {
	var rows []row
	for name, f := range transient() {
		status := f.Status
		if f.Kind == mock.Truncated && status == 0 {
			status = http.StatusOK
		}
		gaveUp := row{name: name + " thrice", faults: thrice(f), waits: bothWaits(), status: status, is: statusSentinels(status), maybe: true, breaks: true}
		rows = append(rows,
			row{name: name + " once", faults: []mock.Fault{f}, waits: firstWait(), outcome: api.Unsent, breaks: true},
			row{name: name + " twice", faults: []mock.Fault{f, f}, waits: bothWaits(), outcome: api.Unsent, breaks: true},
			gaveUp,
			row{name: name + ", unsent", faults: []mock.Fault{acted(f)}, waits: firstWait(), outcome: api.AlreadyGone, breaks: true},
			row{name: name + ", unsent the second time", faults: []mock.Fault{f, acted(f)}, waits: bothWaits(), outcome: api.AlreadyGone, breaks: true},
		)
		gaveUp.name, gaveUp.faults = name+", unsent the last time", []mock.Fault{f, f, acted(f)}
		rows = append(rows, gaveUp)
	}
	run(t, rows)
}

func TestRetriedUnambiguously(t *testing.T) {
	limited, outdated := mock.Fault{Status: 429}, mock.Fault{Status: 401, Type: "RULES_OUTDATED"}
	run(t, []row{
		{name: "429 once", faults: []mock.Fault{limited}, waits: firstWait(), outcome: api.Unsent},
		{name: "429 thrice", faults: thrice(limited), waits: bothWaits(), status: 429, is: []string{"ErrRateLimited"}},
		{name: "429 of the SDKs' shape", faults: thrice(mock.Fault{Status: 429, Shape: mock.ShapeSDK}), breaks: true, waits: bothWaits(), status: 429, is: []string{"ErrRateLimited"}},
		{name: "429 and the message gone", faults: []mock.Fault{limited}, gone: true, waits: firstWait(), status: 404, is: []string{"ErrNotFound"}},
		{name: "rules outdated once", faults: []mock.Fault{outdated}, waits: firstWait(), outcome: api.Unsent},
		{name: "rules outdated thrice", faults: thrice(outdated), waits: bothWaits(), status: 401, is: []string{"ErrUnauthorized"}},
		{name: "rules outdated and the message gone", faults: []mock.Fault{outdated, outdated}, gone: true, waits: bothWaits(), status: 404, is: []string{"ErrNotFound"}},
		{name: "rules outdated, earlier shape", faults: []mock.Fault{{Status: 401, Type: "RULES_OUTDATED", Shape: mock.ShapeEarlier}}, waits: firstWait(), outcome: api.Unsent},
	})
}

func TestNotRetried(t *testing.T) {
	rows := []row{
		{name: "nothing wrong", outcome: api.Unsent},
		{name: "gone before", gone: true, status: 404, is: []string{"ErrNotFound"}},
		{name: "session expired", faults: []mock.Fault{{Status: 401, Type: "SESSION_EXPIRED"}}, status: 401, is: []string{"ErrSessionExpired", "ErrUnauthorized"}},
		{name: "no session", faults: []mock.Fault{{Status: 401, Type: "SESSION_NOT_PROVIDED"}}, status: 401, is: []string{"ErrSessionExpired", "ErrUnauthorized"}},
		{name: "refused", faults: []mock.Fault{{Kind: mock.Refused}}, status: 200, is: []string{"ErrRefused"}},
		{name: "cut behind success", faults: []mock.Fault{{Kind: mock.TruncatedLate}}, breaks: true, outcome: api.Unsent},
		{name: "too long behind success", faults: []mock.Fault{{Kind: mock.Oversized}}, breaks: true, outcome: api.Unsent},
		{name: "success last", faults: []mock.Fault{{Kind: mock.SuccessLast}}, outcome: api.Unsent},
		{name: "labeled as a page", faults: []mock.Fault{{Kind: mock.Mislabeled}}, breaks: true, outcome: api.Unsent},
	}
	for _, status := range []int{301, 304, 400, 401, 402, 403, 404, 405, 409, 418, 422, 451} {
		rows = append(rows, row{name: fmt.Sprint(status), faults: []mock.Fault{{Status: status}}, breaks: true, status: status, is: statusSentinels(status)})
	}
	ambiguous := map[string]mock.Fault{
		"303": {Status: 303}, "501": {Status: 501}, "505": {Status: 505}, "204": {Status: 204}, "200 null": {Kind: mock.Null}, "200 empty": {Kind: mock.Empty},
		"200 text": {Kind: mock.Text}, "200 HTML": {Kind: mock.HTML}, "200 too long before success": {Kind: mock.OversizedLate}, "200 success as text": {Kind: "drift-success-string"},
	}
	for name, f := range ambiguous {
		status := f.Status
		if status == 0 {
			status = http.StatusOK
		}
		r := row{name: name, faults: []mock.Fault{f}, breaks: true, status: status, is: statusSentinels(status), maybe: true}
		rows = append(rows, r)
		r.name, r.faults = name+", unsent", []mock.Fault{acted(f)}
		rows = append(rows, r)
	}
	for i := range rows {
		rows[i].waits = []time.Duration{}
	}
	run(t, rows)
}

// TestMaybeUnsentOutlastsLaterAnswers: once an attempt may have been acted on, only certainty about
// the message ends the doubt.
func TestMaybeUnsentOutlastsLaterAnswers(t *testing.T) {
	lost := mock.Fault{Status: 502}
	var rows []row
	for _, status := range []int{400, 401, 403, 404, 409, 422, 302} {
		rows = append(rows, row{name: fmt.Sprintf("502, then %d", status), faults: []mock.Fault{lost, {Status: status}}, breaks: true,
			waits: firstWait(), status: status, is: statusSentinels(status), maybe: true})
	}
	rows = append(rows,
		row{name: "502, then 429 twice", faults: []mock.Fault{lost, {Status: 429}, {Status: 429}}, waits: bothWaits(), status: 429, is: []string{"ErrRateLimited"}, maybe: true},
		row{name: "502, then refused", faults: []mock.Fault{lost, {Kind: mock.Refused}}, waits: firstWait(), status: 200, is: []string{"ErrRefused"}, maybe: true},
		row{name: "502, then rules outdated", faults: []mock.Fault{lost, {Status: 401, Type: "RULES_OUTDATED"}}, waits: bothWaits(), outcome: api.Unsent},
		row{name: "429, then unsent unseen, then gone", faults: []mock.Fault{{Status: 429}, acted(lost)}, waits: bothWaits(), outcome: api.AlreadyGone},
		row{name: "unsent unseen, then 429, then gone", faults: []mock.Fault{acted(lost), {Status: 429}}, waits: bothWaits(), outcome: api.AlreadyGone},
		row{name: "gone before, and 502", faults: []mock.Fault{lost}, gone: true, waits: firstWait(), outcome: api.AlreadyGone},
		row{name: "unsent unseen, then a page of 404", faults: []mock.Fault{acted(lost), {Status: 404, Kind: mock.HTML}}, breaks: true, waits: firstWait(), status: 404, is: []string{"ErrNotFound"}, maybe: true},
		row{name: "unsent unseen, then 404 of a route", faults: []mock.Fault{acted(lost), {Status: 404, Type: "ROUTE_NOT_FOUND"}}, waits: firstWait(), status: 404, is: []string{"ErrNotFound"}, maybe: true},
	)
	run(t, rows)
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

// TestMaybeUnsentBefore is a call that continues one whose outcome is not known.
func TestMaybeUnsentBefore(t *testing.T) {
	server := newMock()
	server.Remove(userID, messageID)
	client := mockClient(t, server)
	if result, err := unsend(t.Context(), t, client, api.MaybeUnsentBefore()); err != nil || result.Outcome != api.AlreadyGone || result.Attempts != 1 {
		t.Errorf("%v, %v", result, err)
	}
	server.Next(mock.Fault{Status: 403})
	_, err := unsend(t.Context(), t, client, api.MaybeUnsentBefore())
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
