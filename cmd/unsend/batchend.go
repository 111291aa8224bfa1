package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

// end prints the table of a run that is over, says how to go on, and returns how it ended.
func (j *job) end(took time.Duration) error {
	w := j.cmd.OutOrStdout()
	if j.json {
		w = j.cmd.ErrOrStderr() // standard output is for machines
	}
	j.printEnd(w, took)
	if o, ok := w.(*output); ok && o.err != nil {
		j.printEnd(j.cmd.ErrOrStderr(), took) // which nothing must be lost of
	}
	return j.verdict()
}

func (j *job) printEnd(w io.Writer, took time.Duration) {
	printTable(w, j.input.Messages, &j.summary, took)
	j.printStopped(w)
	left := resumable(j.input.Messages, &j.summary)
	switch {
	case left == 0:
	case j.journal == nil:
		_, _ = fmt.Fprintf(w, "%s left, and no journal to go on from.\n", words.Count(left, "message"))
	default:
		from := ""
		if j.source.spooled {
			from = ", with the same input"
		}
		_, _ = fmt.Fprintf(w, "To go on with %s%s:\n  %s\n", words.Count(left, "message"), from, resumeCommand(j.args))
	}
}

// maxStopped is how many stopped connections are listed.
const maxStopped = 20

func (j *job) printStopped(w io.Writer) {
	n := 0
	for _, c := range j.progress.Connections() {
		if c.Stopped == nil {
			continue
		}
		if n++; n == 1 {
			_, _ = fmt.Fprintln(w, "Stopped connections:")
		}
		if n <= maxStopped {
			_, _ = fmt.Fprintf(w, "  %s: %s\n", c.ID, strings.TrimPrefix(plain(c.Stopped.Error()), "unsend message: "))
		}
	}
	if n > maxStopped {
		_, _ = fmt.Fprintf(w, "  and %s more\n", words.Number(n-maxStopped))
	}
}

// verdict is the error, and with it the exit code, of a run.
func (j *job) verdict() error {
	reason := j.progress.Err()
	switch {
	case errors.Is(reason, batch.ErrJournal):
		return failed(fmt.Errorf("stopped before the next message: %w", reason))
	case reason != nil && j.unread:
		return failed(errors.New("stopped, since nobody reads the outcomes any more"))
	case reason != nil && j.brake.signaled.Load():
		return &exitError{code: exitInterrupted}
	case reason != nil:
		return failed(reason)
	case j.allRefused():
		return &exitError{code: exitRefused, err: errors.New("the credentials were refused on every connection")}
	case j.summary.Unsent+j.summary.AlreadyGone < j.input.Messages:
		return failed(nil)
	}
	return nil
}

// allRefused says whether every connection on which there was something to send was stopped
// for its credentials.
func (j *job) allRefused() bool {
	stopped := false
	for _, c := range j.progress.Connections() {
		if c.Items == c.Earlier {
			continue
		}
		answer, ok := errors.AsType[*api.Error](c.Stopped)
		if !ok || !refused(answer) {
			return false
		}
		stopped = true
	}
	return stopped
}

// close closes the journal behind a run that ended with err.
func (j *job) close(err error) error {
	closing := j.journal.Close()
	switch {
	case closing == nil:
		return err
	case err == nil:
		return failed(closing)
	}
	_, _ = fmt.Fprintln(j.cmd.ErrOrStderr(), errorLine(j.cmd.CommandPath(), closing))
	return err
}
