package storetest

import (
	"iter"
	"strconv"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// Key is the key of the tests' client.
const Key = "sk_sandbox_store_tests"

// Must fails the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// NewMock returns a mock with the connections conn_0 to conn_<n-1>.
func NewMock(n int, opts ...mock.Option) *mock.Server {
	opts = append([]mock.Option{mock.WithKeys(Key), mock.WithJournal(-1)}, opts...)
	for i := range n {
		opts = append(opts, mock.WithConnections(mock.Connection{ID: ConnectionID(i)}))
	}
	return mock.New(opts...)
}

// NewClient returns a client of the mock.
func NewClient(t testing.TB, server *mock.Server, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(Key, append([]api.Option{api.WithHTTPClient(server.Client())}, opts...)...)
	Must(t, err)
	return client
}

// ConnectionID returns the id of a connection of [NewMock].
func ConnectionID(n int) string { return "conn_" + strconv.Itoa(n) }

// Messages returns n items on a connection, whose ids no other connection's have.
func Messages(connection, n int) []batch.Item {
	items := make([]batch.Item, n)
	for i := range items {
		items[i] = Message(connection, i)
	}
	return items
}

// Message returns item n on a connection.
func Message(connection, n int) batch.Item {
	return batch.Item{
		UserID:       strconv.Itoa(51_000_000 + connection),
		MessageID:    strconv.Itoa(6_432_457_000_000 + 1_000_000*connection + n),
		ConnectionID: ConnectionID(connection),
		Line:         n + 2,
	}
}

// Rows yields items, and then errors of bad lines.
func Rows(items []batch.Item, bad ...error) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		for _, err := range bad {
			if !yield(batch.Item{}, err) {
				return
			}
		}
	}
}

// Add adds items to the ledger, or fails the test.
func Add(t testing.TB, ledger *batch.Ledger, items []batch.Item) batch.Added {
	t.Helper()
	added, err := ledger.Add(t.Context(), Rows(items))
	Must(t, err)
	return added
}

// Results yields the results of a run, and fails the test if that ends early.
func Results(t testing.TB, run iter.Seq2[batch.Result, error]) iter.Seq[batch.Result] {
	t.Helper()
	return func(yield func(batch.Result) bool) {
		t.Helper()
		for r, err := range run {
			if err != nil {
				t.Errorf("the run ended early: %v", err)
				return
			}
			if !yield(r) {
				return
			}
		}
	}
}

// Collect returns the results of a run, and why it ended early.
func Collect(run iter.Seq2[batch.Result, error]) (results []batch.Result, early error) {
	for r, err := range run {
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// UnsentOnce fails unless each message was unsent exactly once.
func UnsentOnce(t testing.TB, server *mock.Server, items []batch.Item) {
	t.Helper()
	for _, item := range items {
		if n := server.UnsentCount(item.UserID, item.MessageID); n != 1 {
			t.Errorf("message %s was unsent %d times; want once", item.MessageID, n)
		}
	}
}

// IDs returns the message ids of results.
func IDs(results []batch.Result) map[string]bool {
	ids := map[string]bool{}
	for _, r := range results {
		ids[r.Item.MessageID] = true
	}
	return ids
}

// OnRecord fails if a message was sent that the ledger does not hold as ambiguous or complete, or
// if one was yielded that is still open.
func OnRecord(t testing.TB, ledger *batch.Ledger, server *mock.Server, yielded map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range server.Journal() {
		seen[e.MessageID] = true
	}
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		Must(t, err)
		if seen[r.Item.MessageID] && !r.MaybeUnsent && r.Outcome == "" {
			t.Errorf("message %s was sent, and is not recorded", r.Item.MessageID)
		}
		if yielded[r.Item.MessageID] && r.Outcome == "" {
			t.Errorf("message %s was yielded, and is open", r.Item.MessageID)
		}
	}
}
