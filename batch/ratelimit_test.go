package batch_test

import (
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

// The service's bucket lets 90 requests through at once and one a second from then on: n
// messages cannot be done before n-90 seconds.
func earliest(n int) time.Duration { return time.Duration(max(n-90, 0)) * time.Second }

// Each rate limit is used up, and not exceeded.
func TestFinishIsAsEarlyAsTheBucketsAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		connections, each, perMinute, burst int
		interleaved                         bool
		slow                                time.Duration // each response
	}{
		{connections: 1, each: 300, perMinute: 60, burst: 90}, {connections: 7, each: 200, perMinute: 60, burst: 90, interleaved: true},
		{connections: 50, each: 150, perMinute: 60, burst: 90}, {connections: 3, each: 400, perMinute: 60, burst: 90, slow: 2 * time.Second},
		{connections: 2, each: 300, perMinute: 1200, burst: 10}, {connections: 2, each: 300, perMinute: 7, burst: 3},
		{connections: 2, each: 300, perMinute: 100_000, burst: 1},
	} {
		t.Run(fmt.Sprintf("%d connections, %d a minute", c.connections, c.perMinute), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rate := mock.WithRateLimit(c.perMinute, c.burst)
				server := newMock(c.connections, rate, mock.WithFaults(1, 1, mock.Fault{Delay: c.slow}))
				var items []batch.Item
				for i := range c.connections {
					items = append(items, messages(i, c.each)...)
				}
				if c.interleaved {
					slices.SortStableFunc(items, func(a, b batch.Item) int { return a.Line - b.Line })
				}
				ledger := newLedger(t, items)
				plan, err := ledger.Plan(t.Context(), false)
				must(t, err)
				start, want := time.Now(), plan.Duration(c.perMinute, c.burst)
				client := newClient(t, server, api.WithRateLimit(c.perMinute, c.burst))
				results := slices.Collect(storetest.Results(t, batch.Run(t.Context(), client, ledger, batch.Options{})))
				took := time.Since(start)
				wantTally(t, results, fmt.Sprintf("%d unsent", len(items)))
				unsentOnce(t, server, items)
				if limit := want*103/100 + c.slow; took < want || took > limit {
					t.Errorf("it took %v; the plan is %v, and with 3 %% and the last response it is %v", took, want, limit)
				}
				if counts := server.Counts(); counts.Limited*100 > counts.Requests {
					t.Errorf("%d of %d responses were 429; want at most 1 %%", counts.Limited, counts.Requests)
				}
			})
		})
	}
}

// What waits for the rate limit is not recorded as being sent, but one message: a crash leaves it as it was.
func TestWaitingIsNotSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, ledger := newMock(1), newLedger(t, messages(0, 30))
		time.AfterFunc(10*time.Second+time.Second/2, func() {
			recorded := 0
			for r, err := range ledger.Messages(t.Context(), batch.NotUnsent) {
				if err != nil {
					t.Error(err)
				}
				if r.MaybeUnsent {
					recorded++
				}
			}
			if recorded > 1 {
				t.Errorf("%d messages are recorded as being sent; want one at most, before its token is there", recorded)
			}
		})
		results, err := collectRun(batch.Run(t.Context(), newClient(t, server, api.WithRateLimit(60, 5)), ledger, batch.Options{}))
		must(t, err)
		wantTally(t, results, "30 unsent")
	})
}

func TestShortConnectionsEndAsIfAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sizes := []int{600, 1, 90, 120, 200, 91}
		server := newMock(len(sizes) + 1)
		items := messages(len(sizes), 50) // slow and long ones first, which must not hold up the others
		for _, item := range items {
			server.NextFor(item.UserID, item.MessageID, mock.Fault{Delay: 29 * time.Second})
		}
		for i, n := range sizes {
			items = append(items, messages(i, n)...)
		}
		start := time.Now()
		ended := map[string]time.Duration{}
		for r := range each(t, newClient(t, server), items, batch.Options{}) {
			if r.Outcome != batch.Unsent {
				t.Errorf("%+v ended %s: %v", r.Item, r.Outcome, r.Err)
			}
			ended[r.Item.ConnectionID] = time.Since(start)
		}
		for i, n := range sizes {
			if got, limit := ended[connectionID(i)], earliest(n)*103/100; got > limit {
				t.Errorf("the %d messages of %s ended after %v; alone they would after %v", n, connectionID(i), got, earliest(n))
			}
		}
	})
}
