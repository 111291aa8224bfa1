package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
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

With --failed the messages that are not known to be gone (failed, skipped, or still
open) are listed, those alike together. With --csv they are written as an input for
batch. With --json one object a message, with the members that batch --json has;
the outcome of a message without one is open, and its response is null.

` + exitHelp,
		Example: `  unsend report messages.csv.unsend.db
  unsend report messages.csv.unsend.db --failed

  # Only what is left, for another run
  unsend report messages.csv.unsend.db --failed --csv > left.csv

  # For a program
  unsend report messages.csv.unsend.db --json | jq -r 'select(.final | not) | .message_id'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && opts.ledger.given(false) != "" {
				return nil
			}
			return call.wantArgs("LEDGER")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if opts.ledger.address = args[0]; args[0] == "" {
					return errors.New("the name of the ledger is empty; name a file, or an address")
				}
			}
			return opts.run(cmd)
		},
	}
	opts.ledger.register(cmd.Flags())
	cmd.Flags().BoolVar(&opts.failed, "failed", false, "list the messages that are not known to be gone")
	cmd.Flags().BoolVar(&opts.csv, "csv", false, "write those messages as an input for batch")
	cmd.Flags().BoolVar(&opts.json, "json", false, "print one JSON object a message")
	return cmd
}

// listRuns lists what a database holds, for somebody who does not know the name of a run.
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
	if err := contradict(cmd.Flags(), "csv", "json"); err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	p := &ledgerTarget{address: o.ledger.given(false), run: o.ledger.run}
	if isPostgres(p.address) && p.run == "" {
		return listRuns(ctx, cmd.OutOrStdout(), p.address)
	}
	if err := p.check(); err != nil {
		return err
	}
	if p.fresh {
		return fmt.Errorf("%s does not exist; name the ledger of a batch, such as messages.csv.unsend.db", p.address)
	}
	ledger, err := p.open(ctx, false, batch.ReadOnly())
	if err != nil {
		return err
	}
	defer func() { _ = ledger.Close() }()
	report, err := ledger.Report(ctx)
	if err != nil {
		return failed(err)
	}
	filter := batch.All
	if o.failed || o.csv {
		filter = batch.NotUnsent
	}
	out := cmd.OutOrStdout()
	switch {
	case o.csv || o.json:
		err = o.list(out, ledger.Messages(ctx, filter))
	case o.failed:
		err = printFailed(out, ledger.Messages(ctx, filter))
	default:
		service := report.Service
		if service == "mock" {
			service = "the mock"
		}
		line(out, "%s: %s of %s", p, count(report.Items, "message"), service)
		printCounts(out, &report)
		printGroups(out, report.Groups)
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted("interrupted")
	case err != nil:
		return failed(err)
	case report.Unsent+report.AlreadyGone < report.Items:
		return failed(nil)
	}
	return nil
}

// list writes messages as CSV or JSON, as long as somebody reads.
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

// printFailed prints the messages that are not known to be gone, those alike together.
func printFailed(w io.Writer, messages iter.Seq2[batch.Result, error]) error {
	const most = 10 // messages of a group that are listed
	type failedGroup struct {
		batch.Group

		messages []string
	}
	type kind struct {
		outcome      batch.Outcome
		reason, hint string
	}
	known := map[kind]*failedGroup{}
	var groups []*failedGroup
	for r, err := range messages {
		if err != nil {
			return err
		}
		one := batch.Group{Outcome: r.Outcome, Hint: r.Hint, Count: 1}
		if r.MaybeUnsent {
			one.MaybeUnsent = 1
		}
		failure, ok := errors.AsType[*api.Error](r.Err)
		if ok {
			one.Scope, one.Status, one.Type = failure.Scope, failure.StatusCode, failure.Type
		}
		k := kind{r.Outcome, reasonOf(one), r.Hint}
		g := known[k]
		if g == nil {
			g = &failedGroup{Group: one}
			known[k], groups = g, append(groups, g)
		} else {
			g.Count++
			g.MaybeUnsent += one.MaybeUnsent
		}
		if len(g.messages) < most {
			g.messages = append(g.messages, messageLine(r, failure))
		}
	}
	if len(groups) == 0 {
		line(w, "none: every message is unsent, or was gone already")
	}
	for _, g := range groups {
		printGroup(w, g.Group)
		for _, text := range g.messages {
			line(w, "    %s", text)
		}
		if more := g.Count - len(g.messages); more > 0 {
			line(w, "    and %s; --csv and --json list all", count(more, "more message"))
		}
	}
	return nil
}

func messageLine(r batch.Result, failure *api.Error) string {
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
	if failure != nil {
		text += ": " + errorText(failure)
	}
	return text
}
