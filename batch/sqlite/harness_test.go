package sqlite_test

import (
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

var (
	newMock    = storetest.NewMock
	newClient  = storetest.NewClient
	messages   = storetest.Messages
	message    = storetest.Message
	rows       = storetest.Rows
	add        = storetest.Add
	unsentOnce = storetest.UnsentOnce
	eachResult = storetest.Results
	collectRun = storetest.Collect
	must       = storetest.Must
)

const testKey = storetest.Key

// start serves the mock on loopback, and returns its address.
func start(t *testing.T, server *mock.Server) string {
	t.Helper()
	url, err := server.Start()
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return url
}

// runAll runs a ledger to its end, against the mock's connection 0 alone.
func runAll(t *testing.T, ledger *batch.Ledger) {
	t.Helper()
	client := newClient(t, newMock(1, mock.WithoutRateLimit()), api.WithoutRateLimit())
	for range eachResult(t, batch.Run(t.Context(), client, ledger, batch.Options{})) {
		continue
	}
}

// openLedger opens a ledger of the mock in a file, and closes it with the test.
func openLedger(t testing.TB, path string) *batch.Ledger {
	t.Helper()
	return openFor(t, path, batch.ForMock())
}

func openFor(t testing.TB, path string, opts ...batch.Option) *batch.Ledger {
	t.Helper()
	ledger, err := sqlite.Open(path, opts...)
	must(t, err)
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger
}

func report(t *testing.T, ledger *batch.Ledger) batch.Report {
	t.Helper()
	report, err := ledger.Report(t.Context())
	must(t, err)
	return report
}
