package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

const (
	key        = "sk_sandbox_bench"
	connection = "conn_bench"
	userID     = "51234567"
	messageID  = "6432457811894"
)

// bodies are the answers that are measured, by their rough size: the documented example, and
// the same with more of its media.
var bodies = []struct {
	name  string
	media int
}{{"2KB", 1}, {"10KB", 10}, {"100KB", 100}}

// answer is a 200 body with n media, compact and success first, as the service sends it.
func answer(tb testing.TB, n int) []byte {
	tb.Helper()
	documented, err := os.ReadFile("../../contract/testdata/documented.json")
	if err != nil {
		tb.Fatal(err)
	}
	var body gen.UnsendResponse
	if err := json.Unmarshal(documented, &body); err != nil {
		tb.Fatal(err)
	}
	for len(body.Queue.Media) < n {
		body.Queue.Media = append(body.Queue.Media, body.Queue.Media[0])
	}
	var queue bytes.Buffer
	plain := json.NewEncoder(&queue)
	plain.SetEscapeHTML(false) // "<string>", as it is documented
	if err := plain.Encode(body.Queue); err != nil {
		tb.Fatal(err)
	}
	return fmt.Appendf(nil, `{"success":true,"queue":%s}`, bytes.TrimSpace(queue.Bytes()))
}

// serve answers every request on loopback with body.
func serve(tb testing.TB, body []byte) (url string) {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}

// wire is the transport that a floor and what is held against it share.
func wire(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{MaxIdleConns: 2048, MaxIdleConnsPerHost: 2048}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func unsender(tb testing.TB, url string, client *http.Client) *api.Client {
	tb.Helper()
	c, err := api.New(key, api.WithConnection(connection), api.WithBaseURL(url), api.WithHTTPClient(client), api.WithoutRateLimit())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// bare sends the same request with net/http alone.
func bare(tb testing.TB, url string, client *http.Client) *http.Response {
	tb.Helper()
	req, err := http.NewRequest(http.MethodDelete, url+"/v2/access/chats/"+userID+"/messages/"+messageID, strings.NewReader(`{"withUserId":"`+userID+`"}`))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("apiKey", key)
	req.Header.Set("x-connection-id", connection)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	return resp
}

// floor is a bare call that throws the body away.
func floor(tb testing.TB, url string, client *http.Client) func() {
	tb.Helper()
	return func() {
		resp := bare(tb, url, client)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			tb.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// against times floor and ours in turn, in blocks, and reports the medians of ours and of
// the blocks' ratios: a noisy moment of the machine hits a few blocks, and both sides.
func against(b *testing.B, block int, floor, ours func()) {
	b.Helper()
	var times, ratios []float64
	for b.Loop() {
		least, spent := timed(block, floor), timed(block, ours)
		times = append(times, float64(spent.Nanoseconds())/float64(block))
		ratios = append(ratios, spent.Seconds()/least.Seconds())
	}
	b.ReportMetric(0, "ns/op") // of a pair of blocks: says nothing
	b.ReportMetric(median(times), "ns/call")
	b.ReportMetric(median(ratios), "x-floor")
	size, allocs := allocated(block, ours)
	b.ReportMetric(size, "B/call")
	b.ReportMetric(allocs, "allocs/call")
}

func timed(n int, f func()) time.Duration {
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// allocated counts what a call allocates, the server's side of it included.
func allocated(n int, f func()) (size, allocs float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	timed(n, f)
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n)
}
