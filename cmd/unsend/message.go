package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

type messageOptions struct {
	client     clientFlags
	retries    int
	withUserID string
	json       bool
}

func newMessage(call *invocation) *cobra.Command {
	var opts messageOptions
	cmd := &cobra.Command{
		Use:   "message USER_ID MESSAGE_ID",
		Short: "Take back one message",
		Long: `Take back the message MESSAGE_ID of the chat with the user USER_ID.

Prints what became of it and whether it may have been unsent where that is not
known. With --json one object: outcome (unsent, already_gone or failed),
request_id, attempts, maybe_unsent, error (null, or status, type, message,
request_id, action_required and retry_after in seconds) and response, the answer
as it came, the message's text included. Without --json no text is shown.

` + exitHelp,
		Example: `  # Try it without an account
  unsend message --mock 51234567 6432457811894

  # Take back a message
  export OFAUTH_API_KEY=... OFAUTH_CONNECTION_ID=conn_abc123
  unsend message 51234567 6432457811894

  # For a script
  unsend message --json 51234567 6432457811894 | jq -r .outcome`,
		Args:              call.wantArgs("USER_ID", "MESSAGE_ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return opts.run(cmd, args[0], args[1])
		},
	}
	opts.client.register(cmd.Flags())
	cmd.Flags().IntVar(&opts.retries, "retries", 2, "how often to try again after a transient error, up to 20")
	cmd.Flags().StringVar(&opts.withUserID, "with-user-id", "", "withUserId `id` of the request (default USER_ID)")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print one JSON object")
	return cmd
}

func (o *messageOptions) run(cmd *cobra.Command, userID, messageID string) error {
	client, err := o.client.client(cmd.ErrOrStderr(), false, api.WithRetries(o.retries))
	if err != nil {
		return err
	}
	var call []api.CallOption
	if cmd.Flags().Changed("with-user-id") {
		call = append(call, api.WithUserID(o.withUserID))
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	result, err := client.Unsend(ctx, userID, messageID, call...)

	var failure *api.Error
	if err != nil && !errors.As(err, &failure) {
		return asFlags(err) // refused before anything was sent
	}
	out := cmd.OutOrStdout()
	switch {
	case o.json:
		writeJSON(out, newRecord(messageResult(userID, messageID, result, failure), client.key), "  ")
	case failure == nil:
		summarize(out, userID, messageID, result)
	}
	if failure != nil {
		return messageFailure(ctx, failure)
	}
	if err := unwritten(out); err != nil {
		return failed(fmt.Errorf("the message is %s, but that could not be written: %w", label(string(result.Outcome)), err))
	}
	return nil
}

// messageResult is a call, of which either result or failure is nil, as a batch would tell it.
func messageResult(userID, messageID string, result *api.Result, failure *api.Error) batch.Result {
	r := batch.Result{Item: batch.Item{UserID: userID, MessageID: messageID}, Response: result}
	if failure != nil {
		r.Outcome, r.Err = batch.Failed, failure
		r.RequestID, r.Attempts, r.MaybeUnsent = failure.RequestID, failure.Attempts, failure.MaybeUnsent
		return r
	}
	r.Outcome, r.RequestID, r.Attempts = result.Outcome, result.RequestID, result.Attempts
	return r
}

// runAgain settles what became of a message, since the service tells what is gone.
const runAgain = "run it again to be sure: a 404 then means that it is gone"

// messageFailure is the end of a call that did not unsend the message, or may have.
func messageFailure(ctx context.Context, err *api.Error) error {
	if ctx.Err() != nil {
		if err.MaybeUnsent {
			return errInterrupted("interrupted; the message may have been unsent; " + runAgain)
		}
		return errInterrupted("interrupted; the message was not unsent")
	}
	switch {
	case err.Scope == api.ScopeAccount, err.Scope == api.ScopeConnection:
		return &exitError{code: exitRefused, err: fmt.Errorf("%w; %s", err, err.Hint())}
	case err.MaybeUnsent:
		return failed(fmt.Errorf("%w; %s; %s", err, err.Hint(), runAgain))
	case err.RetryAfter > 0:
		return failed(fmt.Errorf("%w; try again in %v; %s", err, (err.RetryAfter + time.Second - 1).Truncate(time.Second), err.Hint()))
	}
	return failed(fmt.Errorf("%w; %s", err, err.Hint()))
}

// summarize tells a person what became of the message: its ids and how many media it had, and
// nothing of what it said.
func summarize(w io.Writer, userID, messageID string, result *api.Result) {
	line(w, "%s: message %s of the chat with %s", label(string(result.Outcome)), messageID, userID)
	request := count(result.Attempts, "attempt")
	if result.RequestID != "" {
		request += ", request " + result.RequestID
	}
	line(w, "  %s", request)
	if result.Outcome == api.AlreadyGone {
		line(w, "  an earlier attempt, whose response was lost, may have unsent it")
		return
	}
	queue, err := result.Queue()
	if queue != nil {
		line(w, "  snapshot of message %d, media: %d", queue.ID, max(len(queue.Media), queue.MediaCount))
	}
	if err != nil {
		line(w, "  the snapshot is not whole: %v", err)
	}
}
