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
	"github.com/unsend-go/unsend/gen"       //nolint:staticcheck // twice: the second is in place of a client
	chats "github.com/unsend-go/unsend/gen" // of somebody's own document
	"github.com/unsend-go/unsend/mock"
)

// The README's snippets stand in these functions (internal/repo checks that); the lines above a
// snippet put a mock in place of the service.

var (
	ctx       = context.Background()
	apiKey    = mock.DemoKey
	userID    = "51234567"
	messageID = "6432457811894"
)

// try prints the error of a snippet.
func try(snippet func() error) {
	if err := snippet(); err != nil {
		fmt.Println(err)
	}
}

// onMock returns options that put a mock in place of the service.
func onMock(server *mock.Server) []api.Option {
	return []api.Option{api.WithHTTPClient(server.Client()), api.WithConnection(mock.DemoConnection)}
}

func mustClient(server *mock.Server) *api.Client {
	client, err := api.New(mock.DemoKey, onMock(server)...)
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

	try(func() error {
		client, err := api.FromEnv() // OFAUTH_API_KEY, OFAUTH_CONNECTION_ID
		if err != nil {
			return err
		}
		result, err := client.Unsend(ctx, userID, messageID)
		if err != nil {
			return err // typed: what happened, whether a retry can help, what to do
		}
		fmt.Println(result.Outcome) // api.Unsent, or api.AlreadyGone
		return nil
	})
	// Output: unsent
}

func Example_lostResponse() {
	server := mock.New()
	client := mustClient(server)
	try(func() error {
		server.Next(mock.Fault{Kind: mock.Drop, Acted: true}) // the mock unsends, and drops the response
		result, err := client.Unsend(ctx, userID, messageID)
		if err != nil {
			return err
		}
		fmt.Println(result.Outcome, "after", result.Attempts, "attempts") // already_gone after 2 attempts
		return nil
	})
	// Output: already_gone after 2 attempts
}

func Example_contract() {
	server := mock.New()
	server.Next(mock.Fault{Body: `{"success":true,"queue":{"id":"643"}}`})
	next := server.Client().Transport
	try(func() error {
		report := func(found []contract.Violation) { fmt.Println(found) } // or t.Error(found)
		watched := &http.Client{Transport: contract.Transport(next, report)}
		client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(watched))
		if err != nil {
			return err
		}
		result, err := client.Unsend(ctx, userID, messageID)
		if err != nil {
			return err
		}
		fmt.Println(result.Outcome)
		return nil
	})
	// Output:
	// [response /queue/id: found a string of 3 characters, want an integer of 64 bits]
	// unsent
}

func Example_connection() {
	server := mock.New(mock.WithConnections(mock.Connection{ID: "conn_abc123"}, mock.Connection{ID: "conn_def456"}))
	opts := onMock(server)
	try(func() error {
		client, err := api.New(apiKey, append(opts, api.WithConnection("conn_abc123"))...)
		if err != nil {
			return err
		}
		result, err := client.Unsend(ctx, userID, messageID, api.WithConnection("conn_def456"))
		if err != nil {
			return err
		}
		fmt.Println(result.Outcome, "by", server.Journal()[0].ConnectionID)
		return nil
	})
	// Output: unsent by conn_def456
}

func Example_errors() {
	client := mustClient(mock.New(mock.WithConnections(mock.Connection{ID: mock.DemoConnection, State: mock.Expired})))

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

func Example_generated() {
	server := mock.New()
	client := mustClient(server)
	body := gen.UnsendRequest{WithUserID: gen.String(userID)}
	try(func() error {
		resp, err := client.Generated().UnsendChatMessageWithResponse(ctx, gen.PathID(userID), gen.PathID(messageID), body)
		if err != nil {
			return err
		}
		if failure := api.ErrorOf(resp.HTTPResponse, resp.Body); failure != nil {
			return failure
		}
		if resp.JSON200 == nil {
			return errors.New("the response is no JSON")
		}
		fmt.Println(resp.JSON200.Success)
		return nil
	})
	try(func() error {
		yours, err := chats.NewClientWithResponses(client.BaseURL(),
			chats.WithHTTPClient(client.HTTPClient()),
			chats.WithRequestEditorFn(client.Authenticate))
		if err != nil {
			return err
		}
		resp, err := yours.UnsendChatMessageWithResponse(ctx, chats.PathID(userID), chats.PathID(messageID), body)
		if err != nil {
			return err
		}
		fmt.Println(errors.Is(api.ErrorOf(resp.HTTPResponse, resp.Body), api.ErrNotFound))
		return nil
	})
	// Output:
	// true
	// true
}

func Example_rateLimit() {
	opts := onMock(mock.New())
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

	try(func() error {
		ledger, err := sqlite.Open(path, batch.ForService(client), batch.DefaultConnection("conn_demo"))
		if err != nil {
			return err
		}
		defer func() { _ = ledger.Close() }()
		added, err := ledger.Add(ctx, input.Read(file, input.Auto))
		if err != nil {
			return err // lists the bad rows by line
		}
		fmt.Println(added.New, "messages")
		for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
			if err != nil {
				return err // why the run ended early
			}
			fmt.Println(result.Item.MessageID, result.Outcome, result.Err)
		}
		return nil
	})
	// Unordered output:
	// 2 messages
	// 6432457811894 unsent <nil>
	// 6432457811895 unsent <nil>
}

func Example_observe() {
	opts := onMock(mock.New(mock.WithConnections(mock.Connection{ID: mock.DemoConnection, State: mock.Expired})))
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "msg" || a.Key == "connection" || a.Key == "type" {
				return a
			}
			return slog.Attr{}
		},
	})

	client, err := api.New(apiKey, append(opts, api.WithLogger(slog.New(handler)))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Unsend(ctx, userID, messageID)
	fmt.Println(errors.Is(err, api.ErrSessionExpired))
	// Output:
	// msg=failed connection=conn_demo type=SESSION_EXPIRED
	// true
}
