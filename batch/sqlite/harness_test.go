package sqlite_test

import (
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// What the tests of package batch are made of, too.
var (
	newMock      = storetest.NewMock
	newClient    = storetest.NewClient
	connectionID = storetest.ConnectionID
	messages     = storetest.Messages
	message      = storetest.Message
	rows         = storetest.Rows
	add          = storetest.Add
	unsentOnce   = storetest.UnsentOnce
	eachResult   = storetest.Results
	collectRun   = storetest.Collect
	must         = storetest.Must
)

const testKey = storetest.Key

// openLedger opens a ledger in a file that ends with the test.
func openLedger(t testing.TB, path string) *batch.Ledger {
	t.Helper()
	ledger, err := sqlite.Open(path, batch.ForMock())
	must(t, err)
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger
}
