package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

func endedIsNotSentAgain(t *testing.T, open Open) {
	server, client := service(t, 2)
	items := append(Messages(0, 20), Messages(1, 20)...)
	for _, gone := range []batch.Item{items[3], items[25]} {
		server.Remove(gone.UserID, gone.MessageID)
	}
	ledger := open(t)
	Add(t, ledger, items)
	run(t, client, ledger, batch.Options{})
	Must(t, ledger.Close())
	ledger = open(t)
	replace(t, ledger, items)
	if results := run(t, client, ledger, batch.Options{}); len(results) != 0 {
		t.Errorf("%d were yielded again", len(results))
	}
	wantOutcomes(t, ledger, "38 unsent, 2 failed")
	plan, err := ledger.Plan(t.Context(), false)
	if err != nil || plan.Messages != 0 || plan.Ended != 40 || plan.Failed != 2 {
		t.Errorf("the plan is %+v, %v", plan, err)
	}
	if n := len(server.Journal()); n != 40 {
		t.Errorf("%d requests; want 40", n)
	}
}

// An outcome is final if the service itself refused the message alone. A message that may be unsent, as
// a list says, is already gone if the service does not have it.
func outcomes(t *testing.T, open Open) {
	server, client := service(t, 1)
	cases := []struct {
		gone, maybe, maybeLater bool
		fault                   mock.Fault
		want                    batch.Outcome
	}{
		{want: batch.Unsent},
		{gone: true, want: batch.Failed},
		{gone: true, maybe: true, want: batch.AlreadyGone},
		{gone: true, maybeLater: true, want: batch.AlreadyGone},
		{fault: mock.Fault{Status: 400, Body: "<html>no such site</html>", ContentType: "text/html"}, want: batch.Unsent},
		{fault: mock.Fault{Status: 404, Body: `{"message":"no Route matched with those values"}`}, want: batch.Unsent},
		{fault: mock.Fault{Kind: mock.Refused}, want: batch.Failed},
		{fault: mock.Fault{Status: 422}, want: batch.Failed},
	}
	items := Messages(0, len(cases))
	for i, c := range cases {
		if c.gone {
			server.Remove(items[i].UserID, items[i].MessageID)
		}
		server.NextFor(items[i].UserID, items[i].MessageID, c.fault)
		items[i].MaybeUnsent = c.maybe
	}
	ledger := open(t)
	Add(t, ledger, items)
	for i, c := range cases {
		items[i].MaybeUnsent = c.maybe || c.maybeLater
	}
	Add(t, ledger, items)
	results := run(t, client, ledger, batch.Options{})
	for i, c := range cases {
		if got := results[items[i].MessageID]; got.Outcome != c.want || !got.Final {
			t.Errorf("message %d ended %s, final %v, with %v; want %s, final", i, got.Outcome, got.Final, got.Err, c.want)
		}
	}
}

func stoppedConnection(t *testing.T, open Open) {
	server, client := service(t, 2, mock.WithConnections(mock.Connection{ID: "conn_bad", State: mock.Expired}))
	bad := Messages(1, 700)
	for i := range bad {
		bad[i].ConnectionID = "conn_bad"
	}
	ledger := open(t)
	Add(t, ledger, append(bad, Messages(0, 20)...))
	var progress batch.Progress
	results := run(t, client, ledger, batch.Options{Progress: &progress})
	wantOutcomes(t, ledger, "20 unsent, 1 failed, 699 skipped")
	if n := len(server.Journal()); n != 21 {
		t.Errorf("%d requests; want 20, and one on the connection that was stopped", n)
	}
	for _, l := range progress.Connections() {
		if (l.Stopped != nil) != (l.ID == "conn_bad") {
			t.Errorf("%s is stopped by %v", l.ID, l.Stopped)
		}
	}
	for _, r := range results {
		if r.Item.ConnectionID == "conn_bad" && (r.Final || r.Hint == "" || !errors.Is(r.Err, api.ErrSessionExpired)) {
			t.Fatalf("got %+v", r)
		}
	}
	server.SetConnection(mock.Connection{ID: "conn_bad"})
	run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "720 unsent")
}

func reportAndMessages(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := Messages(0, 8)
	items[5].WithUserID = "someone"
	for i, fault := range map[int]mock.Fault{1: {Status: 422}, 2: {Status: 422}, 3: {Kind: mock.Refused}} {
		server.NextFor(items[i].UserID, items[i].MessageID, fault)
	}
	ledger := open(t)
	Add(t, ledger, items)
	want := run(t, client, ledger, batch.Options{})
	report, err := ledger.Report(t.Context())
	Must(t, err)
	if len(report.Groups) != 2 || report.Service != "mock" {
		t.Fatalf("the report is %+v", report)
	}
	first, second := report.Groups[0], report.Groups[1]
	if first.Status != 422 || first.Count != 2 || first.Final != 2 || first.Scope != api.ScopeMessage || first.Hint == "" {
		t.Errorf("the first group is %+v", first)
	}
	if second.Status != 200 || second.Count != 1 || second.Outcome != batch.Failed {
		t.Errorf("the second group is %+v", second)
	}
	for filter, n := range map[batch.Filter]int{batch.All: 8, batch.NotUnsent: 3} {
		for got, err := range ledger.Messages(t.Context(), filter) {
			n--
			Must(t, err)
			yielded := want[got.Item.MessageID]
			if fmt.Sprint(got.Err) != fmt.Sprint(yielded.Err) {
				t.Errorf("the ledger has %v; yielded was %v", got.Err, yielded.Err)
			}
			if age := time.Since(got.EndedAt); age < 0 || age > time.Hour {
				t.Errorf("message %s ended at %v; want just now", got.Item.MessageID, got.EndedAt)
			}
			got.Err, yielded.Err, yielded.Response, got.EndedAt = nil, nil, nil, time.Time{}
			if got != yielded {
				t.Errorf("the ledger has %+v; yielded was %+v", got, yielded)
			}
		}
		if n != 0 {
			t.Errorf("filter %v: %d messages too few", filter, n)
		}
	}
	for _, err := range ledger.Messages(t.Context(), batch.All) {
		Must(t, err)
		break // leaves nothing locked
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for r, err := range ledger.Messages(ctx, batch.All) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("under a canceled context the ledger yields %+v, %v", r, err)
		}
	}
	Must(t, ledger.Close())
}

func oneAtATime(t *testing.T, open Open) {
	_, client := service(t, 1)
	ledger := open(t)
	Add(t, ledger, Messages(0, 5))
	for range Results(t, batch.Run(t.Context(), client, ledger, batch.Options{})) {
		if results, err := Collect(batch.Run(t.Context(), client, ledger, batch.Options{})); len(results) > 0 || !errors.Is(err, batch.ErrLedger) {
			t.Errorf("a second run yields %v, %v", results, err)
		}
		if _, err := ledger.Replace(t.Context(), Rows(nil)); !errors.Is(err, batch.ErrLedger) {
			t.Errorf("replacing the list of a run is %v", err)
		}
		if _, err := ledger.Report(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantOutcomes(t, ledger, "5 unsent")
}

// A transient error is in the ledger while the message waits, and gone when it is unsent.
func transientRecorded(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := Messages(0, 3)
	server.NextFor(items[1].UserID, items[1].MessageID, mock.Fault{Kind: mock.Drop})
	server.NextFor(items[2].UserID, items[2].MessageID, mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 503})
	ledger := open(t)
	Add(t, ledger, items)
	stop := make(chan struct{})
	for r, err := range batch.Run(t.Context(), client, ledger, batch.Options{Stop: stop, InFlight: 1}) {
		if err != nil {
			break
		}
		if r.Outcome == batch.Unsent {
			close(stop)
		}
	}
	for r, err := range ledger.Messages(t.Context(), batch.NotUnsent) {
		Must(t, err)
		if e, ok := errors.AsType[*api.Error](r.Err); ok && e.StatusCode == 0 && (e.Err == nil || e.Err.Error() != "the response was lost") {
			t.Errorf("the ledger has %v because of %v; want the response lost", e, e.Err)
		}
	}
	results := run(t, client, ledger, batch.Options{})
	if got := results[items[2].MessageID]; got.Outcome != batch.AlreadyGone || got.Attempts < 2 {
		t.Errorf("got %+v; want it already gone", got)
	}
	wantOutcomes(t, ledger, "2 unsent, 1 already gone")
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		if err != nil || r.Err != nil || r.MaybeUnsent {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
