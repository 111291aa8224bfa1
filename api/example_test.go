package api_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func ExampleClient_Unsend() {
	server := mock.New()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()))
	if err != nil {
		fmt.Println(err)
		return
	}

	// The message is unsent, and the response is lost on its way.
	server.Next(mock.Fault{Kind: mock.Drop, Acted: true})

	result, err := client.Unsend(context.Background(), "51234567", "6432457811894")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, "after", result.Attempts, "attempts")
	// Output: already_gone after 2 attempts
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
