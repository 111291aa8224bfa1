package mock_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// Hundreds of goroutines at once, each message wanted by four of them.
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	const goroutines, messages = 200, 50
	for over, start := range transports() {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			g := start(t, mock.WithoutRateLimit(), mock.WithFaults(1, 0.1, mock.Fault{Status: 500}, mock.Fault{Status: 500, Acted: true}))
			var all sync.WaitGroup
			for i := range goroutines {
				req := g.request("7", strconv.Itoa(i%messages))
				all.Go(func() {
					for _, v := range g.try(req).violations {
						t.Error(v)
					}
					g.server.Journal()
					g.server.SetConnection(mock.Connection{ID: strconv.Itoa(i % 10)})
					g.server.NextFor("8", strconv.Itoa(i), mock.Fault{Status: 500})
				})
			}
			all.Wait()
			acted := map[string]int{}
			for _, e := range g.server.Journal() {
				if e.Acted {
					acted[e.MessageID]++
				}
				if e.Status == http.StatusNotFound && g.server.Exists("7", e.MessageID) {
					t.Errorf("%s was called gone, and is not", e.MessageID)
				}
			}
			unsent := 0
			for i := range messages {
				id := strconv.Itoa(i)
				n := g.server.UnsentCount("7", id)
				if n > 1 || n != acted[id] || g.server.Exists("7", id) != (n == 0) {
					t.Errorf("%s unsent %d times, %d in the journal", id, n, acted[id])
				}
				unsent += n
			}
			if got := g.server.Counts(); got.Unsent != unsent || got.Requests != goroutines || unsent < messages-15 {
				t.Errorf("counts %+v, %d messages unsent", got, unsent)
			}
		})
	}
}
