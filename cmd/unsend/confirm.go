package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/unsend-go/unsend/batch"
)

// maxListedConnections is how many connections are listed by name.
const maxListedConnections = 6

// printPlan prints the number of messages, their connections, and the least time that they take.
func (j *job) printPlan(w io.Writer) {
	line(w, "%s: %s", j.name(), j.summary())
	for _, c := range j.plan.Connections[:min(len(j.plan.Connections), maxListedConnections)] {
		line(w, "  %s on %s", number(c.Messages), c.ConnectionID)
	}
	if more := len(j.plan.Connections) - maxListedConnections; more > 0 {
		line(w, "  the others on %s", count(more, "more connection"))
	}
	isGiven := func(load batch.Load) bool { return load.ConnectionID == j.client.connection }
	if j.client.set.Changed("connection") && j.plan.Messages > 0 && !slices.ContainsFunc(j.plan.Connections, isGiven) {
		line(w, "  --connection %s has no effect: every row to be sent names another", j.client.connection)
	}
	if j.plan.Ended > 0 {
		text := count(j.plan.Ended, "message") + " final from earlier runs"
		if j.plan.Failed > 0 && !j.retryFailed {
			text += fmt.Sprintf(", %s of them failed; --retry-failed sends those again", number(j.plan.Failed))
		}
		line(w, "  %s", text)
	}
	if j.plan.SetAside > 0 {
		text := count(j.plan.SetAside, "message") + " excluded"
		if j.file != "" {
			text += ": " + j.name() + " no longer lists them, or lists them on another connection"
		}
		line(w, "  %s", text)
	}
	if j.added.Repeated > 0 {
		line(w, "  %s", count(j.added.Repeated, "duplicate row"))
	}
	if j.added.BadRows > 0 {
		line(w, "  %s left out", count(j.added.BadRows, "bad row"))
	}
	if len(j.added.Ignored) > 0 {
		line(w, "  columns that are not used: %s", strings.Join(j.added.Ignored, ", "))
	}
	if j.target.address != "" && !j.dryRun {
		line(w, "  ledger: %s", j.target)
	}
	if j.target.empty {
		line(w, "  caution: %s is empty: if it was the record of a run, that is lost", j.target)
	}
	if j.file != "" && j.added.Known == 0 && j.plan.Ended+j.plan.SetAside > 0 {
		line(w, "  caution: %s has none of these messages: it belongs to another list; name another ledger to keep them apart", j.target)
	}
	if other := j.target.elsewhere(j.shutdown.ctx, j.ledger); other != "" {
		line(w, "  %s holds some of these messages already; to continue that run: --ledger %s", other, quoted(other))
	}
	if text := j.ledger.Warning(); text != "" {
		line(w, "  %s", text)
	}
}

func (j *job) summary() string {
	if j.plan.Messages == 0 {
		return "nothing is left to send"
	}
	much := fmt.Sprintf("%s on %s of %s", count(j.plan.Messages, "message"), count(len(j.plan.Connections), "connection"), j.sender.service())
	burst := number(j.client.burst)
	took := j.plan.Duration(j.client.rate, j.client.burst)
	switch {
	case j.client.noRateLimit:
		return much + ", without a rate limit"
	case took == 0:
		return much + ", within each connection's burst of " + burst
	}
	return fmt.Sprintf("%s, at least %s at %s a minute on each after a burst of %s", much, duration(max(took, time.Second)), number(j.client.rate), burst)
}

// confirm asks the question, and returns an error unless the reply is yes.
func (j *job) confirm() error {
	if j.yes || j.plan.Messages == 0 {
		return nil
	}
	in, w := j.cmd.InOrStdin(), j.cmd.ErrOrStderr()
	keyboard := terminalOf(in)
	if keyboard == nil || terminalOf(w) == nil {
		return fmt.Errorf("not a terminal: use --yes to unsend %s without confirmation", count(j.plan.Messages, "message"))
	}
	dropTyped(keyboard) // what was typed before the question does not confirm it
	columns, _ := sizeOf(terminalOf(w))
	_, _ = io.WriteString(w, strings.Join(wrap(j.question(), columns-1), "\n")+" ")
	reply := make(chan string, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		if err != nil { // such as the end of the input: the cursor is still behind the question
			_, _ = fmt.Fprintln(w)
		}
		reply <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case <-j.shutdown.gently.Done():
		_, _ = fmt.Fprintln(w)
		return errNothingSent
	case text := <-reply:
		if text == "y" || text == "yes" {
			return nil
		}
		return errors.New("not confirmed by y or yes; nothing was sent")
	}
}

func (j *job) question() string {
	stake := "This cannot be undone."
	if j.client.mock {
		stake = "Nothing real is unsent."
	}
	var names []string
	for _, c := range j.plan.Connections {
		names = append(names, c.ConnectionID)
	}
	return safeText(fmt.Sprintf("Unsend %s on %s of %s? %s [y/N]",
		count(j.plan.Messages, "message"), connectionNames(names), j.sender.service(), stake))
}

func connectionNames(ids []string) string {
	text := strings.Join(ids[:min(len(ids), maxListedConnections)], ", ")
	if more := len(ids) - maxListedConnections; more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}
