package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// buckets is a service with a token bucket of one request for each connection, that gains one a
// second.
type buckets struct {
	mu      sync.Mutex
	full    map[string]time.Time // when the connection's bucket is full again
	taken   int
	limited int
}

func (b *buckets) take(connection string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.full[connection].After(now) {
		b.limited++
		return false
	}
	b.taken++
	b.full[connection] = now.Add(time.Second)
	return true
}

// BenchmarkPace keeps ten thousand connections at their pace for half a minute, in real time,
// service included, and reports how much of their buckets they used.
func BenchmarkPace(b *testing.B) {
	const connections, each = 10_000, 30
	body := answer(b, 1)
	for b.Loop() {
		service := &buckets{full: map[string]time.Time{}}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if !service.take(r.Header.Get("x-connection-id")) {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
		}))
		client, err := api.New(key, api.WithBaseURL(server.URL), api.WithHTTPClient(wire(b)), api.WithRateLimit(60, 1))
		if err != nil {
			b.Fatal(err)
		}
		ledger, err := batch.Open(filepath.Join(b.TempDir(), "messages.db"), batch.ForService(client))
		if err != nil {
			b.Fatal(err)
		}
		_, err = ledger.Add(b.Context(), func(yield func(batch.Item, error) bool) {
			for i := range connections * each {
				if !yield(batch.Item{UserID: userID, MessageID: strconv.Itoa(6432457000000 + i), ConnectionID: fmt.Sprint("conn_", i%connections)}, nil) {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		for range batch.Run(b.Context(), client, ledger, batch.Options{}) {
			continue
		}
		took := time.Since(start)
		server.Close()
		if err := ledger.Close(); err != nil || service.taken != connections*each {
			b.Fatalf("%d unsent, %v", service.taken, err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(100*float64(each-1)/took.Seconds(), "%-of-buckets")
		b.ReportMetric(100*float64(service.limited)/float64(service.taken+service.limited), "%-429")
	}
}
