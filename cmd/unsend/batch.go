package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/batch"
)

type batchOptions struct {
	client      clientFlags
	inFlight    int
	skipInvalid bool
	yes         bool
	dryRun      bool
	journal     string
	resume      bool
	shard       string
	report      bool
	json        bool

	args []string // of the whole command, to say how it is resumed
}

func newBatch(args []string) *cobra.Command {
	opts := batchOptions{args: args}
	cmd := &cobra.Command{
		Use:   "batch FILE|-",
		Short: "Take back many messages",
		Long: `Take back the messages that FILE lists: CSV with a header, of user_id, message_id
and, if need be, connection_id and with_user_id (other columns are ignored), or
JSON lines with these members.

The whole input is checked before anything is sent. Then comes the plan, and a
question, unless --yes answers it. Connections run side by side, each at its
plan's pace. Ctrl-C ends the run once what is in flight has ended; a second one
ends it at once.

A journal, FILE.journal unless --journal names another, records each message
before it is sent and when it has ended. After an interruption, a crash or a
power cut the same command with --resume goes on: it sends nothing that has
ended for good. With --shard I/N, one of N machines takes the connections that
fall to it; none is shared. The journals of all machines make one --report.

With --json one object a line: user_id, message_id, connection_id, line, outcome
(unsent, already_gone, failed or skipped), request_id, attempts, maybe_unsent,
final, earlier, duplicate, error (null or as of message) and response, the
answer as it came, the message's text included.

` + exitHelp,
		Example: `  # Try it without an account
  unsend batch --mock messages.csv

  # See what would be done
  unsend batch --dry-run messages.csv

  # Do it, and go on after an interruption
  unsend batch messages.csv
  unsend batch messages.csv --resume

  # The first of three machines; then the joint table
  unsend batch messages.csv --shard 0/3 --yes
  unsend batch --report messages.csv.0-of-3.journal messages.csv.1-of-3.journal messages.csv.2-of-3.journal

  # From a program, for a program
  select-messages | unsend batch - --yes --json --journal today.journal > outcomes.jsonl`,
		Args: opts.wantFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.report {
				return opts.printReport(cmd, args)
			}
			return opts.run(cmd, args[0])
		},
	}
	opts.client.register(cmd.Flags())
	flags := cmd.Flags()
	flags.IntVar(&opts.inFlight, "in-flight", 4, "requests under way at most on each connection, up to 1,000")
	flags.BoolVar(&opts.skipInvalid, "skip-invalid", false, "leave bad rows out instead of refusing the input")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "print the plan, and send nothing")
	flags.StringVar(&opts.journal, "journal", "", "`file` that records the run (default FILE.journal, unsend.journal for standard input; none with --mock)")
	flags.BoolVar(&opts.resume, "resume", false, "go on with the run that the journal records, or begin it")
	flags.StringVar(&opts.shard, "shard", "", "take the `I/N` part of the connections, 0/N being the first")
	flags.BoolVar(&opts.report, "report", false, "print the joint table of the journals that are named, and send nothing")
	flags.BoolVar(&opts.json, "json", false, "print one JSON object a line")
	return cmd
}

func (o *batchOptions) wantFiles(cmd *cobra.Command, args []string) error {
	if !o.report {
		return wantArgs("FILE")(cmd, args)
	}
	if len(args) == 0 {
		return fmt.Errorf("want the journals to report on; see %s --help", cmd.CommandPath())
	}
	return nil
}

// run takes back the messages of a file: it checks all of it, plans, asks, and sends.
func (o *batchOptions) run(cmd *cobra.Command, name string) error {
	shard, err := o.check()
	if err != nil {
		return err
	}
	client, err := o.newClient(cmd)
	if err != nil {
		return err
	}
	brake := newBrake(cmd.Context())
	defer brake.release()
	in, err := openSource(cmd, name, o.client.defaultConnection(), brake)
	if err != nil {
		return err
	}
	defer in.close()
	input := batch.Inspect(until(brake, in.items()), shard)
	if brake.pressed() {
		return errNothingSent
	}
	if err := o.refuse(cmd.ErrOrStderr(), in.name, input); err != nil {
		return err
	}
	journal, err := o.openJournal(name, input)
	if err != nil {
		return err
	}
	j := &job{batchOptions: o, cmd: cmd, source: in, input: input, journal: journal, sender: client, brake: brake}
	return j.close(j.run())
}

// check refuses flags that contradict each other or cannot work.
func (o *batchOptions) check() (batch.Shard, error) {
	switch {
	case o.inFlight < 1 || o.inFlight > 1000:
		return batch.Shard{}, errors.New("--in-flight must be 1 to 1,000")
	case o.client.set.Changed("journal") && o.journal == "":
		return batch.Shard{}, errors.New("--journal needs the name of a file")
	case o.client.mock && o.resume && o.journal == "":
		return batch.Shard{}, errors.New("--resume needs a journal, and with --mock there is none unless --journal names it")
	case o.client.set.Changed("shard") && o.shard == "":
		return batch.Shard{}, errors.New("--shard needs a part, 0/4 say")
	}
	shard, err := batch.ParseShard(o.shard)
	if err != nil {
		return batch.Shard{}, fmt.Errorf("--shard: %w", err)
	}
	return shard, nil
}

// newClient makes the client. A dry run needs none, but refuses flags as the real one does.
func (o *batchOptions) newClient(cmd *cobra.Command) (*sender, error) {
	if o.dryRun {
		return nil, o.client.check()
	}
	return o.client.client(cmd.ErrOrStderr())
}

// onlyReport refuses flags that a report has no use for.
func (o *batchOptions) onlyReport() (err error) {
	o.client.set.Visit(func(flag *pflag.Flag) {
		if flag.Name != "report" && flag.Name != "json" && err == nil {
			err = fmt.Errorf("--report only reads journals; leave --%s out", flag.Name)
		}
	})
	return err
}
