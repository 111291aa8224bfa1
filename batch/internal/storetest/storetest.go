// Package storetest is what every ledger must do, whatever it is stored in. It runs against real
// ledgers and a real mock, over the exported surface alone.
package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// Open opens a ledger: each time the same one, with what it held when it was closed. The ledger
// is for the mock (batch.ForMock); opts are added.
type Open func(t *testing.T, opts ...batch.Option) *batch.Ledger

// Run runs all tests, each on a ledger of its own, which newLedger makes.
func Run(t *testing.T, newLedger func(t *testing.T) Open) {
	t.Helper()
	tests := map[string]func(t *testing.T, open Open){
		"add counts":                    addCounts,
		"add takes all rows or none":    addAllOrNone,
		"bad rows":                      badRows,
		"rows that panic":               panickingRows,
		"no connection":                 noConnection,
		"replace sets aside":            replaceSetsAside,
		"replace reads the ledger":      replaceReads,
		"edited rows":                   editedRows,
		"preview":                       preview,
		"retry failed, edited input":    retryFailedListed,
		"by line":                       byLine,
		"complete is not sent again":    endedIsNotSentAgain,
		"outcomes":                      outcomes,
		"stopped connection":            stoppedConnection,
		"report and messages":           reportAndMessages,
		"one at a time":                 oneAtATime,
		"transient errors are recorded": transientRecorded,
	}
	for name, edited := range edits() {
		tests["edited input, "+name] = func(t *testing.T, open Open) { editedInput(t, open, edited) }
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLedger(t))
		})
	}
}

func service(t *testing.T, connections int, opts ...mock.Option) (*mock.Server, *api.Client) {
	t.Helper()
	server := NewMock(connections, append(opts, mock.WithoutRateLimit())...)
	return server, NewClient(t, server, api.WithoutRateLimit())
}

// numbered are items with lines in their order.
func numbered(items ...batch.Item) []batch.Item {
	items = slices.Clone(items)
	for i := range items {
		items[i].Line = i + 2
	}
	return items
}

// all returns the items of a ledger.
func all(t *testing.T, ledger *batch.Ledger) (items []batch.Item) {
	t.Helper()
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		Must(t, err)
		items = append(items, r.Item)
	}
	return items
}

func replace(t *testing.T, ledger *batch.Ledger, items []batch.Item) {
	t.Helper()
	_, err := ledger.Replace(t.Context(), Rows(items))
	Must(t, err)
}

func wantAdded(t *testing.T, got batch.Added, err error, want batch.Added) {
	t.Helper()
	Must(t, err)
	got.Bad = nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("added %+v; want %+v", got, want)
	}
}

// run runs the ledger and returns the outcomes by message id.
func run(t *testing.T, client *api.Client, ledger *batch.Ledger, opts batch.Options) map[string]batch.Result {
	t.Helper()
	results := map[string]batch.Result{}
	for r := range Results(t, batch.Run(t.Context(), client, ledger, opts)) {
		if _, twice := results[r.Item.MessageID]; twice {
			t.Errorf("message %s was yielded twice", r.Item.MessageID)
		}
		results[r.Item.MessageID] = r
	}
	return results
}

// wantOutcomes compares the outcomes of messages with a text such as "3 unsent, 1 open".
func wantOutcomes(t *testing.T, ledger *batch.Ledger, want string) {
	t.Helper()
	report, err := ledger.Report(t.Context())
	Must(t, err)
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{report.Unsent, "unsent"}, {report.AlreadyGone, "already gone"}, {report.Failed, "failed"},
		{report.Skipped, "skipped"}, {report.Open, "open"}, {report.SetAside, "set aside"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.what))
		}
	}
	if got := strings.Join(parts, ", "); got != want {
		t.Errorf("the report is %q; want %q", got, want)
	}
}
