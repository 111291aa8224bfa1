package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
)

type messageOptions struct {
	client     clientFlags
	withUserID string
	json       bool
}

func newMessage() *cobra.Command {
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
		Args:              wantArgs("USER_ID", "MESSAGE_ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return opts.run(cmd, args[0], args[1])
		},
	}
	opts.client.register(cmd.Flags())
	cmd.Flags().StringVar(&opts.withUserID, "with-user-id", "", "withUserId `id` of the request (default USER_ID)")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print one JSON object")
	return cmd
}

func (o *messageOptions) run(cmd *cobra.Command, userID, messageID string) error {
	client, err := o.client.client(cmd.ErrOrStderr())
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
		writeJSON(out, newRecord(userID, messageID, result, failure, client.key), "  ")
	case failure == nil:
		summarize(out, userID, messageID, result)
	}
	if failure != nil {
		return messageFailure(ctx, failure)
	}
	return unreported(out, result)
}

// runAgain settles what became of a message, since the service tells what is gone.
const runAgain = "run it again to be sure: 404 RESOURCE_NOT_FOUND then means that it is gone"

// messageFailure is the end of a call that did not unsend the message, or may have.
func messageFailure(ctx context.Context, err *api.Error) error {
	if ctx.Err() != nil {
		if err.MaybeUnsent {
			return errInterrupted("interrupted; the message may have been unsent; " + runAgain)
		}
		return errInterrupted("interrupted; the message was not unsent")
	}
	switch {
	case refused(err):
		return &exitError{code: exitRefused, err: fmt.Errorf("%w; %s", err, err.Hint())}
	case err.MaybeUnsent:
		return failed(fmt.Errorf("%w; %s; %s", err, err.Hint(), runAgain))
	case err.RetryAfter > 0:
		return failed(fmt.Errorf("%w; try again in %v; %s", err, (err.RetryAfter + time.Second - 1).Truncate(time.Second), err.Hint()))
	}
	return failed(fmt.Errorf("%w; %s", err, err.Hint()))
}

// refused reports whether another key, connection or permission is what err asks for.
func refused(err *api.Error) bool {
	return err.Scope == api.ScopeAccount || err.Scope == api.ScopeConnection
}

// unreported says the outcome on standard error where standard output does not take it.
func unreported(out io.Writer, result *api.Result) error {
	if o, ok := out.(*output); ok && o.err != nil {
		return &exitError{code: exitOK, err: fmt.Errorf("the message is %s, but that could not be written: %w", spoken(result.Outcome), o.err)}
	}
	return nil
}
