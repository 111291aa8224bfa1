package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/mock"
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
		Short: "Unsend many messages",
		Long: `Unsend the messages that FILE lists: CSV with a first row of names, user_id,
message_id and optionally connection_id, with_user_id, maybe_unsent and ref (your
own key), or JSON lines with these members. A spreadsheet's separators and
encodings are recognized.

The whole input is checked and loaded into a ledger, FILE.unsend.db unless --ledger
names another. The plan is printed, and confirmed by a question or by --yes. Ctrl-C
stops the run when the requests in flight are finished; a second one at once.

The ledger, a SQLite file, records each message before it is sent, and its outcome.
After an interruption or a crash the same command resumes: it sends no message whose
outcome is final. FILE may change meanwhile: rows that are added are sent too, rows
that are deleted are excluded. To begin again, delete the ledger; that forgets what
was sent.

With a ledger in PostgreSQL, --ledger postgres://user@host/database --run NAME, many
machines can run the same command; without FILE they send the messages already
loaded. The address can be in $UNSEND_LEDGER, and the password in $PGPASSWORD.

With --json, one object a line: user_id, message_id, connection_id, line, ref, outcome
(unsent, already_gone, failed or skipped), request_id, attempts, maybe_unsent, final,
error (null or as of message) and response, the raw body, the message's text included.

` + exitHelp,
		Example: `  # Try it without an account
  unsend batch --mock messages.csv

  # Print the plan
  unsend batch --dry-run messages.csv

  # Run it; the same command resumes after an interruption
  unsend batch messages.csv

  # The messages that are left, and why; then those alone once more
  unsend report messages.csv.unsend.db --failed
  unsend report messages.csv.unsend.db --failed --csv > left.csv
  unsend batch left.csv --ledger messages.csv.unsend.db

  # From a program, for a program
  select-messages | unsend batch - --yes --json --ledger today.db > outcomes.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && opts.ledger.given(opts.client.mock) != "" {
				return nil
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
	flags.StringVar(&opts.ledger.address, "ledger", "", "ledger `file`, or an address postgres://… (default $"+envLedger+", or FILE.unsend.db; a private one with --mock)")
	flags.IntVar(&opts.inFlight, "in-flight", 4, "requests in flight on each connection, 1 to 1,000")
	flags.BoolVar(&opts.skipInvalid, "skip-invalid", false, "skip bad rows instead of refusing the input")
	flags.BoolVar(&opts.retryFailed, "retry-failed", false, "also send messages again whose failure is final")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "skip the question")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "print the plan, and send nothing")
	flags.BoolVar(&opts.json, "json", false, "print one JSON object a line")
	return cmd
}

// run unsends the messages of a file or, if name is empty, of a ledger: it loads them, prints the
// plan, asks for confirmation, and sends.
func (o *batchOptions) run(cmd *cobra.Command, name string) (err error) {
	if o.inFlight < 1 || o.inFlight > 1000 {
		return errors.New("--in-flight must be 1 to 1,000")
	}
	target, err := o.ledger.target(name, o.client.mock, o.dryRun)
	if err != nil {
		return err
	}
	client, err := o.client.client(cmd.ErrOrStderr(), o.dryRun) // in a dry run too, to check the flags
	if err != nil {
		return err
	}
	var in io.ReadCloser
	if name != "" {
		if in, err = openInput(cmd, name); err != nil {
			return err
		}
	}
	j := &job{batchOptions: o, cmd: cmd, file: name, target: target, sender: client, shutdown: newShutdown(cmd.Context())}
	defer j.shutdown.release()
	abandonAfter(j.shutdown.ctx.Done(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	opts := []batch.Option{batch.ForService(client.Client)}
	if id := o.client.defaultConnection(); id != "" {
		opts = append(opts, batch.DefaultConnection(id))
	}
	if j.ledger, err = target.open(j.shutdown.ctx, o.dryRun, opts...); err != nil {
		return err
	}
	defer func() {
		// A new ledger is removed if nothing was sent: a mistake, such as a wrong service, would
		// stay in it.
		if closing := j.ledger.Discard(); closing != nil {
			err = cmp.Or(err, failed(closing))
		}
	}()
	if in != nil {
		if err := j.loadLasting(in); err != nil {
			return err
		}
	}
	return j.run()
}

type job struct {
	*batchOptions

	cmd      *cobra.Command
	file     string // as named; empty if the ledger has the list
	target   *ledgerTarget
	sender   *sender
	shutdown *shutdown

	ledger   *batch.Ledger
	added    batch.Added
	plan     batch.Plan
	progress batch.Progress
	early    error     // why the run ended early
	began    time.Time // zero if nothing was sent
	warned   string    // of the ledger, before it began
}

func (j *job) name() string {
	if j.file == "" {
		return j.target.String()
	}
	return inputName(j.file)
}

func (j *job) run() (err error) {
	if j.dryRun && j.file != "" {
		j.plan = j.added.Plan(j.retryFailed)
	} else if j.plan, err = j.ledger.Plan(j.shutdown.ctx, j.retryFailed); err != nil {
		return err
	}
	if j.dryRun {
		j.printPlan(j.cmd.OutOrStdout())
		return nil
	}
	j.printPlan(j.cmd.ErrOrStderr())
	if err := j.confirm(); err != nil {
		return err
	}
	if j.sender.mock != nil { // it knows the default connection alone
		for _, c := range j.plan.Connections {
			j.sender.mock.SetConnection(mock.Connection{ID: c.ConnectionID})
		}
	}
	j.began, j.warned = time.Now(), j.ledger.Warning()
	j.send()
	return j.end(time.Since(j.began))
}

// send runs the batch until every message has an outcome or a shutdown begins.
func (j *job) send() {
	defer j.showProgress()()
	for result, err := range batch.Run(j.shutdown.ctx, j.sender.Client, j.ledger, batch.Options{
		InFlight:    j.inFlight,
		Stop:        j.shutdown.gently.Done(),
		Progress:    &j.progress,
		RetryFailed: j.retryFailed,
	}) {
		j.early = err
		if err != nil || !j.json {
			continue
		}
		out := j.cmd.OutOrStdout()
		writeJSON(out, newBatchRecord(result, j.sender.key), "")
		if unwritten(out) != nil {
			j.shutdown.begin()
		}
	}
}

// end prints the outcomes and how to resume, and returns the error of the run.
func (j *job) end(took time.Duration) error {
	ctx := context.WithoutCancel(j.shutdown.ctx)
	report, err := j.ledger.Report(ctx)
	var left batch.Plan
	if err == nil {
		left, err = j.ledger.Plan(ctx, false)
	}
	if err != nil { // the reason of a run that failed comes first
		return cmp.Or(j.outcome(&report), failed(err))
	}
	w := j.cmd.OutOrStdout()
	if j.json {
		w = j.cmd.ErrOrStderr() // standard output is for machines
	}
	j.printEnd(w, &report, left.Messages, took)
	if unwritten(w) != nil {
		j.printEnd(j.cmd.ErrOrStderr(), &report, left.Messages, took) // nothing of it may be lost
	}
	return j.outcome(&report)
}

func (j *job) printEnd(w io.Writer, report *batch.Report, left int, took time.Duration) {
	line(w, "%s, %s:", count(report.Items, "message"), duration(took))
	printCounts(w, report)
	printGroups(w, report.Groups)
	var stopped []string
	for _, c := range j.progress.Connections() {
		if c.Stopped != nil {
			stopped = append(stopped, c.ID)
		}
	}
	if len(stopped) > 0 {
		line(w, "Stopped: %s", connectionNames(stopped))
	}
	if text := j.ledger.Warning(); text != j.warned {
		line(w, "%s", text)
	}
	if report.Failed+report.Skipped > 0 && j.target.address != "" {
		printCommand(w, "To list what is left, for a spreadsheet, and for another run with the same --ledger:", j.call.program+" report "+j.target.arguments()+" --csv > left.csv")
	}
	switch {
	case left == 0:
	case j.target.address == "":
		line(w, "%s left, and no ledger to continue from.", count(left, "message"))
	default:
		from := ""
		if j.file == "-" {
			from = ", with the same input"
		}
		printCommand(w, "To continue with "+count(left, "message")+from+":", j.resumeCommand())
	}
}

// printCommand prints a command on a line of its own, however long, so that it can be copied.
func printCommand(w io.Writer, purpose, command string) {
	line(w, "%s", purpose)
	_, _ = fmt.Fprintln(w, safeText("  "+command))
}

// resumeCommand returns the command that continues the run. Failed messages that were opened again
// stay open, and no password is printed.
func (j *job) resumeCommand() string {
	words := []string{j.call.program}
	end := slices.Index(j.call.args, "--")
	for i, arg := range j.call.args {
		if strings.HasPrefix(arg, "--retry-failed") && (end < 0 || i < end) {
			continue
		}
		words = append(words, quoted(j.call.withoutSecrets(arg)))
	}
	return strings.Join(words, " ")
}

func (j *job) outcome(report *batch.Report) error {
	reason := j.early
	failure, ok := errors.AsType[*api.Error](reason)
	switch {
	case errors.Is(reason, batch.ErrLedger):
		return failed(fmt.Errorf("stopped before the next message: %w", reason))
	case reason != nil && j.shutdown.signaled.Load():
		return &exitError{code: exitInterrupted}
	case reason != nil && j.shutdown.begun():
		return failed(errors.New("stopped, since " + unwrittenText(unwritten(j.cmd.OutOrStdout()))))
	case ok:
		code := exitFailed
		if failure.Scope == api.ScopeAccount {
			code = exitRefused
		}
		return &exitError{code: code, err: errors.New("stopped: " + advised(reason))}
	case reason != nil:
		return failed(reason)
	case j.allStopped():
		return &exitError{code: exitRefused, err: errors.New("every connection was refused")}
	case report.Unsent+report.AlreadyGone < report.Items:
		return failed(nil)
	}
	return nil
}

// allStopped reports whether every connection with messages to send was stopped by an error of its
// own.
func (j *job) allStopped() bool {
	connections := j.progress.Connections()
	for _, c := range connections {
		failure, ok := errors.AsType[*api.Error](c.Stopped)
		if !ok || failure.Scope != api.ScopeConnection {
			return false
		}
	}
	return len(connections) > 0
}

// loadLasting loads the input. If a restart of the ledger's server ends that, a file is opened and
// read again.
func (j *job) loadLasting(in io.ReadCloser) error {
	const most = 30 // loads, for half a minute
	for n := 1; ; n++ {
		err := j.load(in)
		_ = in.Close()
		if !errors.Is(err, batch.ErrClaimLost) || namelessInput(j.file) != "" || n == most {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-j.shutdown.gently.Done():
			return errNothingSent
		}
		again, failed := openInput(j.cmd, j.file)
		if failed != nil {
			return err
		}
		in = again
	}
}

// load reads the input into the ledger, and prints its bad rows.
func (j *job) load(in io.Reader) error {
	var opts []batch.AddOption
	if j.skipInvalid {
		opts = append(opts, batch.SkipBad())
	}
	if j.dryRun {
		opts = append(opts, batch.Preview())
	}
	// A pipe may stay silent. Copying from it can wait for ever; the reader of the copy stops on a
	// signal.
	read, write := io.Pipe()
	go func() {
		_, err := io.Copy(write, in)
		_ = write.CloseWithError(err)
	}()
	defer context.AfterFunc(j.shutdown.gently, func() { _ = write.CloseWithError(errNothingSent) })()
	added, err := j.ledger.Replace(j.shutdown.ctx, input.Read(read, input.Auto), opts...)
	_ = read.Close()
	if j.shutdown.begun() {
		return errNothingSent
	}
	j.added = added
	bad, refused := errors.AsType[*batch.InputError](err)
	switch {
	case refused && bad.NoConnection == bad.Rows: // one advice fixes them all
		return fmt.Errorf("%s: %w; nothing was sent", j.name(), asFlags(bad))
	case refused:
		j.list(bad.Bad, bad.Rows)
		advice := "correct the list"
		if bad.Good > 0 {
			advice += ", or add --skip-invalid"
		}
		return fmt.Errorf("%s in %s; nothing was sent: %s", count(bad.Rows, "bad row"), j.name(), advice)
	case errors.Is(err, batch.ErrInput):
		return fmt.Errorf("%s: %w", j.name(), err)
	case err != nil:
		return err
	}
	j.list(added.Bad, added.BadRows)
	if added.New+added.Known == 0 {
		return fmt.Errorf("%s: no row can be used; nothing was sent", j.name())
	}
	return nil
}

// list prints the first of so many bad rows.
func (j *job) list(bad []error, rows int) {
	for _, err := range bad {
		line(j.cmd.ErrOrStderr(), "%s: %v", j.name(), asFlags(err))
		rows--
		if all, ok := errors.AsType[*batch.InputError](err); ok { // that lack a connection
			rows -= all.Rows - 1
		}
	}
	if rows > 0 {
		line(j.cmd.ErrOrStderr(), "%s: and %s", j.name(), count(rows, "more bad row"))
	}
}
