package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/cmd/unsend/internal/meter"
	"github.com/unsend-go/unsend/mock"
)

// job is one run of a batch whose input is good.
type job struct {
	*batchOptions

	cmd     *cobra.Command
	source  *source
	input   batch.Input
	journal *batch.Journal
	sender  *sender // nil in a dry run
	brake   *brake

	summary  batch.Summary
	progress batch.Progress
	unread   bool // nobody reads the outcomes any more
}

func (j *job) run() error {
	plan := batch.NewPlan(j.input, j.journal, j.client.perMinute(), j.client.burst)
	if j.dryRun {
		j.printPlan(j.cmd.OutOrStdout(), plan)
		return nil
	}
	j.printPlan(j.cmd.ErrOrStderr(), plan)
	if err := j.confirm(plan); err != nil {
		return err
	}
	j.sender.know(j.input.Connections)
	began := time.Now()
	j.send(plan)
	return j.end(time.Since(began))
}

// send sends until all has ended or the brake is pressed.
func (j *job) send(plan batch.Plan) {
	shown := j.watch(plan)
	defer shown.Stop()
	told := make(chan struct{})
	defer func() { <-told }()
	over := make(chan struct{})
	defer close(over)
	go func() {
		defer close(told)
		select {
		case <-j.brake.soft:
			if j.brake.signaled.Load() {
				shown.Say("Finishing what is in flight; Ctrl-C again stops at once.")
			} else {
				shown.Say("Nobody reads the outcomes any more: finishing what is in flight.")
			}
		case <-over:
		}
	}()
	for result := range batch.Run(j.brake.now, j.sender.Client, batch.Good(j.source.items()), batch.Options{
		InFlight: j.inFlight,
		Shard:    j.input.Shard,
		Journal:  j.journal,
		Stop:     j.brake.soft,
		Progress: &j.progress,
	}) {
		j.summary.Add(result)
		if j.json {
			j.print(result)
		}
	}
}

// print writes an outcome for machines. When nobody reads them, the run is ended as if by
// Ctrl-C: what it does could not be told.
func (j *job) print(result batch.Result) {
	out := j.cmd.OutOrStdout()
	writeJSON(out, newBatchRecord(result, j.sender.key), "")
	if o, ok := out.(*output); ok && o.err != nil && !j.unread {
		j.unread = true
		j.brake.press()
	}
}

// watch shows how far the run is, on standard error.
func (j *job) watch(plan batch.Plan) *meter.Meter {
	w := j.cmd.ErrOrStderr()
	began := time.Now()
	state := func() meter.State {
		s := j.state()
		s.AtLeast = max(plan.Duration-time.Since(began), 0)
		return s
	}
	terminal := terminalOf(w)
	if j.client.verbose || j.json && terminalOf(j.cmd.OutOrStdout()) != nil || !drawable(terminal) {
		return meter.Start(w, nil, state)
	}
	return meter.Start(w, func() int { return columns(terminal) }, state)
}

func (j *job) state() meter.State {
	c := j.progress.Counts()
	s := meter.State{
		Total:    j.input.Messages,
		Unsent:   c.Unsent + c.AlreadyGone,
		Failed:   c.Failed,
		Skipped:  c.Skipped,
		Earlier:  c.Earlier,
		Waiting:  c.Waiting,
		Stopping: j.brake.pressed(),
	}
	if len(j.input.Connections) <= meter.MaxParts {
		s.Parts = j.parts()
	}
	return s
}

// parts are the connections, one by one.
func (j *job) parts() (list []meter.Part) {
	now := map[string]batch.ConnectionCounts{}
	for _, c := range j.progress.Connections() {
		now[c.ID] = c
	}
	for _, load := range j.input.Connections {
		c := now[load.ID]
		part := meter.Part{Name: load.ID, Total: load.Messages, Done: c.Ended(), Failed: c.Failed}
		if c.Stopped != nil {
			part.Note = "stopped"
		}
		list = append(list, part)
	}
	return list
}

// know tells the mock which connections there are.
func (s *sender) know(connections []batch.Load) {
	if s.mock == nil {
		return
	}
	for _, c := range connections {
		s.mock.SetConnection(mock.Connection{ID: c.ID})
	}
}
