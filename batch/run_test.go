package batch_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/mock"
)

// Items with transient errors wait while the others of their connection continue.
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
		for r := range each(t, newClient(t, server, api.WithRetries(0), api.WithoutRateLimit()), items, batch.Options{}) {
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
			e, _ := errors.AsType[*api.Error](r.Err)
			if r.Attempts != 1+maxRequeues || r.Final || !r.MaybeUnsent || e == nil || e.Attempts != r.Attempts || e.Body() != nil {
				t.Errorf("got %+v; want %d requests, also in its error, which has no body, not final", r, 1+maxRequeues)
			}
		}
	})
}

// While a message waits for another attempt, the ledger has its error, and whether it may be unsent.
func TestTransientErrorsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := messages(0, 20)
		server, ledger := newMock(1), newLedger(t, items)
		server.NextFor(items[1].UserID, items[1].MessageID, mock.Fault{Kind: mock.Drop})
		server.NextFor(items[2].UserID, items[2].MessageID, mock.Fault{Status: 429})
		time.AfterFunc(100*time.Millisecond, func() {
			for r, err := range ledger.Messages(t.Context(), batch.NotUnsent) {
				switch r.Item.MessageID {
				case items[1].MessageID, items[2].MessageID:
					limited := errors.Is(r.Err, api.ErrRateLimited)
					if err != nil || r.Err == nil || r.Attempts != 1 || r.MaybeUnsent == limited || limited != (r.Item.MessageID == items[2].MessageID) {
						t.Errorf("the ledger has %+v: %v, %v", r, r.Err, err)
					}
				}
			}
		})
		results, err := collectRun(batch.Run(t.Context(), newClient(t, server, api.WithRetries(0)), ledger, batch.Options{InFlight: 1}))
		must(t, err)
		wantTally(t, results, "20 unsent")
	})
}

// A Retry-After longer than the client waits is waited for by the run.
func TestRetryAfterIsHonored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 503} {
			server := newMock(1)
			items := messages(0, 3)
			server.Next(slices.Repeat([]mock.Fault{{Status: status, RetryAfter: "500"}}, 3)...) // no reason to stop the connection
			start := time.Now()
			wantTally(t, collect(t, newClient(t, server), items, batch.Options{}), "3 unsent")
			for i, e := range server.Journal() {
				if after, want := e.Time.Sub(start), time.Duration(min(i, 3))*500*time.Second; after < want || after > want+time.Minute {
					t.Errorf("request %d was sent after %v; want %v after a %d that asked to wait", i, after, want, status)
				}
			}
		}
	})
}

// A connection starts with one request, and continues with InFlight.
func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithoutRateLimit(), mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
		for _, n := range []int{0, 1, 3} {
			items := messages(0, 61)
			for i := range items {
				items[i].UserID = fmt.Sprint(n)
			}
			start := time.Now()
			wantTally(t, collect(t, newClient(t, server, api.WithoutRateLimit()), items, batch.Options{InFlight: n}), "61 unsent")
			limit := cmp.Or(n, defaultInFlight)
			want := 1 + (60+limit-1)/limit
			if got := time.Since(start); got != time.Duration(want)*time.Second {
				t.Errorf("%d in flight: it took %v; want %d s", n, got, want)
			}
		}
	})
}

// failingStore has no claims for as many sessions as it is asked to, and then fails at writes, or once
// at a read.
type failingStore struct {
	batch.Store
	begins int
	write  func(n int) error
	writes int
	read   error
	reads  int
}

var (
	errLost   = fmt.Errorf("%w messages.db: %w", batch.ErrLedger, batch.ErrClaimLost)
	errBroken = fmt.Errorf("%w: the disk is full", batch.ErrLedger)
)

func (s *failingStore) Begin(ctx context.Context, retryFailed bool) error {
	if s.begins--; s.begins >= 0 {
		return errLost
	}
	return s.Store.Begin(ctx, retryFailed)
}

func (s *failingStore) Write(ctx context.Context, entries []batch.Entry) error {
	s.writes++
	if s.write == nil || s.write(s.writes) == nil {
		return s.Store.Write(ctx, entries)
	}
	return s.write(s.writes)
}

func (s *failingStore) Next(ctx context.Context, connectionID string, after batch.Message, n int) ([]batch.Message, error) {
	if s.reads++; s.reads == 2 && s.read != nil {
		return nil, s.read
	}
	return s.Store.Next(ctx, connectionID, after, n)
}

// However many messages a connection has, compared with those that are read at once, it comes to its end.
func TestEveryNumberOfMessages(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 128, 256, 257} {
		synctest.Test(t, func(t *testing.T) {
			expired := mock.Connection{ID: connectionID(1), State: mock.Expired}
			client := newClient(t, newMock(1, mock.WithConnections(expired), mock.WithoutRateLimit()), api.WithoutRateLimit())
			wantTally(t, collect(t, client, messages(0, n), batch.Options{}), fmt.Sprintf("%d unsent", n))
			if got := collect(t, client, messages(1, n), batch.Options{}); len(got) != n || got[0].Outcome != batch.Failed {
				t.Errorf("of %d messages on an expired connection %d have a result", n, len(got))
			}
		})
	}
}

// Whichever write fails, no message is sent or yielded before it is recorded, and the run can be resumed.
func TestFailingWrites(t *testing.T) {
	for n := range 12 {
		synctest.Test(t, func(t *testing.T) {
			items := append(messages(0, 20), messages(1, 20)...)
			server := newMock(2, mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
			ledger, store := newLedger(t, items), failingStore{}
			store.write = func(write int) error {
				if write > n {
					return errBroken
				}
				return nil
			}
			ledger.Wrap(func(s batch.Store) batch.Store { store.Store = s; return &store })
			var progress batch.Progress
			results, early := collectRun(batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{Progress: &progress}))
			if !errors.Is(early, errBroken) {
				t.Fatalf("write %d: the run ends with %v; want %v", n, early, errBroken)
			}
			if c := progress.Counts(); c.InFlight != 0 || c.Ended() != len(results) {
				t.Errorf("write %d: progress is %+v", n, c)
			}
			storetest.OnRecord(t, ledger, server, storetest.IDs(results))
			store.write = nil
			resumed, early := collectRun(batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{Progress: &progress}))
			must(t, early)
			ended := 0
			for _, c := range progress.Connections() {
				ended += c.Ended()
			}
			if ended != len(resumed) {
				t.Errorf("write %d: the resumed run shows %d outcomes; want its own %d", n, ended, len(resumed))
			}
			if len(results)+len(resumed) != len(items) {
				t.Errorf("write %d: %d and %d results; want %d", n, len(results), len(resumed), len(items))
			}
			unsentOnce(t, server, items)
		})
	}
}

// A run whose claims are lost begins again. It yields why it ended if that happens too often without an
// outcome, or if the ledger fails.
func TestLostClaims(t *testing.T) {
	everyFourth := func(write int) error {
		if write%4 == 0 {
			return errLost
		}
		return nil
	}
	for name, c := range map[string]struct {
		store failingStore
		want  string
		err   error
	}{
		"a read loses them":  {store: failingStore{read: errLost}, want: "60 unsent"},
		"a read fails":       {store: failingStore{read: errBroken}, want: "nothing", err: errBroken},
		"30 sessions":        {store: failingStore{begins: 30}, want: "60 unsent"},
		"31 sessions":        {store: failingStore{begins: 31}, want: "nothing", err: errLost},
		"each write":         {store: failingStore{write: func(int) error { return errLost }}, want: "nothing", err: errLost},
		"every fourth write": {store: failingStore{write: everyFourth}, want: "60 unsent"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger := newLedger(t, slices.Concat(messages(0, 30), messages(1, 30)))
				ledger.Wrap(func(s batch.Store) batch.Store { c.store.Store = s; return &c.store })
				var progress batch.Progress
				start := time.Now()
				results, err := collectRun(batch.Run(t.Context(), newClient(t, newMock(2)), ledger, batch.Options{Progress: &progress}))
				took, lost := time.Since(start), errors.Is(c.err, batch.ErrClaimLost)
				if lost && (took < 6*time.Minute || took > 14*time.Minute || !errors.Is(progress.Trouble(), batch.ErrClaimLost)) {
					t.Errorf("the run ends after %v, and its progress shows %v; want some 6 to 13 minutes, and the lost claims", took, progress.Trouble())
				}
				for i, r := range results { // what was sent when a claim was lost is gone
					if r.Outcome == batch.AlreadyGone {
						results[i].Outcome = batch.Unsent
					}
				}
				wantTally(t, results, c.want)
				if err != c.err { //nolint:errorlint // nothing is put around it
					t.Errorf("the run ends with %v; want %v", err, c.err)
				}
				ended := 0
				for i, c := range progress.Connections() {
					ended += c.Ended()
					if c.ID != connectionID(i) || c.Items != 30 {
						t.Errorf("connection %d is %+v; want each once, with 30 messages", i, c)
					}
				}
				if ended != len(results) {
					t.Errorf("the connections count %d outcomes; want %d", ended, len(results))
				}
			})
		})
	}
}

// The last pair of a run that ended early is the reason, once, and nothing else has an error.
func TestRunYieldsWhyItEnded(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wrongKey, err := api.New("sk_wrong_key", api.WithHTTPClient(newMock(1).Client()))
	must(t, err)
	for name, c := range map[string]struct {
		ctx    context.Context
		client *api.Client
		opts   batch.Options
		is     error
	}{
		"too few":       {ctx: t.Context(), opts: batch.Options{InFlight: -1}, is: batch.ErrOptions},
		"too many":      {ctx: t.Context(), opts: batch.Options{InFlight: 1001}, is: batch.ErrOptions},
		"no client":     {ctx: t.Context(), client: new(api.Client), is: batch.ErrOptions},
		"no context":    {is: batch.ErrOptions},
		"ended context": {ctx: ended, is: context.Canceled},
		"wrong key":     {ctx: t.Context(), client: wrongKey, is: api.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
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
