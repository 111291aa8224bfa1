package batch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

const testKey = "sk_sandbox_batch_tests"

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
func messages(connection, n int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = message(connection, i)
	}
	return items
}

func message(connection, n int) Item {
	return Item{
		UserID:       strconv.Itoa(51_000_000 + connection),
		MessageID:    strconv.Itoa(6_432_457_000_000 + 1_000_000*connection + n),
		ConnectionID: connectionID(connection),
		Line:         n + 2,
	}
}

// collect runs items and returns the results in their order.
func collect(ctx context.Context, client *api.Client, items []Item, opts Options) []Result {
	return slices.Collect(Run(ctx, client, slices.Values(items), opts))
}

// tally counts outcomes, as "3 unsent, 1 failed".
func tally(results []Result) string {
	counts := map[Outcome]int{}
	for _, r := range results {
		counts[r.Outcome]++
	}
	text := ""
	for _, o := range []Outcome{Unsent, AlreadyGone, Failed, Skipped} {
		if counts[o] > 0 {
			text += fmt.Sprintf(", %d %s", counts[o], o)
		}
	}
	if text == "" {
		return "nothing"
	}
	return text[2:]
}

func wantTally(t *testing.T, results []Result, want string) {
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

// find returns the result of a message, of which there must be one.
func find(t *testing.T, results []Result, item Item) Result {
	t.Helper()
	for _, r := range results {
		if r.Item.MessageID == item.MessageID && r.Item.ConnectionID == item.ConnectionID {
			return r
		}
	}
	t.Fatalf("no result for %+v", item)
	return Result{}
}

// requests counts what the mock saw of a message.
func requests(server *mock.Server, item Item) int {
	n := 0
	for _, e := range server.Journal() {
		if e.UserID == item.UserID && e.MessageID == item.MessageID {
			n++
		}
	}
	return n
}

// unsentOnce fails unless each message was taken back exactly once.
func unsentOnce(t *testing.T, server *mock.Server, items iter.Seq[Item]) {
	t.Helper()
	for item := range items {
		if n := server.UnsentCount(item.UserID, item.MessageID); n != 1 {
			t.Errorf("message %s was unsent %d times; want once", item.MessageID, n)
		}
	}
}

// recordBodies keeps the body of each message's last request.
func recordBodies(server *mock.Server, bodies *sync.Map) *http.Client {
	return &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		bodies.Store(path.Base(req.URL.Path), string(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		return server.Client().Transport.RoundTrip(req)
	})}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
