// A program that uses what the regeneration test adds to the contract: a field, an enum value
// and a status. It compiles only against the client that is generated from that edited copy.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/unsend-go/unsend/gen"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v2/access/chats/51234567/messages/409" {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"error": "the message is being sent"}`)
			return
		}
		fmt.Fprint(w, `{"success": true, "queue": {"id": 1,
			"fromUser": {"username": "someone"}, "media": [{"type": "document"}]}}`)
	}))
	defer server.Close()
	client, err := gen.NewClientWithResponses(server.URL)
	if err != nil {
		return err
	}
	var body gen.UnsendRequest
	if err := body.WithUserID.FromUserIDString("51234567"); err != nil {
		return err
	}

	ctx := context.Background()
	answer, err := client.UnsendChatMessageWithResponse(ctx, "51234567", "200", body)
	if err != nil {
		return err
	}
	queue := answer.JSON200.Queue
	kind := *queue.Media[0].Type
	fmt.Println("username:", *queue.FromUser.Username)
	fmt.Println("document:", kind == gen.MediaTypeDocument && kind.Valid())

	answer, err = client.UnsendChatMessageWithResponse(ctx, "51234567", "409", body)
	if err != nil {
		return err
	}
	fmt.Println("conflict:", answer.JSON409.Error)
	return nil
}
