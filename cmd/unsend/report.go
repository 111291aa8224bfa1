package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/postgres"
)

type reportOptions struct {
	ledger ledgerFlags
	failed bool
	csv    bool
	json   bool
	html   string
}

func newReport(call *invocation) *cobra.Command {
	var opts reportOptions
	cmd := &cobra.Command{
		Use:   "report LEDGER",
		Short: "Report the outcomes of a batch",
		Long: `Report the outcomes of the messages of a ledger: how many there are of each, why
messages are not unsent, and what to do. It works during a run too. LEDGER is a
file, or the address of a PostgreSQL database with --run NAME, without which its
runs are listed; it can be left out if it is in $UNSEND_LEDGER.

With --failed, list the messages that are not known to be gone (failed, skipped, or
still open), grouped by cause. With --csv, write them as an input for batch. With
--json, print one object a message, with the members that batch --json has; the
outcome of a message without one is open, and its response is null.

With --html, write a page for a browser, to be shown or sent to others: FILE is
self-contained, readable by its owner only, and holds the ids of the connections, but
no message and no text of one. A file that ends in .html is replaced, and no other.
- is standard output.

` + exitHelp,
		Example: `  unsend report messages.csv.unsend.db
  unsend report messages.csv.unsend.db --failed

  # Only what is left, for another run
  unsend report messages.csv.unsend.db --failed --csv > left.csv

  # To be shown to others
  unsend report messages.csv.unsend.db --html report.html

  # For a program
  unsend report messages.csv.unsend.db --json | jq -r 'select(.final | not) | .message_id'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && opts.ledger.given(false) != "" {
				return nil
			}
			return call.wantArgs("LEDGER")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.ledger.address = append(args, "")[0]
			return opts.run(cmd)
		},
	}
	opts.ledger.register(cmd.Flags())
	cmd.Flags().BoolVar(&opts.failed, "failed", false, "list the messages that are not known to be gone")
	cmd.Flags().BoolVar(&opts.csv, "csv", false, "write those messages as an input for batch")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print one JSON object a message")
	cmd.Flags().StringVar(&opts.html, "html", "", "write a page for a browser to `FILE`")
	return cmd
}

// listRuns lists the runs of a database.
func listRuns(ctx context.Context, w io.Writer, address string) error {
	runs, err := postgres.Runs(ctx, address)
	if err != nil {
		return err
	}
	for _, run := range runs {
		line(w, "--run %s: %s of %s, %s open, %s active, since %s", run.Name, count(run.Messages, "message"), run.Service,
			number(run.Open), count(run.Workers, "worker"), run.CreatedAt.Format(time.DateOnly))
	}
	if len(runs) == 0 {
		line(w, "no runs")
	}
	return nil
}

// run returns the error of a batch with these outcomes.
func (o *reportOptions) run(cmd *cobra.Command) error {
	flags := cmd.Flags()
	address := o.ledger.given(false)
	err := cmp.Or(contradict(flags, "csv", "json", "html"), contradict(flags, "json", "html"), contradict(flags, "failed", "html"))
	if err == nil && flags.Changed("html") {
		err = checkPageFile(o.html, address)
	}
	if err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	if isPostgres(address) && flags.NFlag() == 0 {
		return listRuns(ctx, cmd.OutOrStdout(), address)
	}
	p, err := o.ledger.target("", false, false)
	if err != nil {
		return err
	}
	ledger, err := p.open(ctx, false, batch.ReadOnly())
	if _, absent := os.Stat(p.address + ledgerSuffix); err != nil && absent == nil { // the list is given in place of its ledger
		return fmt.Errorf("%s is no ledger; did you mean %[1]s%s?", p.address, ledgerSuffix)
	}
	if err != nil {
		return err
	}
	defer func() { _ = ledger.Close() }()
	report, err := ledger.Report(ctx)
	if err != nil {
		return failed(err)
	}
	switch err := o.print(ctx, cmd.OutOrStdout(), p, ledger, &report); {
	case ctx.Err() != nil:
		return errInterrupted("interrupted")
	case err != nil:
		return failed(err)
	case report.Unsent+report.AlreadyGone < report.Items:
		return failed(nil)
	}
	return nil
}

func (o *reportOptions) print(ctx context.Context, out io.Writer, p *ledgerTarget, ledger *batch.Ledger, report *batch.Report) error {
	filter := batch.All
	if o.failed || o.csv {
		filter = batch.NotUnsent
	}
	messages := ledger.Messages(ctx, filter)
	switch {
	case o.html != "":
		return o.printPage(out, p, report, messages)
	case o.csv || o.json:
		return o.list(out, messages)
	case o.failed:
		return printFailed(out, report.Groups, messages)
	}
	line(out, "%s: %s of %s", p, count(report.Items, "message"), serviceName(report.Service))
	printCounts(out, report)
	printGroups(out, report.Groups)
	return nil
}

// serviceName returns the name of a ledger's service for people.
func serviceName(service string) string {
	if service == "mock" {
		return "the mock"
	}
	return service
}

// rehearsal returns the line about a ledger of a service that may not be the real one, or "".
func rehearsal(service string) string {
	switch {
	case service == "mock":
		return "This was a rehearsal with the mock: nothing real was unsent."
	case strings.Contains(service+"/", "://localhost/"):
		return "The service was on this machine: if it was a mock, nothing real was unsent."
	}
	return ""
}

// printPage writes the page to its file, or to out.
func (o *reportOptions) printPage(out io.Writer, p *ledgerTarget, report *batch.Report, messages iter.Seq2[batch.Result, error]) error {
	made, err := newPage(report, messages)
	if err != nil {
		return err
	}
	made.Name = cmp.Or(p.run, filepath.Base(p.address))
	if o.html == "-" {
		return made.write(out)
	}
	if err := made.save(o.html); err != nil {
		return fmt.Errorf("%w; check the folder and the disk", err)
	}
	line(out, "%s is written; open it in a browser", o.html)
	return nil
}

// list writes messages as CSV or JSON until a write fails.
func (o *reportOptions) list(out io.Writer, messages iter.Seq2[batch.Result, error]) error {
	table := csv.NewWriter(out) // as an input for batch
	defer table.Flush()
	if o.csv {
		_ = table.Write([]string{"user_id", "message_id", "connection_id", "with_user_id", "maybe_unsent", "ref"})
	}
	for r, err := range messages {
		switch {
		case err != nil:
			return err
		case unwritten(out) != nil:
			return nil
		case o.csv:
			maybe := "0"
			if r.MaybeUnsent {
				maybe = "1"
			}
			row := []string{r.Item.UserID, r.Item.MessageID, r.Item.ConnectionID, r.Item.WithUserID, maybe, r.Item.Ref}
			for i, text := range row {
				row[i] = input.SafeCell(text)
			}
			_ = table.Write(row)
		case o.json:
			writeJSON(out, newBatchRecord(r, ""), "")
		}
	}
	return nil
}

// printFailed prints the groups, each with its first messages.
func printFailed(w io.Writer, groups []batch.Group, messages iter.Seq2[batch.Result, error]) error {
	const most = 10 // messages of a group that are listed
	listed := map[batch.Group][]string{}
	for r, err := range messages {
		if err != nil {
			return err
		}
		if group := withoutCounts(groupOf(r)); len(listed[group]) < most {
			listed[group] = append(listed[group], messageLine(r))
		}
	}
	if len(groups) == 0 {
		line(w, "none: every message is unsent, or was gone already")
	}
	for _, g := range splitOpen(groups) {
		printGroup(w, g)
		lines := listed[withoutCounts(g)]
		for _, text := range lines {
			line(w, "    %s", text)
		}
		if more := g.Count - len(lines); more > 0 {
			line(w, "    and %s; --csv and --json list all", count(more, "more message"))
		}
	}
	return nil
}

func groupOf(r batch.Result) batch.Group {
	g := batch.Group{Outcome: r.Outcome, Hint: r.Hint, Count: 1}
	if r.MaybeUnsent {
		g.MaybeUnsent = 1
	}
	if failure, ok := errors.AsType[*api.Error](r.Err); ok {
		g.Scope, g.Status, g.Type = failure.Scope, failure.StatusCode, failure.Type
	}
	return splitOpen([]batch.Group{g})[0]
}

func withoutCounts(g batch.Group) batch.Group {
	g.Count, g.Final, g.MaybeUnsent = 0, 0, 0
	return g
}

func messageLine(r batch.Result) string {
	text := fmt.Sprintf("message %s of the chat with %s on %s", r.Item.MessageID, r.Item.UserID, r.Item.ConnectionID)
	if r.Item.Line > 0 {
		text = fmt.Sprintf("line %d: %s", r.Item.Line, text)
	}
	if r.Item.Ref != "" {
		text += ", ref " + r.Item.Ref
	}
	if r.Outcome == batch.Failed && r.Final {
		text += ", final"
	}
	if r.Err != nil {
		text += ": " + errorText(r.Err)
	}
	return text
}
