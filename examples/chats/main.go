// Command chats lists the messages of a chat, chooses the creator's own that contain a text, and
// unsends them. Without -yes it only prints them:
//
//	export OFAUTH_API_KEY=... OFAUTH_CONNECTION_ID=conn_abc123
//	go run . -text "Good morning" 51234567
//	go run . -text "Good morning" -yes 51234567
//
// Its client for the list is generated from a contract of its own, openapi.yaml, and sends over the
// HTTP client of package api, which adds the credentials, the check of the host, the rate limit,
// retries and bounds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/examples/chats/chats"
	"github.com/unsend-go/unsend/gen"
)

func main() {
	text := flag.String("text", "", "text that the messages contain")
	yes := flag.Bool("yes", false, "unsend them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := api.FromEnv()
	if err == nil && (*text == "" || flag.NArg() != 1) {
		err = errors.New("give -text and the user id of the chat partner")
	}
	if err == nil {
		err = run(ctx, os.Stdout, client, flag.Arg(0), *text, *yes)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chats:", err)
		os.Exit(1) //nolint:gocritic // the signal's context ends with the process
	}
}

// run unsends the creator's messages that contain the text, or lists them only.
func run(ctx context.Context, w io.Writer, client *api.Client, userID, text string, unsend bool) error {
	chosen, err := choose(ctx, client, userID, text)
	if err != nil {
		return err
	}
	var failed error
	for _, id := range chosen {
		if !unsend {
			fmt.Fprintln(w, id)
			continue
		}
		result, err := client.Unsend(ctx, userID, id)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("message %s: %w", id, err))
			continue
		}
		fmt.Fprintln(w, id, result.Outcome)
	}
	return failed
}

// choose returns the ids of the messages to unsend. All pages are read before anything is unsent,
// since an offset means other messages afterwards.
func choose(ctx context.Context, client *api.Client, userID, text string) (ids []string, err error) {
	list, err := chats.NewClientWithResponses(client.BaseURL(),
		chats.WithHTTPClient(client.HTTPClient()), chats.WithRequestEditorFn(client.Authenticate))
	if err != nil {
		return nil, err
	}
	for offset := 0; ; {
		page, err := list.ListMessagesWithResponse(ctx, gen.PathID(userID), &chats.ListMessagesParams{Limit: 20, Offset: offset})
		if err != nil {
			return nil, err
		}
		if page.JSON200 == nil {
			if e := api.ErrorOf(page.HTTPResponse, page.Body); e != nil {
				return nil, fmt.Errorf("list messages: %w", e)
			}
			return nil, fmt.Errorf("list messages: unexpected response: %s", page.Status())
		}
		for _, m := range page.JSON200.List {
			sender := strconv.FormatInt(m.FromUser.ID, 10) // "0" if the response does not name one
			if sender != "0" && sender != userID && m.CancelSeconds > 0 && strings.Contains(m.Text, text) {
				ids = append(ids, strconv.FormatInt(m.ID, 10))
			}
		}
		offset += len(page.JSON200.List)
		if !page.JSON200.HasMore || len(page.JSON200.List) == 0 {
			return ids, nil
		}
	}
}
