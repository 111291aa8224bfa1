package mock_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// fill sends requests until one is refused, and returns how many were let through and the
// refusal.
func (g *testServer) fill(first int) (int, result) {
	g.t.Helper()
	for n := 0; ; n++ {
		if r := g.tryUnchecked(g.request("7", strconv.Itoa(first+n))); r.status != http.StatusOK {
			return n, r
		}
	}
}

func TestRateLimitAsDocumented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t)
		n, r := g.fill(1000)
		if n != 90 {
			t.Errorf("%d requests at once, want 90", n)
		}
		r.wantProblem(t, http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED")
		if got := r.header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q, want 1", got)
		}
		if !g.server.Exists("7", "1090") {
			t.Error("a request that was limited took its message")
		}
		for i, row := range []struct {
			wait time.Duration
			want int
		}{{time.Second - 1, 0}, {1, 1}, {time.Minute, 60}, {time.Hour, 90}} {
			time.Sleep(row.wait) //nolint:forbidigo // virtual
			if n, _ := g.fill(10_000 * (i + 1)); n != row.want {
				t.Errorf("%d requests after another %v, want %d", n, row.wait, row.want)
			}
		}
	})
}

func TestRateLimitHeadersCountDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, mock.WithRateLimit(30, 3))
		wantLimit(t, g.unsend("7", "1"), "2", "2")
		wantLimit(t, g.unsend("7", "1"), "1", "4") // a 404 takes a token, too
		time.Sleep(500 * time.Millisecond)         //nolint:forbidigo // virtual
		wantLimit(t, g.unsend("7", "2"), "0", "6") // 5.5 s, rounded up
		r := g.unsend("7", "3")
		wantLimit(t, r, "0", "6")
		if got := r.header.Get("Retry-After"); got != "2" { // 1.5 s, rounded up
			t.Errorf("Retry-After %q, want 2", got)
		}
		if got := r.header.Get("X-RateLimit-Limit"); got != "3" {
			t.Errorf("X-RateLimit-Limit %q, want 3", got)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // virtual
		g.unsend("7", "3").wantUnsent(t)
		if got := g.server.Counts().Limited; got != 1 {
			t.Errorf("%d limited, want 1", got)
		}
	})
}

func wantLimit(t *testing.T, r result, remaining, reset string) {
	t.Helper()
	if got := r.header.Get("X-RateLimit-Remaining"); got != remaining {
		t.Errorf("X-RateLimit-Remaining %q, want %q", got, remaining)
	}
	if got := r.header.Get("X-RateLimit-Reset"); got != reset {
		t.Errorf("X-RateLimit-Reset %q, want %q", got, reset)
	}
}

func TestConnectionsHaveBucketsOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, mock.WithRateLimit(0, -5), mock.WithConnections(mock.Connection{ID: "a"}, mock.Connection{ID: "b"}))
		for i, row := range []struct {
			connection string
			status     int
		}{{"a", 200}, {"a", 429}, {"b", 200}, {"b", 429}} {
			if r := g.do(g.requestOn(row.connection, "7", strconv.Itoa(i))); r.status != row.status {
				t.Errorf("request %d on %s: %d, want %d", i, row.connection, r.status, row.status)
			}
		}
	})
}

func TestWithoutRateLimit(t *testing.T) {
	t.Parallel()
	g := overPipe(t, mock.WithoutRateLimit())
	for i := range 100 {
		r := g.tryUnchecked(g.request("7", strconv.Itoa(i)))
		if got := r.header.Get("X-RateLimit-Limit"); r.status != http.StatusOK || got != "" {
			t.Fatalf("answered %d with the limit %q", r.status, got)
		}
	}
}
