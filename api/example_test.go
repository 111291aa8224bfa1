package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func ExampleNew() {
	server := mock.New() // in place of the service
	client, err := api.New(mock.DemoKey,
		api.WithConnection(mock.DemoConnection),
		api.WithTimeout(10*time.Second),
		api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(context.Background(), "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome)
	// Output: unsent
}

func ExampleFromEnv() {
	// As a shell or a service manager would.
	for name, value := range map[string]string{
		"OFAUTH_API_KEY":       mock.DemoKey,
		"OFAUTH_CONNECTION_ID": mock.DemoConnection,
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = os.Unsetenv(name) }()
	}

	client, err := api.FromEnv(api.WithHTTPClient(mock.New().Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(context.Background(), "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome)
	// Output: unsent
}

func ExampleClient_Unsend() {
	server := mock.New()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}

	// The message is taken back, and the answer is lost on its way.
	server.Next(mock.Fault{Kind: mock.Drop, Acted: true})

	result, err := client.Unsend(context.Background(), "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, "after", result.Attempts, "attempts")
	// Output: already_gone after 2 attempts
}

func ExampleResult_Queue() {
	server := mock.New()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Unsend(context.Background(), "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := result.Queue()
	if err != nil {
		fmt.Println("the message is gone, and its snapshot is damaged:", err)
	}
	if queue != nil { // what could be read of it
		fmt.Println("message", queue.ID)
	}
	// Output: message 6432457811894
}

func ExampleError() {
	server := mock.New()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Remove("51234567", "6432457811894") // by another device, say

	_, err = client.Unsend(context.Background(), "51234567", "6432457811894")
	switch {
	case errors.Is(err, api.ErrNotFound):
		fmt.Println("there is no such message")
	case errors.Is(err, api.ErrSessionExpired):
		fmt.Println("ask the creator to connect again")
	case errors.Is(err, api.ErrRateLimited):
		fmt.Println("come back later")
	}
	if failed, ok := errors.AsType[*api.Error](err); ok {
		fmt.Println("status", failed.StatusCode, "type", failed.Type, "request", failed.RequestID)
		fmt.Println("may have been unsent:", failed.MaybeUnsent)
	}
	// Output:
	// there is no such message
	// status 404 type RESOURCE_NOT_FOUND request req_000000000001
	// may have been unsent: false
}

func ExampleError_maybeUnsent() {
	server := mock.New()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()), api.WithRetries(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Next(mock.Fault{Status: 502})

	_, err = client.Unsend(context.Background(), "51234567", "6432457811894")
	if failed, ok := errors.AsType[*api.Error](err); ok && failed.MaybeUnsent {
		fmt.Println("look before you tell anyone that it is still there")
	}
	fmt.Println(err)
	// Output:
	// look before you tell anyone that it is still there
	// unsend message: 502: Proxy error (request req_000000000001); it may have been unsent
}

func ExampleWithLogger() {
	// Times differ from run to run; the rest is the same.
	constant := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "took" {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: constant}))
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(mock.New().Client()), api.WithLogger(log))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Unsend(context.Background(), "51234567", "6432457811894"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=DEBUG msg=attempt operation=unsendChatMessage connection=conn_demo user_id=51234567 message_id=6432457811894 attempt=1 status=200 type="" request_id=req_000000000001 maybe_unsent=false wait=0s
	// level=DEBUG msg=unsent operation=unsendChatMessage connection=conn_demo user_id=51234567 message_id=6432457811894 attempts=1 request_id=req_000000000001
}

func ExampleWithConnection_call() {
	server := mock.New(mock.WithConnections(mock.Connection{ID: "conn_jo"}, mock.Connection{ID: "conn_kim"}))
	client, err := api.New(mock.DemoKey, api.WithHTTPClient(server.Client())) // for many creators
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, creator := range []string{"conn_jo", "conn_kim"} {
		if _, err := client.Unsend(context.Background(), "51234567", "msg_"+creator, api.WithConnection(creator)); err != nil {
			fmt.Println(err)
		}
	}
	for _, request := range server.Journal() {
		fmt.Println(request.ConnectionID, request.MessageID, request.Status)
	}
	// Output:
	// conn_jo msg_conn_jo 200
	// conn_kim msg_conn_kim 200
}
