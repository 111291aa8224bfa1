package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
		Short: "Unsend one message",
		Long: `Unsend the message MESSAGE_ID of the chat with the user USER_ID, and print its
outcome; after an error, whether it may have been unsent. With --json one object:
outcome (unsent, already_gone or failed), request_id, attempts, maybe_unsent,
error (null, or status, type, message, request_id, action_required and retry_after
in seconds) and response, the raw body, the message's text included.
Without --json no text of the message is printed.

` + exitHelp,
		Example: `  # Try it without an account
  unsend message --mock 51234567 6432457811894

  # Unsend a message
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

// messageResult returns a call's result, or its failure, in the form that a batch yields.
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

// runAgain is the advice after an ambiguous error.
const runAgain = "run it again to be sure: a 404 then means that it is gone"

// messageFailure returns the error, and the exit code, of a call that failed.
func messageFailure(ctx context.Context, err *api.Error) error {
	if ctx.Err() != nil {
		if err.MaybeUnsent {
			return errInterrupted("interrupted; the message may have been unsent; " + runAgain)
		}
		return errInterrupted("interrupted; the message was not unsent")
	}
	text := advised(err)
	switch {
	case err.Scope == api.ScopeAccount, err.Scope == api.ScopeConnection:
		return &exitError{code: exitRefused, err: errors.New(text)}
	case err.MaybeUnsent && !strings.Contains(text, "a 404 then means"): // as the hint of a lost response has it
		text += "; " + runAgain
	case err.RetryAfter > 0:
		text = fmt.Sprintf("%s; try again in %v; %s", errorText(err), (err.RetryAfter + time.Second - 1).Truncate(time.Second), err.Hint())
	}
	return failed(errors.New(text))
}

// summarize prints the outcome, the message's ids and its number of media, and nothing of its text.
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
		line(w, "  the snapshot is incomplete: %v", err)
	}
}
