package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// buckets is a service with a token bucket of one request for each connection, that gains one a
// second. It answers after a while, without a network: that would cost as much again, and
// another machine would carry half of it.
type buckets struct {
	body    []byte
	mu      sync.Mutex
	first   map[string]time.Time // when the connection's first request came
	full    map[string]time.Time // when its bucket is full again
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
	if b.taken++; b.first[connection].IsZero() {
		b.first[connection] = now
	}
	b.full[connection] = now.Add(time.Second)
	return true
}

func (b *buckets) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	status, body := http.StatusOK, b.body
	if !b.take(r.Header.Get("X-Connection-Id")) {
		status, body = http.StatusTooManyRequests, nil
	}
	time.Sleep(100 * time.Millisecond) //nolint:forbidigo // in real time
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// BenchmarkPace keeps ten thousand connections at their pace for half a minute, in real time,
// and reports how much of their buckets they used.
func BenchmarkPace(b *testing.B) {
	const connections, each = 10_000, 30
	for b.Loop() {
		service := &buckets{body: answer(b, 1), first: map[string]time.Time{}, full: map[string]time.Time{}}
		client, err := api.New(key, api.WithHTTPClient(&http.Client{Transport: service}), api.WithRateLimit(60, 1))
		if err != nil {
			b.Fatal(err)
		}
		ledger, err := sqlite.Open(filepath.Join(b.TempDir(), "messages.db"), batch.ForService(client))
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
		for _, err := range batch.Run(b.Context(), client, ledger, batch.Options{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := ledger.Close(); err != nil || service.taken != connections*each {
			b.Fatalf("%d unsent, %v", service.taken, err)
		}
		b.ReportMetric(0, "ns/op")
		var used []float64 // of each bucket, from its first request to its last
		for id, full := range service.full {
			used = append(used, 100*float64(each)/full.Sub(service.first[id]).Seconds())
		}
		b.ReportMetric(median(used), "%-of-buckets")
		b.ReportMetric(used[0], "%-of-the-least")
		b.ReportMetric(100*float64(service.limited)/float64(service.taken+service.limited), "%-429")
	}
}
