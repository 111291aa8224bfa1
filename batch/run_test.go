package batch

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func TestStoppedConnectionIsNotHammered(t *testing.T) {
	for name, c := range map[string]struct {
		opts []mock.Option
		is   error
	}{
		"expired":   {[]mock.Option{mock.WithConnections(mock.Connection{ID: "conn_bad", State: mock.Expired})}, api.ErrSessionExpired},
		"unknown":   {nil, api.ErrSessionExpired},
		"read-only": {[]mock.Option{mock.WithConnections(mock.Connection{ID: "conn_bad", ReadOnly: true})}, api.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(1, c.opts...)
				bad := messages(1, 500)
				for i := range bad {
					bad[i].ConnectionID = "conn_bad"
				}
				good := messages(0, 200)
				var progress Progress
				results := collect(t.Context(), newClient(t, server), slices.Concat(bad, good), Options{Progress: &progress})
				wantTally(t, results, "200 unsent, 1 failed, 499 skipped")
				for _, r := range results {
					if r.Item.ConnectionID == "conn_bad" && (!errors.Is(r.Err, c.is) || r.Final) {
						t.Fatalf("%s of conn_bad with %v, final %v; want %v, not final", r.Outcome, r.Err, r.Final, c.is)
					}
				}
				if n := len(server.Journal()); n != 201 {
					t.Errorf("%d requests; want 200 and one on the connection that was stopped", n)
				}
				for _, l := range progress.Connections() {
					if (l.Stopped != nil) != (l.ID == "conn_bad") {
						t.Errorf("%s is stopped by %v", l.ID, l.Stopped)
					}
				}
			})
		})
	}
}

// A session that ends while requests are in flight ends those, and the rest is skipped.
func TestSessionEndsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		items := messages(0, 300)
		var results []Result
		for r := range Run(t.Context(), newClient(t, server), slices.Values(items), Options{}) {
			if results = append(results, r); len(results) == 100 {
				server.SetConnection(mock.Connection{ID: connectionID(0), State: mock.Expired})
			}
		}
		counts := map[Outcome]int{}
		for _, r := range results {
			counts[r.Outcome]++
		}
		if len(results) != 300 || counts[Unsent] < 100 || counts[Failed] < 1 || counts[Failed] > defaultInFlight || counts[Skipped] < 150 {
			t.Errorf("got %s of 300", tally(results))
		}
	})
}

func TestRepeatedRowsAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(2)
		first, missing := message(0, 0), message(0, 1)
		server.Remove(missing.UserID, missing.MessageID)
		var items []Item
		for line := range 6 {
			a, b := first, missing
			a.Line, b.Line = 2*line+2, 2*line+3
			items = append(items, a, b)
		}
		elsewhere := first // the same ids on another connection are another message
		elsewhere.ConnectionID, elsewhere.Line = connectionID(1), 99
		results := collect(t.Context(), newClient(t, server), append(items, elsewhere), Options{})
		if len(results) != 13 {
			t.Fatalf("%d results; want one for each of 13 rows", len(results))
		}
		if a, b := requests(server, first), requests(server, missing); a != 2 || b != 1 {
			t.Errorf("%d and %d requests; want one for each message", a, b)
		}
		lines := map[int]bool{}
		originals := 0
		for _, r := range results {
			lines[r.Item.Line] = true
			if !r.Duplicate {
				originals++
			}
			// The mock's messages do not know of connections: whichever comes first has it.
			want := find(t, results, r.Item).Outcome
			if r.Item.MessageID == missing.MessageID {
				want = Failed
			}
			if r.Outcome != want || (want == Failed) != errors.Is(r.Err, api.ErrNotFound) {
				t.Errorf("line %d ended %s with %v; want %s", r.Item.Line, r.Outcome, r.Err, want)
			}
		}
		if find(t, results, first).Outcome == find(t, results, elsewhere).Outcome {
			t.Error("the message was taken back on two connections")
		}
		if len(lines) != 13 || originals != 3 {
			t.Errorf("%d lines and %d messages; want 13 and 3", len(lines), originals)
		}
	})
}

// A row that repeats a message which has ended is told its outcome.
func TestLateRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		gone, there := message(0, 0), message(0, 1)
		server.Remove(gone.UserID, gone.MessageID)
		items := func(yield func(Item) bool) {
			if !yield(gone) || !yield(there) {
				return
			}
			synctest.Wait() // both have ended
			if yield(gone) {
				yield(there)
			}
		}
		results := slices.Collect(Run(t.Context(), newClient(t, server), items, Options{}))
		wantTally(t, results, "2 unsent, 2 failed")
		for _, r := range results[2:] {
			if !r.Duplicate || (r.Outcome == Failed) != errors.Is(r.Err, api.ErrNotFound) || !r.Final {
				t.Errorf("got %+v", r)
			}
		}
		if n := len(server.Journal()); n != 2 {
			t.Errorf("%d requests; want 2", n)
		}
	})
}

// A connection that is stopped does not wait for a better time.
func TestStoppedConnectionIsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		items := messages(0, 100)
		server.NextFor(items[1].UserID, items[1].MessageID, mock.Fault{Status: 429, RetryAfter: "300", Delay: time.Second / 2})
		server.NextFor(items[2].UserID, items[2].MessageID, mock.Fault{Status: 401, Type: "SESSION_EXPIRED", Delay: time.Second})
		start := time.Now()
		results := collect(t.Context(), newClient(t, server), items, Options{InFlight: 2})
		if took := time.Since(start); took != time.Second || len(results) != 100 {
			t.Errorf("%s, after %v; want all, after 1 s", tally(results), took)
		}
		wantTally(t, results, "1 unsent, 2 failed, 97 skipped")
	})
}

// Items that fail in passing wait, and the others of their connection go on.
func TestFailingItemsDoNotHoldUpTheirConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithoutRateLimit())
		items := messages(0, 100)
		for _, item := range items[:3] {
			server.NextFor(item.UserID, item.MessageID, slices.Repeat([]mock.Fault{{Status: 503}}, 11)...)
		}
		start := time.Now()
		var last time.Duration
		var failed []Result
		for r := range Run(t.Context(), newClient(t, server, api.WithRetries(0), api.WithoutRateLimit()), slices.Values(items), Options{}) {
			if r.Outcome == Failed {
				failed = append(failed, r)
			} else {
				last = time.Since(start)
			}
		}
		if len(failed) != 3 || last > 8*time.Second {
			t.Errorf("%d failed, and the others took until %v; want 3 and next to no time", len(failed), last)
		}
		for _, r := range failed {
			if r.Attempts != 1+maxRequeues || r.Final || !r.MaybeUnsent {
				t.Errorf("got %+v; want %d requests, not final", r, 1+maxRequeues)
			}
		}
	})
}

// One connection whose every answer takes half a minute holds up no other.
func TestSlowConnectionHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(2)
		slow, quick := messages(0, 50), messages(1, 90)
		for _, item := range slow {
			server.NextFor(item.UserID, item.MessageID, mock.Fault{Delay: 29 * time.Second})
		}
		start := time.Now()
		for r := range Run(t.Context(), newClient(t, server), slices.Values(slices.Concat(slow, quick)), Options{InFlight: 2}) {
			if took := time.Since(start); r.Item.ConnectionID == connectionID(1) && took > time.Second {
				t.Fatalf("%+v ended after %v", r.Item, took)
			}
		}
	})
}

// A Retry-After longer than the client waits is waited for by the run.
func TestRetryAfterIsHonored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 503} {
			server := newMock(1)
			items := messages(0, 3)
			server.Next(mock.Fault{Status: status, RetryAfter: "300"})
			start := time.Now()
			wantTally(t, collect(t.Context(), newClient(t, server), items, Options{}), "3 unsent")
			for _, e := range server.Journal()[1:] {
				if after := e.Time.Sub(start); after < 5*time.Minute {
					t.Errorf("a request %v after a %d that asked to wait 5 minutes", after, status)
				}
			}
			if took := time.Since(start); took > 6*time.Minute {
				t.Errorf("it took %v", took)
			}
		}
	})
}

// A connection starts with one request, and goes on with as many as it may.
func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithoutRateLimit(), mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
		for _, n := range []int{0, 1, 3} {
			items := messages(0, 61)
			for i := range items {
				items[i].UserID = fmt.Sprint(n)
			}
			start := time.Now()
			wantTally(t, collect(t.Context(), newClient(t, server, api.WithoutRateLimit()), items, Options{InFlight: n}), "61 unsent")
			want := 1 + (60+max(n, 1)-1)/max(n, 1)
			if n == 0 {
				want = 1 + (60+defaultInFlight-1)/defaultInFlight
			}
			if got := time.Since(start); got != time.Duration(want)*time.Second {
				t.Errorf("%d in flight: it took %v; want %d s", n, got, want)
			}
		}
	})
}
