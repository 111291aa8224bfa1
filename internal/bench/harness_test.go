package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

const (
	key        = "sk_sandbox_bench"
	connection = "conn_bench"
	userID     = "51234567"
	messageID  = "6432457811894"
)

// response is a 200 body with n media, compact and success first, as the service sends it.
func response(tb testing.TB, n int) []byte {
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

// serve responds to every request on loopback with body.
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

// floorClient sends over a transport like the api's own, for a floor and a plain generated client.
func floorClient(tb testing.TB) *http.Client {
	tb.Helper()
	own := transport.New(nil)
	tb.Cleanup(own.CloseIdleConnections)
	return &http.Client{Transport: own}
}

// unsender is a client over its own transport, without a rate limit.
func unsender(tb testing.TB, url string) *api.Client {
	tb.Helper()
	client, err := api.New(key, api.WithConnection(connection), api.WithBaseURL(url), api.WithoutRateLimit())
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// floor is a bare call of net/http that sends the same request and throws the body away.
func floor(tb testing.TB, url string, client *http.Client) func() {
	tb.Helper()
	return func() {
		body := strings.NewReader(`{"withUserId":"` + userID + `"}`)
		req, err := http.NewRequest(http.MethodDelete, url+"/v2/access/chats/"+userID+"/messages/"+messageID, body)
		if err != nil {
			tb.Fatal(err)
		}
		setHeaders(req)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			tb.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

func setHeaders(req *http.Request) {
	req.Header.Set("apiKey", key)
	req.Header.Set("x-connection-id", connection)
}

// against times floor and ours in turn, in blocks, and reports the medians of ours and of
// the blocks' ratios: a noisy moment of the machine hits a few blocks, and both sides.
func against(b *testing.B, floor, ours func()) {
	b.Helper()
	const block = 8
	var times, ratios []float64
	for b.Loop() {
		least, spent := timed(block, floor), timed(block, ours)
		times = append(times, float64(spent.Nanoseconds())/block)
		ratios = append(ratios, spent.Seconds()/least.Seconds())
	}
	b.ReportMetric(0, "ns/op") // of a pair of blocks: means nothing
	b.ReportMetric(median(times), "ns/call")
	b.ReportMetric(median(ratios), "x-floor")
	b.ReportMetric(allocations(block, ours), "allocs/call")
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

// allocations counts what a call allocates, the server's side of it included.
func allocations(n int, f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	timed(n, f)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// respond makes a response without a network, so that only the client's own work is counted.
func respond(req *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	header.Set("Content-Type", "application/json")
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req, ContentLength: -1, Body: io.NopCloser(body),
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	return t(req)
}

// peak returns the most memory of the process during f, in MiB, as Linux counts it.
func peak(tb testing.TB, f func()) float64 {
	tb.Helper()
	debug.FreeOSMemory()
	err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins a new peak
	f()
	status, err2 := os.ReadFile("/proc/self/status")
	if err := errors.Join(err, err2); err != nil {
		tb.Skip("the peak of a process's memory is read from Linux's /proc:", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	return number(tb, strings.Fields(rest)[0]) / 1024
}

// cpuTime is the processors' time that the process has used, in seconds.
func cpuTime(tb testing.TB) float64 {
	tb.Helper()
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		tb.Skip("a process's processor time is read from Linux's /proc:", err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // user and system time, in hundredths of a second
	return (number(tb, fields[11]) + number(tb, fields[12])) / 100
}

func number(tb testing.TB, text string) float64 {
	tb.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
