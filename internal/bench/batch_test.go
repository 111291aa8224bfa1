package bench

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// BenchmarkBatch holds a run without pacing against bare calls, as many of them at a time. Each
// message is synced to the disk before it is sent, and again when it has ended. Its ratio is one of throughput: 0.8 is four messages in the time of five
// bare calls.
func BenchmarkBatch(b *testing.B) {
	const messages = 8000
	for _, at := range []struct{ connections, inFlight int }{{1, 8}, {1, 64}, {8, 8}} {
		b.Run(fmt.Sprintf("%d-connections/%d-in-flight", at.connections, at.inFlight), func(b *testing.B) {
			url, client := serve(b, answer(b, 1)), wire(b)
			ours := unsender(b, url, client)
			items := make([]batch.Item, messages)
			for i := range items {
				items[i] = batch.Item{UserID: userID, MessageID: fmt.Sprint(6432457000000 + i), ConnectionID: fmt.Sprint("conn_", i%at.connections)}
			}
			bareCall := floor(b, url, client)
			var ratios, rates []float64
			for b.Loop() {
				least := timed(1, func() { share(at.connections*at.inFlight, messages, bareCall) })
				spent := ledgered(b, ours, at.inFlight, items)
				ratios = append(ratios, least.Seconds()/spent.Seconds())
				rates = append(rates, messages/spent.Seconds())
			}
			b.ReportMetric(0, "ns/op") // of a pair of runs: says nothing
			b.ReportMetric(median(ratios), "x-throughput")
			b.ReportMetric(median(rates), "messages/s")
		})
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

func ledgered(b *testing.B, client *api.Client, inFlight int, items []batch.Item) time.Duration {
	b.Helper()
	ledger, err := sqlite.Open(filepath.Join(b.TempDir(), "messages.db"), batch.ForService(client))
	if err != nil {
		b.Fatal(err)
	}
	_, err = ledger.Add(b.Context(), func(yield func(batch.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	unsent := 0
	start := time.Now()
	for result, err := range batch.Run(b.Context(), client, ledger, batch.Options{InFlight: inFlight}) {
		if err != nil {
			b.Fatal(err)
		}
		if result.Outcome == batch.Unsent {
			unsent++
		}
	}
	took := time.Since(start)
	if err := ledger.Close(); err != nil || unsent != len(items) {
		b.Fatalf("%d unsent of %d, %v", unsent, len(items), err)
	}
	return took
}
