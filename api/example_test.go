package api_test

import (
	"context"
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
