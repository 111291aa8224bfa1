package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// BenchmarkConnectionsSeen shows that a call costs the same whether the client has paced one
// connection before or 100,000, and what each of them leaves in memory.
func BenchmarkConnectionsSeen(b *testing.B) {
	ctx := context.Background()
	for _, seen := range []int{1, 100, 10_000, 100_000} {
		b.Run(label(seen, "connections"), func(b *testing.B) {
			client, err := api.New(key, api.WithConnection(connection), api.WithHTTPClient(inMemory()), api.WithRateLimit(1_000_000, 1_000_000))
			if err != nil {
				b.Fatal(err)
			}
			before := heap()
			for i := range seen {
				if _, err := client.Unsend(ctx, userID, messageID, api.WithConnection(fmt.Sprint("conn_", i))); err != nil {
					b.Fatal(err)
				}
			}
			kept := heap() - before
			for b.Loop() {
				unsend(ctx, b, client)
			}
			b.ReportMetric(kept/1024, "KiB-kept")
			runtime.KeepAlive(client)
		})
	}
}

// BenchmarkBodySize shows that time and memory are linear in the size of the body.
func BenchmarkBodySize(b *testing.B) {
	for _, media := range []int{1, 10, 100, 1000} {
		body := answer(b, media)
		url, client := serve(b, body), wire(b)
		ours := unsender(b, url, client)
		b.Run(label(len(body)/1024, "KiB"), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				decode(b, unsend(context.Background(), b, ours))
			}
		})
	}
}

func label(n int, unit string) string { return fmt.Sprintf("%d-%s", n, unit) }

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// inMemory answers without a network, so that nothing but the client's own work is counted.
func inMemory() *http.Client {
	return &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {"application/json"}},
			Body:       io.NopCloser(strings.NewReader(`{"success":true}`)),
			Request:    req,
		}, nil
	})}
}
