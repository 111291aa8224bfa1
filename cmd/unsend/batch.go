package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/batch"
)

type batchOptions struct {
	call        *invocation
	client      clientFlags
	ledger      ledgerFlags
	inFlight    int
	skipInvalid bool
	retryFailed bool
	yes         bool
	dryRun      bool
	json        bool
}

func newBatch(call *invocation) *cobra.Command {
	opts := batchOptions{call: call}
	cmd := &cobra.Command{
		Use:   "batch FILE|-",
		Short: "Take back many messages",
		Long: `Take back the messages that FILE lists: CSV with a header, of user_id, message_id
and, if need be, connection_id, with_user_id and maybe_unsent, or JSON lines with
these members. A spreadsheet's separators and encodings are recognised.

The whole input is checked, and then loaded into a ledger, FILE.unsend.db unless
--ledger names another. Then comes the plan, and a question, unless --yes answers
it. Connections run side by side, each at its plan's pace. Ctrl-C ends the run
once what is in flight has ended; a second one ends it at once.

The ledger, a SQLite file, records each message before it is sent and when it has
ended. After an interruption, a crash or a power cut the same command goes on: it
sends nothing that has ended for good. FILE may change meanwhile: what it adds is
sent too, and what it no longer lists is set aside. See report for what became of
each message. To begin again, delete the ledger; that forgets what was sent.

A ledger in PostgreSQL, --ledger postgres://user@host/database --run NAME, lets
many machines run the same command; without FILE they work on what is in it. The
address can be in $UNSEND_LEDGER, and the password in $PGPASSWORD.

With --json one object a line: user_id, message_id, connection_id, line, outcome
(unsent, already_gone, failed or skipped), request_id, attempts, maybe_unsent,
final, error (null or as of message) and response, the answer as it came, the
message's text included.

` + exitHelp,
		Example: `  # Try it without an account
  unsend batch --mock messages.csv

  # See what would be done
  unsend batch --dry-run messages.csv

  # Do it; the same command goes on after an interruption
  unsend batch messages.csv

  # Which messages are left, and why; then those alone once more
  unsend report messages.csv.unsend.db --failed
  unsend report messages.csv.unsend.db --failed --csv > left.csv
  unsend batch left.csv

  # From a program, for a program
  select-messages | unsend batch - --yes --json --ledger today.db > outcomes.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && opts.ledger.given(opts.client.mock) != "":
				return nil
			case len(args) == 1 && args[0] == "":
				return errNoName
			}
			return call.wantArgs("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return opts.run(cmd, append(args, "")[0])
		},
	}
	opts.client.register(cmd.Flags())
	opts.ledger.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&opts.ledger.address, "ledger", "", "`file` that records the run, or an address postgres://… (default $"+envLedger+", or FILE.unsend.db; a private one with --mock)")
	flags.IntVar(&opts.inFlight, "in-flight", 4, "requests under way at most on each connection, up to 1,000")
	flags.BoolVar(&opts.skipInvalid, "skip-invalid", false, "leave bad rows out instead of refusing the input")
	flags.BoolVar(&opts.retryFailed, "retry-failed", false, "send again what has failed for good, too")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "print the plan, and send nothing")
	flags.BoolVar(&opts.json, "json", false, "print one JSON object a line")
	return cmd
}

// run takes back the messages of a file, or of a ledger where name is empty: it loads them,
// shows the plan, asks, and sends.
func (o *batchOptions) run(cmd *cobra.Command, name string) (err error) {
	if o.inFlight < 1 || o.inFlight > 1000 {
		return errors.New("--in-flight must be 1 to 1,000")
	}
	place, err := o.ledger.place(name, o.client.mock, o.dryRun)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(place.copied) }() // after the ledger is closed

	client, err := o.client.client(cmd.ErrOrStderr(), o.dryRun) // which refuses flags in a dry run, too
	if err != nil {
		return err
	}
	var in io.ReadCloser
	if name != "" {
		if in, err = openInput(cmd, name); err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
	}
	j := &job{batchOptions: o, cmd: cmd, file: name, place: place, sender: client, shutdown: newShutdown(cmd.Context())}
	defer j.shutdown.release()
	if j.ledger, err = place.open(j.shutdown.ctx, o.dryRun, name != "", o.options(client)...); err != nil {
		return err
	}
	defer func() { err = j.close(err) }()
	if in != nil {
		if err := j.load(in); err != nil {
			return err
		}
	}
	return j.run()
}

// options are those of the ledger.
func (o *batchOptions) options(client *sender) []batch.Option {
	opts := []batch.Option{batch.ForService(client.Client)}
	if o.client.mock {
		opts[0] = batch.ForMock()
	}
	if id := o.client.defaultConnection(); id != "" {
		opts = append(opts, batch.DefaultConnection(id))
	}
	return opts
}
