package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

// printPlan says what is about to be done, and how long it will take.
func (j *job) printPlan(w io.Writer, plan batch.Plan) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%s: %s", j.source.name, j.extent(plan))
	if plan.Ended > 0 {
		line("  %s ended in an earlier run", words.Count(plan.Ended, "message"))
	}
	if j.input.Repeated > 0 {
		line("  %s of a message that is there already", words.Count(j.input.Repeated, "more row"))
	}
	if j.input.Bad > 0 {
		line("  %s left out", words.Count(j.input.Bad, "bad row"))
	}
	if j.shard != "" {
		line("  shard %s: the other connections are left to the others", j.shard)
	}
}

// extent is how much there is to send, and how long that takes.
func (j *job) extent(plan batch.Plan) string {
	if plan.Messages == 0 {
		return "nothing is left to send"
	}
	much := words.Count(plan.Messages, "message") + " on " + words.Count(plan.Connections, "connection")
	burst := words.Number(j.client.burst)
	switch {
	case j.client.noRateLimit:
		return much + ", without a rate limit"
	case plan.Duration == 0:
		return much + ", within the burst of " + burst + " that each has"
	}
	return fmt.Sprintf("%s, at least %s at %s a minute on each after a burst of %s", much, words.Duration(plan.Duration), words.Number(j.client.rate), burst)
}

// confirm asks whether to go on.
func (j *job) confirm(plan batch.Plan) error {
	if j.yes || plan.Messages == 0 {
		return nil
	}
	in, w := j.cmd.InOrStdin(), j.cmd.ErrOrStderr()
	if terminalOf(in) == nil || terminalOf(w) == nil {
		return fmt.Errorf("nobody can be asked whether to take back %s, since this is no terminal; say so with --yes", words.Count(plan.Messages, "message"))
	}
	_, _ = fmt.Fprintf(w, "Take back %s? This cannot be undone. [y/N] ", words.Count(plan.Messages, "message"))
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil { // such as an end, after which no line has begun
			_, _ = fmt.Fprintln(w)
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-j.brake.soft:
		_, _ = fmt.Fprintln(w)
		return errNothingSent
	case text := <-answer:
		if text == "y" || text == "yes" {
			return nil
		}
		return errDeclined
	}
}
