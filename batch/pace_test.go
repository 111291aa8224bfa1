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

func TestFinishIsAsEarlyAsTheBucketsAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		connections, each int
		interleaved       bool
		slow              time.Duration // each response
	}{
		{connections: 1, each: 300}, {connections: 7, each: 200, interleaved: true}, {connections: 50, each: 150},
		{connections: 3, each: 400, slow: 2 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d connections", c.connections), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := newMock(c.connections, mock.WithFaults(1, 1, mock.Fault{Delay: c.slow}))
				var items []batch.Item
				for i := range c.connections {
					items = append(items, messages(i, c.each)...)
				}
				if c.interleaved {
					slices.SortStableFunc(items, func(a, b batch.Item) int { return a.Line - b.Line })
				}
				start := time.Now()
				results := collect(t, newClient(t, server), items, batch.Options{})
				took := time.Since(start)
				wantTally(t, results, fmt.Sprintf("%d unsent", len(items)))
				unsentOnce(t, server, items)
				if limit := earliest(c.each)*103/100 + c.slow; took > limit {
					t.Errorf("it took %v; the buckets allow %v, and with 3 %% and the last response it is %v", took, earliest(c.each), limit)
				}
				if counts := server.Counts(); counts.Limited*100 > counts.Requests {
					t.Errorf("%d of %d responses were 429; want at most 1 %%", counts.Limited, counts.Requests)
				}
			})
		})
	}
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

// The rate limits of other plans are used up as well.
func TestOtherRates(t *testing.T) {
	for _, rate := range []struct{ perMinute, burst int }{{1200, 10}, {7, 3}, {100_000, 1}} {
		synctest.Test(t, func(t *testing.T) {
			const n = 300
			server := newMock(2, mock.WithRateLimit(rate.perMinute, rate.burst))
			client := newClient(t, server, api.WithRateLimit(rate.perMinute, rate.burst))
			items := slices.Concat(messages(0, n), messages(1, n))
			ledger := newLedger(t, items)
			plan, err := ledger.Plan(t.Context(), false)
			must(t, err)
			want := plan.Duration(rate.perMinute, rate.burst)
			start := time.Now()
			wantTally(t, slices.Collect(storetest.Results(t, batch.Run(t.Context(), client, ledger, batch.Options{}))), "600 unsent")
			if took := time.Since(start); took > want*103/100 || took < want {
				t.Errorf("at %d a minute it took %v; the plan is %v", rate.perMinute, took, want)
			}
			if c := server.Counts(); c.Limited*100 > c.Requests {
				t.Errorf("%d of %d responses were 429", c.Limited, c.Requests)
			}
		})
	}
}
