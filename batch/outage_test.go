package batch_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// away is a service that cannot be reached while down is set.
type away struct {
	next    http.RoundTripper
	down    atomic.Bool
	refused atomic.Int64
}

func (a *away) RoundTrip(req *http.Request) (*http.Response, error) {
	if !a.down.Load() {
		return a.next.RoundTrip(req)
	}
	a.refused.Add(1)
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func (a *away) Unwrap() http.RoundTripper { return a.next }

func awayClient(t *testing.T, server *mock.Server) (*away, *api.Client) {
	t.Helper()
	service := &away{next: server.Client().Transport}
	return service, newClient(t, server, api.WithHTTPClient(&http.Client{Transport: service}))
}

func TestOutageIsWaitedOut(t *testing.T) {
	for name, begins := range map[string]time.Duration{"from the start": 0, "in the middle": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const length = 5 * time.Minute
				server := newMock(3)
				service, client := awayClient(t, server)
				items := slices.Concat(messages(0, 200), messages(1, 150), messages(2, 400))
				service.down.Store(begins == 0)
				time.AfterFunc(begins, func() { service.down.Store(true) })
				time.AfterFunc(begins+length, func() { service.down.Store(false) })
				var progress batch.Progress
				time.AfterFunc(begins+length/2, func() {
					if err := progress.Trouble(); !errors.Is(err, syscall.ECONNREFUSED) || progress.Counts().Waiting == 0 {
						t.Errorf("during the outage the progress shows %v, and %+v; want the error, and some waiting", err, progress.Counts())
					}
				})
				start := time.Now()
				results := collect(t, client, items, batch.Options{Progress: &progress})
				wantTally(t, results, "750 unsent")
				for i, c := range progress.Connections() {
					if want := []int{200, 150, 400}[i]; c.ID != connectionID(i) || c.Unsent != want || c.Waiting != 0 || c.Items != want {
						t.Errorf("connection %d is %+v; want %s, %d unsent", i, c, connectionID(i), want)
					}
				}
				if c := progress.Counts(); progress.Trouble() != nil || c.Waiting != 0 || c.Unsent != 750 {
					t.Errorf("in the end the progress shows %v, and %+v; want 750 unsent", progress.Trouble(), c)
				}
				unsentOnce(t, server, items)
				if took, limit := time.Since(start), earliest(400)+length+time.Minute; took > limit {
					t.Errorf("it took %v; want at most %v", took, limit)
				}
				if n := service.refused.Load(); n > 3*3*30 {
					t.Errorf("the service that was away was tried %d times", n)
				}
			})
		})
	}
}

// A service that stays away ends the run, within half an hour.
func TestOutageEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(2)
		service, client := awayClient(t, server)
		service.down.Store(true)
		start := time.Now()
		var results []batch.Result
		for r := range each(t, client, slices.Concat(messages(0, 1000), messages(1, 3)), batch.Options{}) {
			results = append(results, r)
			if r.Final || r.MaybeUnsent || !errors.Is(r.Err, syscall.ECONNREFUSED) {
				t.Fatalf("got %+v: %v", r, r.Err)
			}
			if (r.Outcome == batch.Failed) != (r.Attempts > 0) {
				t.Fatalf("%s after %d requests", r.Outcome, r.Attempts)
			}
		}
		if len(results) != 1003 || time.Since(start) > 30*time.Minute {
			t.Errorf("%d results after %v", len(results), time.Since(start))
		}
	})
}

// Many requests that fail at once are one sign of an outage, and those before it slowed nothing down:
// the connection is soon tried again.
func TestShortOutageIsShort(t *testing.T) {
	for _, c := range []struct{ inFlight, fail int }{{inFlight: 64, fail: 64}, {inFlight: 1, fail: 8}} {
		synctest.Test(t, func(t *testing.T) {
			server := newMock(1, mock.WithRateLimit(60, 65)) // one succeeds, and 64 fail before there is another token
			items := messages(0, 70)
			for _, item := range items[1 : 1+c.fail] {
				server.NextFor(item.UserID, item.MessageID, mock.Fault{Kind: mock.Drop, Delay: time.Second / 2 / time.Duration(c.fail/c.inFlight)})
			}
			start, n := time.Now(), 0
			client := newClient(t, server, api.WithRetries(0), api.WithRateLimit(60, 65))
			for range each(t, client, items, batch.Options{InFlight: c.inFlight}) {
				if took := time.Since(start); n == 1 && took > 2*time.Second {
					t.Errorf("%d in flight: the next succeeds after %v; want half a second of outage, and one of waiting", c.inFlight, took)
				}
				n++
			}
		})
	}
}

// A response to a request that was in flight when others failed ends the probing.
func TestResponseEndsProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithoutRateLimit())
		items := messages(0, 300)
		for _, item := range items[1:13] {
			server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 503, Delay: time.Second})
		}
		server.NextFor(items[13].UserID, items[13].MessageID, mock.Fault{Delay: 1100 * time.Millisecond})
		start := time.Now()
		var quick time.Duration
		for r := range each(t, newClient(t, server, api.WithRetries(0), api.WithoutRateLimit()), items, batch.Options{InFlight: 13}) {
			if r.Attempts == 1 {
				quick = time.Since(start)
			}
		}
		if quick > 1200*time.Millisecond {
			t.Errorf("the last that did not fail ended after %v; want it not held back by those that did", quick)
		}
	})
}

// Faults at random, acted on or not, leave nothing unsent and nothing ambiguous.
func TestRandomFaults(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			server := newMock(3, mock.WithFaults(seed, 0.3,
				mock.Fault{Kind: mock.Drop}, mock.Fault{Kind: mock.Drop, Acted: true}, mock.Fault{Status: 503},
				mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 429, RetryAfter: "1"}, mock.Fault{Status: 502, Kind: mock.HTML},
				mock.Fault{Kind: mock.HTML, Acted: true}, mock.Fault{Kind: mock.Truncated}))
			items := slices.Concat(messages(0, 200), messages(1, 200), messages(2, 200))
			results := collect(t, newClient(t, server), items, batch.Options{})
			if len(results) != len(items) {
				t.Errorf("%d results of %d", len(results), len(items))
			}
			for _, r := range results {
				if r.Outcome != batch.Unsent && r.Outcome != batch.AlreadyGone {
					t.Errorf("%+v: %v", r, r.Err)
				}
			}
			unsentOnce(t, server, items)
		})
	}
}
