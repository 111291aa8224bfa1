package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// loadedFleet returns a fleet with a server that syncs, a list of messages in it, and a service without a rate limit.
func loadedFleet(b *testing.B, connections, messages int) (*fleet, *store) {
	b.Helper()
	f := newFleet(b, pgtest.New(b).Address(b), newService(connections))
	s, err := newStore(f.address, "june")
	must(b, err)
	b.Cleanup(func() { _ = s.Close(false) })
	must(b, s.open(b.Context(), batch.StoreOptions{Service: "http://localhost"}))
	load(b, s, connections, messages)
	return f, s
}

// BenchmarkWorkers unsends 60,000 messages on 40 connections, as fast as it goes, with 1, 2
// and 4 processes on this machine, beside the database and the service.
func BenchmarkWorkers(b *testing.B) {
	for _, workers := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			const messages = 60_000 // so many that the first seconds, in which connections are shared out, count little
			for range b.N {
				b.StopTimer()
				f, _ := loadedFleet(b, 40, messages)
				b.StartTimer()
				var waits []func() error
				for range workers {
					_, wait := f.start()
					waits = append(waits, wait)
				}
				for _, wait := range waits {
					must(b, wait())
				}
			}
			b.ReportMetric(float64(b.N)*messages/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkTakeover measures the time from kill -9 of a worker until one that waits has claimed
// its 40 connections.
func BenchmarkTakeover(b *testing.B) {
	f, s := loadedFleet(b, 40, 1_000_000)
	claims := func(text string) (n int) {
		list, err := query(b.Context(), s, scanLoad, "SELECT '', count(*) FROM connection WHERE "+text)
		must(b, err)
		return list[0].Messages
	}
	killA, waitA := f.start()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		killB, waitB := f.start()
		time.Sleep(11 * time.Second) //nolint:forbidigo // until both are settled
		b.StartTimer()
		killA()
		for claims("worker_id = (SELECT max(id) FROM worker)") < 40 {
			time.Sleep(5 * time.Millisecond) //nolint:forbidigo // polls the database
		}
		b.StopTimer()
		_ = waitA() // it was killed
		killA, waitA = killB, waitB
		b.StartTimer()
	}
	b.StopTimer()
	killA()
	_ = waitA()
}

// BenchmarkLoad loads a million messages on 1,000 connections, and then the same list again.
func BenchmarkLoad(b *testing.B) {
	for range b.N {
		b.StopTimer()
		_, s := loadedFleet(b, 1, 1)
		b.StartTimer()
		start := time.Now()
		_, err := s.Add(b.Context(), testItems(1000, 1_000_000), batch.AddMode{Replace: true})
		must(b, err)
		first := time.Since(start)
		load(b, s, 1000, 1_000_000)
		b.ReportMetric(first.Seconds(), "s/first")
		b.ReportMetric((time.Since(start) - first).Seconds(), "s/again")
	}
}
