package postgres

import (
	"fmt"
	"testing"

	"github.com/unsend-go/unsend/internal/pgtest"
)

// BenchmarkWorkers unsends 60,000 messages on 40 connections without a rate limit, with 1 and 2
// processes on this machine, beside the database, which syncs, and the service.
func BenchmarkWorkers(b *testing.B) {
	const connections, messages = 40, 60_000 // so many that the first seconds, in which connections are claimed, count little
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				f := newFleet(b, pgtest.New(b).Address(b), newService(connections))
				ledger, err := Open(b.Context(), f.address, "june", f.forService())
				must(b, err)
				_, err = ledger.Add(b.Context(), testItems(connections, messages))
				must(b, err)
				must(b, ledger.Close())
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
