package batch_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/batch/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	newMock      = storetest.NewMock
	newClient    = storetest.NewClient
	connectionID = storetest.ConnectionID
	messages     = storetest.Messages
	rows         = storetest.Rows
	add          = storetest.Add
	unsentOnce   = storetest.UnsentOnce
	collectRun   = storetest.Collect
	must         = storetest.Must
)

const (
	defaultInFlight = 4
	maxRequeues     = 10
)

func newLedger(t testing.TB, items []batch.Item) *batch.Ledger {
	t.Helper()
	ledger, err := sqlite.InMemory(batch.ForMock())
	must(t, err)
	t.Cleanup(func() { _ = ledger.Close() })
	add(t, ledger, items)
	return ledger
}

// each yields the results of a run of items in a new ledger.
func each(t testing.TB, client *api.Client, items []batch.Item, opts batch.Options) iter.Seq[batch.Result] {
	t.Helper()
	return storetest.Results(t, batch.Run(t.Context(), client, newLedger(t, items), opts))
}

// collect returns the results of each, in their order.
func collect(t testing.TB, client *api.Client, items []batch.Item, opts batch.Options) []batch.Result {
	t.Helper()
	return slices.Collect(each(t, client, items, opts))
}

// tally counts outcomes, as "3 unsent, 1 failed".
func tally(results []batch.Result) string {
	counts := map[batch.Outcome]int{}
	for _, r := range results {
		counts[r.Outcome]++
	}
	text := ""
	for _, o := range []batch.Outcome{batch.Unsent, batch.AlreadyGone, batch.Failed, batch.Skipped} {
		if counts[o] > 0 {
			text += fmt.Sprintf(", %d %s", counts[o], o)
		}
	}
	if text == "" {
		return "nothing"
	}
	return text[2:]
}

func wantTally(t *testing.T, results []batch.Result, want string) {
	t.Helper()
	if got := tally(results); got != want {
		t.Errorf("the run ended with %s; want %s", got, want)
		for i, r := range results {
			if r.Err != nil && i < 10 {
				t.Logf("%+v: %v", r.Item, r.Err)
			}
		}
	}
}
