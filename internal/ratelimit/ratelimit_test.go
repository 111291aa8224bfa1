package ratelimit_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/internal/ratelimit"
)

const conn = "conn_a"

type limiter struct {
	*ratelimit.Limiter
	rate ratelimit.Rate
}

func newLimiter(perMinute, burst int) limiter {
	return limiter{ratelimit.New(), ratelimit.Rate{PerMinute: perMinute, Burst: burst}}
}

func (l limiter) wait(ctx context.Context, connection string) error {
	return l.Wait(ctx, nil, connection, l.rate, nil)
}

// sent runs n concurrent waits and returns when each ended, counted from the start.
func sent(t *testing.T, p limiter, n int) []time.Duration {
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	var ends []time.Duration
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := p.wait(t.Context(), conn); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, time.Since(start))
		})
	}
	wg.Wait()
	return ends
}

func TestBucketAllowsABurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := sent(t, newLimiter(60, 90), 1000)
		for i, end := range ends {
			if want := time.Duration(max(i-89, 0)) * time.Second; end != want {
				t.Fatalf("request %d of 1000 left after %v, want %v", i+1, end, want)
			}
		}
	})
}

func TestResponseThatReportsLessDrainsTheBucket(t *testing.T) {
	for _, tt := range []struct {
		name      string
		remaining int
		third     time.Duration // when the third of three further requests leaves
	}{
		{"nothing", -1, 0},
		{"more", 500, 0},
		{"as much", 89, 0},
		{"two", 2, time.Second},
		{"none", 0, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newLimiter(60, 90)
				sent(t, p, 1)
				p.Observe(conn, p.rate, tt.remaining, 0)
				if ends := sent(t, p, 3); ends[2] != tt.third {
					t.Errorf("the third request left after %v, want %v", ends[2], tt.third)
				}
			})
		})
	}
}

func TestPartOfATokenIsNotDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLimiter(60, 1)
		for range 10 { // the service's last token is always gone when it responds, a moment later
			if err := p.wait(t.Context(), conn); err != nil {
				t.Fatal(err)
			}
			<-time.After(50 * time.Millisecond) // virtual
			p.Observe(conn, p.rate, 0, 0)
		}
		start := time.Now()
		if err := p.wait(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 950*time.Millisecond {
			t.Errorf("the next token came after %v, want 950ms: responses must not take parts of tokens", got)
		}
	})
}

func TestRetryAfterHoldsSleepersToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLimiter(60, 1)
		go func() {
			<-time.After(500 * time.Millisecond) // virtual
			p.Observe(conn, p.rate, 0, 10*time.Second)
		}()
		for i, end := range sent(t, p, 4) {
			want := []time.Duration{0, 10500 * time.Millisecond, 11500 * time.Millisecond, 12500 * time.Millisecond}[i]
			if end != want {
				t.Errorf("request %d left after %v, want %v", i+1, end, want)
			}
		}
	})
}

// TestRetryAfterKeepsTheOrder: whoever waits when a Retry-After comes keeps the place in line, and
// whoever comes later stands behind (X9).
func TestRetryAfterKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLimiter(60, 1)
		sent(t, p, 1)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				if err := p.wait(t.Context(), conn); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
			if i%20 == 10 {
				p.Observe(conn, p.rate, 0, 7*time.Second)
			}
			<-time.After(100 * time.Millisecond) // virtual
		}
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("requests left in the order %v", order)
		}
	})
}

// TestWaitersMoveUp: if one of those that wait is canceled, those behind it move up, and its token is
// not promised to another as well.
func TestWaitersMoveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLimiter(60, 1)
		sent(t, p, 1)
		started := time.Now()
		var sentAt [5]time.Duration
		var wg sync.WaitGroup
		for i := range sentAt {
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() {
				if p.wait(ctx, conn) == nil {
					sentAt[i] = time.Since(started)
				}
			})
			synctest.Wait()
			if i == 1 || i == 3 { // the first of the line, then the last but one
				defer time.AfterFunc(time.Duration(200*i)*time.Millisecond, cancel).Stop()
			}
			defer cancel()
		}
		<-time.After(700 * time.Millisecond) // virtual
		if delay := p.Delay(conn, p.rate); delay != 3300*time.Millisecond {
			t.Errorf("the next request waits for %v, want 3.3s", delay)
		}
		wg.Go(func() { _ = p.wait(t.Context(), conn) })
		wg.Wait()
		if want := [5]time.Duration{time.Second, 0, 2 * time.Second, 0, 3 * time.Second}; sentAt != want {
			t.Errorf("requests left after %v, want %v", sentAt, want)
		}
		if took := time.Since(started); took != 4*time.Second {
			t.Errorf("the last request left after %v, want 4s", took)
		}
	})
}

func TestIdleConnectionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newLimiter(60, 2)
		most := 0
		for i := range 100_000 {
			if err := p.wait(t.Context(), fmt.Sprint("conn_", i)); err != nil {
				t.Fatal(err)
			}
			most = max(most, p.Known())
			<-time.After(100 * time.Millisecond) // virtual: a bucket is full again after ten others
		}
		if most > 64 {
			t.Errorf("%d connections were remembered at once; want at most 64, when about 10 are not full", most)
		}
	})
}
