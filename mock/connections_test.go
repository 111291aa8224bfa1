package mock_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
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
