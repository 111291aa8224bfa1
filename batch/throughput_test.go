package batch

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// BenchmarkThroughput holds a run without pacing, journal included, against bare net/http
// calls that send the same requests over the same kind of transport, as many at a time, and
// throw the body away. x-floor is the median of what a run does in the time of one bare
// request.
func BenchmarkThroughput(b *testing.B) {
	for _, c := range []struct{ connections, inFlight int }{{1, 8}, {1, 64}, {8, 8}} {
		b.Run(fmt.Sprintf("connections=%d/inflight=%d", c.connections, c.inFlight), func(b *testing.B) {
			url := serveUnsent(b)
			const block = 8000
			var items []Item
			for i := range c.connections {
				items = append(items, messages(i, block/c.connections)...)
			}
			bare, run := wire(b), wire(b)
			client, err := api.New(testKey, api.WithBaseURL(url), api.WithHTTPClient(run), api.WithoutRateLimit())
			if err != nil {
				b.Fatal(err)
			}
			var ratios, rates []float64
			for n := 0; b.Loop(); n++ {
				least := timed(func() { floor(b, url, bare, c.connections*c.inFlight, items) })
				spent := timed(func() { journaledRun(b, client, filepath.Join(b.TempDir(), "run.jsonl"), c.inFlight, items) })
				ratios = append(ratios, least.Seconds()/spent.Seconds())
				rates = append(rates, float64(len(items))/spent.Seconds())
			}
			b.ReportMetric(0, "ns/op") // of a pair of blocks: says nothing
			b.ReportMetric(median(ratios), "x-floor")
			b.ReportMetric(median(rates), "messages/s")
		})
	}
}

func journaledRun(b *testing.B, client *api.Client, path string, inFlight int, items []Item) {
	b.Helper()
	journal, err := OpenJournal(path, Input{}, false)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for r := range Run(b.Context(), client, slices.Values(items), Options{InFlight: inFlight, Journal: journal}) {
		if r.Outcome != Unsent {
			b.Fatal(r.Err)
		}
		n++
	}
	if err := journal.Close(); err != nil || n != len(items) {
		b.Fatalf("%d results of %d, %v", n, len(items), err)
	}
}

// floor sends the items' requests with net/http alone.
func floor(b *testing.B, url string, client *http.Client, concurrency int, items []Item) {
	b.Helper()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(items) {
					return
				}
				if err := bareUnsend(b, url, client, items[n]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

func bareUnsend(b *testing.B, url string, client *http.Client, item Item) error {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodDelete, url+"/v2/access/chats/"+item.UserID+"/messages/"+item.MessageID, strings.NewReader(`{"withUserId":"`+item.UserID+`"}`))
	if err != nil {
		return err
	}
	req.Header.Set("apiKey", testKey)
	req.Header.Set("x-connection-id", item.ConnectionID)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err
}

// serveUnsent answers every request on loopback with some 2 kB that say success.
func serveUnsent(tb testing.TB) (url string) {
	tb.Helper()
	body := []byte(`{"success":true,"queue":{"id":6432457811894,"text":"` + strings.Repeat("x", 2000) + `"}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

func wire(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{MaxIdleConns: 2048, MaxIdleConnsPerHost: 2048}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
