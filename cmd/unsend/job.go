package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// job is one run of a batch, from its ledger to its end.
type job struct {
	*batchOptions

	cmd      *cobra.Command
	file     string // as named; empty where the ledger says all
	place    *place
	sender   *sender
	shutdown *shutdown

	ledger   *batch.Ledger
	added    batch.Added
	plan     batch.Plan
	progress batch.Progress
	began    time.Time // zero where nothing was sent
	unread   bool      // nobody reads the outcomes any more
}

// name names the input to a person.
func (j *job) name() string {
	if j.file == "" {
		return j.place.String()
	}
	return inputName(j.file)
}

// close closes the ledger behind a run that ended with err. A new one for which nothing was
// sent is taken away: what was wrong, a service's address say, would stay in it.
func (j *job) close(err error) error {
	closing := j.ledger.Close()
	if j.began.IsZero() && !j.dryRun {
		j.place.remove()
	}
	if closing != nil {
		return cmp.Or(err, failed(closing))
	}
	return err
}

// run shows the plan, asks, and sends.
func (j *job) run() (err error) {
	if j.plan, err = j.ledger.Plan(j.shutdown.ctx, j.retryFailed); err != nil {
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
	if j.sender.mock != nil { // which knows no other connections
		for _, c := range j.plan.Connections {
			j.sender.mock.SetConnection(mock.Connection{ID: c.ConnectionID})
		}
	}
	j.began = time.Now()
	j.send()
	return j.end(time.Since(j.began))
}

// send sends until all has ended or a shutdown begins.
func (j *job) send() {
	shown := j.showProgress()
	defer shown.stop()
	told := make(chan struct{})
	over := context.AfterFunc(j.shutdown.gently, func() {
		defer close(told)
		if j.shutdown.signaled.Load() {
			shown.say("Finishing what is in flight; Ctrl-C again stops at once.")
		} else {
			shown.say("Nobody reads the outcomes any more: finishing what is in flight.")
		}
	})
	defer func() {
		if !over() {
			<-told
		}
	}()
	for result := range batch.Run(j.shutdown.ctx, j.sender.Client, j.ledger, batch.Options{
		InFlight:    j.inFlight,
		Stop:        j.shutdown.gently.Done(),
		Progress:    &j.progress,
		RetryFailed: j.retryFailed,
	}) {
		if !j.json {
			continue
		}
		out := j.cmd.OutOrStdout()
		writeJSON(out, newBatchRecord(result, j.sender.key), "")
		if unwritten(out) != nil { // what the run does could not be told
			j.unread = true
			j.shutdown.begin()
		}
	}
}

// end prints the table of a run that is over, says how to go on, and returns how it ended.
func (j *job) end(took time.Duration) error {
	ctx := context.WithoutCancel(j.shutdown.ctx)
	report, err := j.ledger.Report(ctx)
	var left batch.Plan
	if err == nil {
		left, err = j.ledger.Plan(ctx, false)
	}
	if err != nil { // where the run did not fail for that already
		return cmp.Or(j.outcome(&report), failed(err))
	}
	w := j.cmd.OutOrStdout()
	if j.json {
		w = j.cmd.ErrOrStderr() // standard output is for machines
	}
	j.printEnd(w, &report, left.Messages, took)
	if unwritten(w) != nil {
		j.printEnd(j.cmd.ErrOrStderr(), &report, left.Messages, took) // which nothing must be lost of
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
	switch {
	case left == 0:
	case j.place.address == "":
		line(w, "%s left, and no ledger to go on from.", count(left, "message"))
	default:
		from := ""
		if j.file == "-" {
			from = ", with the same input"
		}
		line(w, "To go on with %s%s:", count(left, "message"), from)
		line(w, "  %s", j.call.goOn())
	}
}

// outcome is the error, and with it the exit code, of a run.
func (j *job) outcome(report *batch.Report) error {
	reason := j.progress.Err()
	answer, answered := errors.AsType[*api.Error](reason)
	switch {
	case errors.Is(reason, batch.ErrLedger):
		return failed(fmt.Errorf("stopped before the next message: %w", reason))
	case reason != nil && j.unread:
		return failed(errors.New("stopped, since nobody reads the outcomes any more"))
	case reason != nil && j.shutdown.signaled.Load():
		return &exitError{code: exitInterrupted}
	case answered:
		code := exitFailed
		if answer.Scope == api.ScopeAccount {
			code = exitRefused
		}
		return &exitError{code: code, err: fmt.Errorf("stopped: %s; %s", causeText(reason), answer.Hint())}
	case reason != nil:
		return failed(reason)
	case j.allStopped():
		return &exitError{code: exitRefused, err: errors.New("every connection was refused")}
	case report.Unsent+report.AlreadyGone < report.Items:
		return failed(nil)
	}
	return nil
}

// allStopped reports whether every connection on which there was something to send was stopped
// by an error of its own.
func (j *job) allStopped() bool {
	connections := j.progress.Connections()
	for _, c := range connections {
		answer, ok := errors.AsType[*api.Error](c.Stopped)
		if !ok || answer.Scope != api.ScopeConnection {
			return false
		}
	}
	return len(connections) > 0
}
