package batch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// slow is an option for a mock that responds after ten seconds.
var slow = mock.WithFaults(1, 1, mock.Fault{Delay: 10 * time.Second})

// A stop finishes the requests in flight, and waits for nothing else; the end of the context is at once.
func TestStop(t *testing.T) {
	both := slices.Concat(messages(0, 100), messages(1, 100))
	for _, c := range []struct {
		name         string
		mock         mock.Option
		faults       []mock.Fault
		client       []api.Option
		items        []batch.Item
		inFlight     int
		stop, cancel time.Duration
		want         string // until stop, cancel or what is in flight then
		took         time.Duration
		is           error // of the run
		failed       error // of each message that failed
		certain      bool  // that these are not unsent
	}{
		{
			// One on each connection until 10 s, then eight until 20 s.
			name: "finishes what is in flight", mock: slow, items: both, inFlight: 8, stop: 15 * time.Second,
			want: "18 unsent", took: 20 * time.Second, is: batch.ErrStopped,
		},
		{
			name: "a context ends at once", mock: slow, items: both, inFlight: 8, cancel: 15 * time.Second,
			want: "2 unsent, 16 failed", took: 15 * time.Second, is: context.Canceled, failed: context.Canceled,
		},
		{
			name: "a context ends a stop", mock: slow, items: messages(0, 100), stop: 11 * time.Second, cancel: 12 * time.Second,
			want: "1 unsent, 4 failed", took: 12 * time.Second, is: batch.ErrStopped, failed: context.Canceled,
		},
		{ // the fourth would have its turn in a minute
			name: "does not wait for the rate limit", mock: mock.WithRateLimit(1, 3), client: []api.Option{api.WithRateLimit(1, 3)},
			items: messages(0, 50), stop: time.Second, want: "3 unsent", took: time.Second, is: batch.ErrStopped,
		},
		{
			name: "does not wait for retries", mock: mock.WithRateLimit(90, 90), items: messages(0, 50), stop: 10 * time.Second,
			faults: []mock.Fault{{Status: 503, RetryAfter: "50"}, {Status: 503}},
			want:   "1 failed", took: 10 * time.Second, is: batch.ErrStopped, failed: api.ErrServer,
		},
		{ // while a third waits for the rate limit
			name: "a session expires meanwhile", mock: mock.WithRateLimit(1, 2), client: []api.Option{api.WithRateLimit(1, 2)},
			faults: []mock.Fault{{}, {Status: 401, Type: "SESSION_EXPIRED", Delay: 10 * time.Second}}, items: messages(0, 50), stop: 5 * time.Second,
			want: "1 unsent, 1 failed", took: 10 * time.Second, is: batch.ErrStopped, failed: api.ErrSessionExpired, certain: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(2, c.mock)
				server.Next(c.faults...)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stop := make(chan struct{})
				if c.stop > 0 {
					time.AfterFunc(c.stop, func() { close(stop) })
				}
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				var progress batch.Progress
				opts := batch.Options{InFlight: c.inFlight, Stop: stop, Progress: &progress}
				start := time.Now()
				ledger := newLedger(t, c.items)
				results, early := collectRun(batch.Run(ctx, newClient(t, server, c.client...), ledger, opts))
				if took := time.Since(start); took != c.took {
					t.Errorf("it took %v; want %v", took, c.took)
				}
				wantTally(t, results, c.want)
				if !errors.Is(early, c.is) {
					t.Errorf("the run ends with %v; want %v", early, c.is)
				}
				for _, r := range results {
					if r.Outcome == batch.Failed && (!errors.Is(r.Err, c.failed) || r.MaybeUnsent == c.certain || r.Final) {
						t.Errorf("got %+v: %v; want %v, certain: %v", r, r.Err, c.failed, c.certain)
					}
				}
				for r, err := range ledger.Messages(context.Background(), batch.NotUnsent) {
					must(t, err)
					if r.Outcome == "" && r.MaybeUnsent {
						t.Errorf("message %s was not sent, and the ledger has it as ambiguous", r.Item.MessageID)
					}
				}
				if p := progress.Counts(); p.Items != len(c.items) || p.Ended() != len(results) || p.InFlight+p.Waiting != 0 {
					t.Errorf("progress is %+v; want %d of %d, none in flight or waiting", p, len(results), len(c.items))
				}
			})
		})
	}
}

// A connection that is stopped waits neither for the rate limit nor for a retry: what it has not sent is skipped.
func TestStoppedConnectionIsOverAtOnce(t *testing.T) {
	expired := mock.Fault{Status: 401, Type: "SESSION_EXPIRED", Delay: time.Second}
	waits := mock.Fault{Status: 429, RetryAfter: "300", Delay: time.Second / 2}
	for name, c := range map[string]struct {
		burst, inFlight int
		second          mock.Fault
		want            string
	}{
		"rate limit": {burst: 3, inFlight: 5, second: mock.Fault{Delay: time.Second}, want: "2 unsent, 1 failed, 47 skipped"},
		"retry":      {burst: 90, inFlight: 2, second: waits, want: "1 unsent, 2 failed, 47 skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(1, mock.WithRateLimit(1, c.burst))
				server.Next(mock.Fault{}, c.second, expired)
				start := time.Now()
				results := collect(t, newClient(t, server, api.WithRateLimit(1, c.burst)), messages(0, 50), batch.Options{InFlight: c.inFlight})
				wantTally(t, results, c.want)
				if took := time.Since(start); took != time.Second || len(server.Journal()) != 3 {
					t.Errorf("it took %v, and %d requests; want 1 s, and 3", took, len(server.Journal()))
				}
			})
		})
	}
}

func TestLeavingTheLoopFinishesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, slow)
		start := time.Now()
		var progress batch.Progress
		for r, err := range batch.Run(t.Context(), newClient(t, server), newLedger(t, messages(0, 100)), batch.Options{Progress: &progress}) {
			if err != nil {
				t.Errorf("a loop that was left yields %v", err)
			}
			if r.Outcome != batch.Unsent {
				t.Errorf("got %+v", r)
			}
			synctest.Wait() // four more are in flight
			break
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v; want 20 s", took)
		}
		if n := server.Counts().Unsent; n != progress.Counts().Unsent || n != 5 {
			t.Errorf("%d unsent, and %d reported; want all that were in flight", n, progress.Counts().Unsent)
		}
	})
}

// A loop whose body panics leaves nothing behind, and does not wait.
func TestPanicInTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		func() {
			defer func() {
				if recover() != "mine" {
					t.Error("the panic is lost")
				}
			}()
			for range each(t, newClient(t, newMock(1, slow)), messages(0, 100), batch.Options{}) {
				panic("mine")
			}
		}()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v; want no more than the first response", took)
		}
	})
}

// A run that is stopped while its last message is in flight is complete.
func TestStopAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(stop) })
		wantTally(t, collect(t, newClient(t, newMock(1, slow)), messages(0, 1), batch.Options{Stop: stop}), "1 unsent")
	})
}
