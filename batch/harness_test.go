package batch_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

const (
	testKey         = "sk_sandbox_batch_tests"
	defaultInFlight = 4
	maxRequeues     = 10
)

// newMock is a mock that knows connections conn_0 to conn_<n-1>.
func newMock(n int, opts ...mock.Option) *mock.Server {
	opts = append([]mock.Option{mock.WithKeys(testKey), mock.WithJournal(-1)}, opts...)
	for i := range n {
		opts = append(opts, mock.WithConnections(mock.Connection{ID: connectionID(i)}))
	}
	return mock.New(opts...)
}

func newClient(t testing.TB, server *mock.Server, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(testKey, append([]api.Option{api.WithHTTPClient(server.Client())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func connectionID(n int) string { return "conn_" + strconv.Itoa(n) }

// messages are n items on a connection, whose ids no other connection's have.
func messages(connection, n int) []batch.Item {
	items := make([]batch.Item, n)
	for i := range items {
		items[i] = message(connection, i)
	}
	return items
}

func message(connection, n int) batch.Item {
	return batch.Item{
		UserID:       strconv.Itoa(51_000_000 + connection),
		MessageID:    strconv.Itoa(6_432_457_000_000 + 1_000_000*connection + n),
		ConnectionID: connectionID(connection),
		Line:         n + 2,
	}
}

// rows are items as a reader yields them.
func rows(items []batch.Item) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// openLedger opens a ledger in a file that ends with the test.
func openLedger(t testing.TB, path string) *batch.Ledger {
	t.Helper()
	ledger, err := batch.Open(path, batch.ForMock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger
}

func newLedger(t testing.TB, items []batch.Item) *batch.Ledger {
	t.Helper()
	ledger := openLedger(t, filepath.Join(t.TempDir(), "messages.db"))
	add(t, ledger, items)
	return ledger
}

func add(t testing.TB, ledger *batch.Ledger, items []batch.Item) batch.Added {
	t.Helper()
	added, err := ledger.Add(t.Context(), rows(items))
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// collect runs items in a new ledger and returns the results in their order.
func collect(ctx context.Context, t testing.TB, client *api.Client, items []batch.Item, opts batch.Options) []batch.Result {
	t.Helper()
	return slices.Collect(batch.Run(ctx, client, newLedger(t, items), opts))
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

// unsentOnce fails unless each message was taken back exactly once.
func unsentOnce(t *testing.T, server *mock.Server, items []batch.Item) {
	t.Helper()
	for _, item := range items {
		if n := server.UnsentCount(item.UserID, item.MessageID); n != 1 {
			t.Errorf("message %s was unsent %d times; want once", item.MessageID, n)
		}
	}
}
