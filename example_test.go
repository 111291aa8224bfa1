package unsend_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

// The snippets of README.md stand in these functions (TestReadmeSnippets holds the two
// together); what is above the snippet in each puts the mock in the service's place.

var (
	ctx       = context.Background()
	userID    = "51234567"
	messageID = "6432457811894"
)

// onMock returns options that put a mock in the place of the service.
func onMock(server *mock.Server, more ...api.Option) []api.Option {
	return append([]api.Option{api.WithHTTPClient(server.Client()), api.WithConnection(mock.DemoConnection)}, more...)
}

func mustClient(server *mock.Server, more ...api.Option) *api.Client {
	client, err := api.New(mock.DemoKey, onMock(server, more...)...)
	if err != nil {
		panic(err) // the example's own mistake
	}
	return client
}

func Example() {
	server := mock.New()
	address, err := server.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Close() }()
	// The environment, as a shell would set it.
	for name, value := range map[string]string{
		"OFAUTH_API_KEY":       mock.DemoKey,
		"OFAUTH_CONNECTION_ID": mock.DemoConnection,
		"OFAUTH_BASE_URL":      address,
	} {
		_ = os.Setenv(name, value)
		defer func() { _ = os.Unsetenv(name) }()
	}

	client, err := api.FromEnv() // OFAUTH_API_KEY, OFAUTH_CONNECTION_ID
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(ctx, "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome) // unsent, or already_gone
	queue, err := result.Queue()
	if err != nil {
		fmt.Println(err) // the message is gone all the same
	}
	if queue != nil { // nil where the answer had no snapshot, as that of already_gone
		fmt.Println("media:", len(queue.Media))
	}

	// Output:
	// unsent
	// media: 1
}

func Example_connection() {
	server := mock.New(mock.WithConnections(mock.Connection{ID: "conn_abc123"}, mock.Connection{ID: "conn_def456"}))
	apiKey, opts := mock.DemoKey, []api.Option{api.WithHTTPClient(server.Client())}

	client, err := api.New(apiKey, append(opts, api.WithConnection("conn_abc123"))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(ctx, userID, messageID, api.WithConnection("conn_def456"))

	fmt.Println(result.Outcome, err, server.Journal()[0].ConnectionID)
	// Output: unsent <nil> conn_def456
}

func Example_errors() {
	server := mock.New(mock.WithConnections(mock.Connection{ID: mock.DemoConnection, State: mock.Expired}))
	client := mustClient(server)

	_, err := client.Unsend(ctx, userID, messageID)
	switch {
	case errors.Is(err, api.ErrSessionExpired):
		fmt.Println("the creator has to connect again")
	case errors.Is(err, api.ErrNotFound):
		fmt.Println("no such message: nothing to do")
	}
	if failure, ok := errors.AsType[*api.Error](err); ok {
		fmt.Println(failure.StatusCode, failure.Type, failure.Scope, failure.Retryable())
		fmt.Println("may have been unsent:", failure.MaybeUnsent)
		fmt.Println(failure.Hint())
	}

	// Output:
	// the creator has to connect again
	// 401 SESSION_EXPIRED connection false
	// may have been unsent: false
	// have the creator connect again, or correct the connection id
}

func Example_certainty() {
	server := mock.New()
	client := mustClient(server)

	server.Next(mock.Fault{Kind: mock.Drop, Acted: true}) // acts, and its answer is lost
	result, err := client.Unsend(ctx, userID, messageID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, "after", result.Attempts, "attempts")

	// Output: already_gone after 2 attempts
}

func Example_pacing() {
	server := mock.New()
	apiKey, opts := mock.DemoKey, onMock(server)

	client, err := api.New(apiKey, append(opts, api.WithRateLimit(60, 1))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		hurried, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		_, err = client.Unsend(hurried, userID, messageID)
		cancel()
	}
	if failure, ok := errors.AsType[*api.Error](err); ok && errors.Is(err, api.ErrRateLimited) {
		fmt.Println("not sent; try again in", failure.RetryAfter.Round(time.Second))
	}

	// Output: not sent; try again in 1s
}

func Example_mock() {
	server := mock.New(mock.WithMessages(mock.Message{UserID: "51234567", MessageID: "6432457811894"}))
	client, err := api.New(mock.DemoKey,
		api.WithConnection(mock.DemoConnection),
		api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Next(mock.Fault{Kind: mock.Drop}) // the next request is lost on its way
	if _, err := client.Unsend(ctx, "51234567", "6432457811894"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(server.UnsentCount("51234567", "6432457811894"), "unsent,", len(server.Journal()), "requests seen")

	// Output: 1 unsent, 2 requests seen
}

func Example_contract() {
	server := mock.New()
	server.Next(mock.Fault{Body: `{"success":true,"queue":{"id":"643"}}`})
	next := server.Client().Transport
	report := func(violations []contract.Violation) {
		for _, violation := range violations {
			fmt.Println(violation)
		}
	}

	watched := &http.Client{Transport: contract.Transport(next, report)}
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(watched))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(ctx, userID, messageID)

	fmt.Println(result.Outcome, err)
	// Output:
	// response /queue/id: found a string of 3 characters, want an integer of 64 bits
	// unsent <nil>
}

func Example_batch() {
	client := mustClient(mock.New())
	file := strings.NewReader("user_id,message_id\n51234567,6432457811894\n51234567,6432457811895\n")
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "messages.db")

	ledger, err := sqlite.Open(path, batch.ForService(client), batch.DefaultConnection("conn_demo"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = ledger.Close() }()
	added, err := ledger.Add(ctx, input.Read(file, input.Auto))
	if err != nil {
		fmt.Println(err) // lists the bad rows by line
		return
	}
	fmt.Println(added.New, "messages")
	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
		if err != nil {
			fmt.Println(err) // why the run ended early
			return
		}
		fmt.Println(result.Item.MessageID, result.Outcome, result.Err)
	}

	// Unordered output:
	// 2 messages
	// 6432457811894 unsent <nil>
	// 6432457811895 unsent <nil>
}

func Example_observe() {
	server := mock.New()
	apiKey, opts := mock.DemoKey, onMock(server)
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{} // never the same twice
			}
			return a
		},
	})

	client, err := api.New(apiKey, append(opts, api.WithLogger(slog.New(handler)))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Unsend(ctx, userID, messageID)

	fmt.Println(err)
	// Output:
	// level=INFO msg=unsent operation=unsendChatMessage connection=conn_demo user_id=51234567 message_id=6432457811894 attempts=1 request_id=req_000000000001
	// <nil>
}
