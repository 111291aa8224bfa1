package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
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
				var progress batch.Progress
				results := collect(t.Context(), t, newClient(t, server), slices.Concat(bad, good), batch.Options{Progress: &progress})
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
		var results []batch.Result
		for r := range eachResult(t, batch.Run(t.Context(), newClient(t, server), newLedger(t, items), batch.Options{})) {
			if results = append(results, r); len(results) == 100 {
				server.SetConnection(mock.Connection{ID: connectionID(0), State: mock.Expired})
			}
		}
		counts := map[batch.Outcome]int{}
		for _, r := range results {
			counts[r.Outcome]++
		}
		if len(results) != 300 || counts[batch.Unsent] < 100 || counts[batch.Failed] < 1 || counts[batch.Failed] > defaultInFlight || counts[batch.Skipped] < 150 {
			t.Errorf("got %s of 300", tally(results))
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
		results := collect(t.Context(), t, newClient(t, server), items, batch.Options{InFlight: 2})
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
		var failed []batch.Result
		for r := range eachResult(t, batch.Run(t.Context(), newClient(t, server, api.WithRetries(0), api.WithoutRateLimit()), newLedger(t, items), batch.Options{})) {
			if r.Outcome == batch.Failed {
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
		for r := range eachResult(t, batch.Run(t.Context(), newClient(t, server), newLedger(t, slices.Concat(slow, quick)), batch.Options{InFlight: 2})) {
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
			wantTally(t, collect(t.Context(), t, newClient(t, server), items, batch.Options{}), "3 unsent")
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
			wantTally(t, collect(t.Context(), t, newClient(t, server, api.WithoutRateLimit()), items, batch.Options{InFlight: n}), "61 unsent")
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

// lostStore has no claims for as long as it is asked to.
type lostStore struct {
	batch.Store
	times int
}

var errLost = fmt.Errorf("%w messages.db: %w", batch.ErrLedger, batch.ErrClaimLost)

func (s *lostStore) Begin(ctx context.Context, retryFailed bool) error {
	if s.times--; s.times >= 0 {
		return errLost
	}
	return s.Store.Begin(ctx, retryFailed)
}

// A run whose claims are lost begins again, and says why where that happens too often.
func TestLostClaims(t *testing.T) {
	for _, c := range []struct {
		times int
		want  string
		err   error
	}{{times: 30, want: "20 unsent"}, {times: 31, want: "nothing", err: errLost}} {
		synctest.Test(t, func(t *testing.T) {
			ledger := newLedger(t, messages(0, 20))
			ledger.Wrap(func(s batch.Store) batch.Store { return &lostStore{Store: s, times: c.times} })
			results, err := collectRun(batch.Run(t.Context(), newClient(t, newMock(1)), ledger, batch.Options{}))
			wantTally(t, results, c.want)
			if err != c.err { //nolint:errorlint // nothing is put around it
				t.Errorf("after %d times the run ended with %v; want %v", c.times, err, c.err)
			}
		})
	}
}

// The last pair of a run that ended early is the reason, once, and nothing else has an error.
func TestRunYieldsWhyItEnded(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wrongKey, err := api.New("sk_wrong_key", api.WithHTTPClient(newMock(1).Client()))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ctx    context.Context
		client *api.Client
		opts   batch.Options
		is     error
	}{
		"bad options":   {opts: batch.Options{InFlight: -1}, is: batch.ErrOptions},
		"no client":     {client: new(api.Client), is: batch.ErrOptions},
		"ended context": {ctx: ended, is: context.Canceled},
		"wrong key":     {client: wrongKey, is: api.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			if c.client == nil {
				c.client = newClient(t, newMock(1))
			}
			ledger := newLedger(t, messages(0, 20))
			var errs []error
			for result, err := range batch.Run(c.ctx, c.client, ledger, c.opts) {
				if err == nil {
					continue
				}
				errs = append(errs, err)
				if result != (batch.Result{}) {
					t.Errorf("with the reason comes %+v; want an empty Result", result)
				}
				if _, err := ledger.Add(t.Context(), rows(nil)); err != nil {
					t.Errorf("when the reason is yielded the ledger is not free: %v", err)
				}
			}
			if len(errs) != 1 || !errors.Is(errs[0], c.is) {
				t.Errorf("the run yields the errors %v; want one that is %v", errs, c.is)
			}
		})
	}
}
