package bench

import (
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// BenchmarkBatch holds a run without a rate limit against bare calls, as many of them at a time.
// Each message is synced to the ledger's file before it is sent, and again when it is final. The
// ratio is one of throughput: 0.5 is one message in the time of two bare calls.
func BenchmarkBatch(b *testing.B) {
	const messages = 8000
	for _, at := range []struct{ connections, inFlight int }{{1, 8}, {1, 64}, {8, 8}} {
		b.Run(fmt.Sprintf("%dx%d", at.connections, at.inFlight), func(b *testing.B) {
			url := serve(b, response(b, 1))
			client, bareCall := unsender(b, url), floor(b, url, floorClient(b))
			var ratios, rates []float64
			for b.Loop() {
				least := timed(1, func() { share(at.connections*at.inFlight, messages, bareCall) })
				ledger := open(b, client)
				load(b, ledger, items(at.connections, messages))
				spent := timed(1, func() { unsendAll(b, client, ledger, at.inFlight, messages) })
				ratios = append(ratios, least.Seconds()/spent.Seconds())
				rates = append(rates, messages/spent.Seconds())
			}
			b.ReportMetric(0, "ns/op") // of a pair of runs: means nothing
			b.ReportMetric(median(ratios), "x-throughput")
			b.ReportMetric(median(rates), "messages/s")
		})
	}
}

// BenchmarkReorder loads a list, and then the same rows in another order: the processors' time of
// both must grow with the rows and hardly faster.
func BenchmarkReorder(b *testing.B) {
	for _, rows := range []int{300_000, 1_000_000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			var loaded, spent []float64
			for b.Loop() {
				ledger := open(b, unsender(b, "http://127.0.0.1"))
				before := cpuTime(b)
				load(b, ledger, items(100, rows))
				loaded = append(loaded, cpuTime(b)-before)
				order := rand.New(rand.NewPCG(1, 1)).Perm(rows)
				before = cpuTime(b)
				added, err := ledger.Replace(b.Context(), func(yield func(batch.Item, error) bool) {
					for _, n := range order {
						if !yield(item(n, 100), nil) {
							return
						}
					}
				})
				spent = append(spent, cpuTime(b)-before)
				if err != nil {
					b.Fatal(err)
				}
				if added.Known != rows {
					b.Fatalf("%d rows are known, want %d", added.Known, rows)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(loaded), "load-cpu-s")
			b.ReportMetric(median(spent), "cpu-s")
		})
	}
}

// BenchmarkErrorBodies has 3,000 requests in flight whose error responses, of 64 KiB each, arrive
// at once.
func BenchmarkErrorBodies(b *testing.B) {
	const requests = 3000
	for b.Loop() {
		var arrived sync.WaitGroup
		arrived.Add(requests)
		text := strings.Repeat("x", 64<<10-60)
		client, err := api.New(key, api.WithoutRateLimit(), api.WithHTTPClient(&http.Client{Transport: roundTripper(
			func(req *http.Request) (*http.Response, error) {
				arrived.Done()
				arrived.Wait()
				body := io.MultiReader(strings.NewReader(`{"type":"BAD_REQUEST","error":"`), strings.NewReader(text), strings.NewReader(`"}`))
				return respond(req, http.StatusBadRequest, http.Header{}, body), nil
			})}))
		if err != nil {
			b.Fatal(err)
		}
		ledger := open(b, client)
		load(b, ledger, items(requests, requests))
		failed := 0
		most := peak(b, func() {
			for result, err := range batch.Run(b.Context(), client, ledger, batch.Options{}) {
				if err != nil {
					b.Fatal(err)
				}
				if result.Err != nil {
					failed++
				}
			}
		})
		if failed != requests {
			b.Fatalf("%d failed, want %d", failed, requests)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(most, "peak-MiB")
	}
}

// share makes n calls from so many goroutines.
func share(goroutines, n int, call func()) {
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for range (n + goroutines - 1 - i) / goroutines {
				call()
			}
		})
	}
	wg.Wait()
}

func open(tb testing.TB, client *api.Client) *batch.Ledger {
	tb.Helper()
	ledger, err := sqlite.Open(filepath.Join(tb.TempDir(), "messages.db"), batch.ForService(client))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ledger.Close() })
	return ledger
}

func load(tb testing.TB, ledger *batch.Ledger, list iter.Seq2[batch.Item, error]) {
	tb.Helper()
	if _, err := ledger.Add(tb.Context(), list); err != nil {
		tb.Fatal(err)
	}
}

// items are n messages, in turn on so many connections.
func items(connections, n int) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for i := range n {
			if !yield(item(i, connections), nil) {
				return
			}
		}
	}
}

func item(n, connections int) batch.Item {
	message, connection := strconv.Itoa(6_432_457_000_000+n), "conn_"+strconv.Itoa(n%connections)
	return batch.Item{UserID: userID, MessageID: message, ConnectionID: connection, Line: n + 2}
}

// unsendAll runs a batch to its end, and returns how long that took.
func unsendAll(tb testing.TB, client *api.Client, ledger *batch.Ledger, inFlight, messages int) time.Duration {
	tb.Helper()
	start, gone := time.Now(), 0
	for result, err := range batch.Run(tb.Context(), client, ledger, batch.Options{InFlight: inFlight}) {
		if err != nil {
			tb.Fatal(err)
		}
		if result.Err == nil {
			gone++
		}
	}
	if gone != messages {
		tb.Fatalf("%d messages are gone, want %d", gone, messages)
	}
	return time.Since(start)
}
