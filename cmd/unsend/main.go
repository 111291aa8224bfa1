// Command unsend unsends chat messages through the OFAuth Access API, one or many; runs a mock
// of the service; and checks responses against the contract. See unsend --help.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/textutil"
)

func main() {
	log.SetOutput(io.Discard) // net/http writes there what a server sends behind its response
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command of args, after the program's name, and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// When a reader exits, writes fail with EPIPE, and the program ends in order.
	signal.Ignore(syscall.SIGPIPE)

	out, errOut := &output{w: stdout}, &output{w: stderr}
	call := newInvocation(args)
	root := newRoot(call)
	root.SetArgs(call.args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(context.Background())
	text := errorLine(cmd.CommandPath(), err)
	if lost := unwritten(out); lost != nil && text == "" {
		err = cmp.Or(err, failed(nil))
		if !nobodyReads(lost) { // a reader such as head exits on purpose
			text = errorLine(cmd.CommandPath(), fmt.Errorf("standard output: %w", lost))
		}
	}
	if text != "" {
		line(errOut, "%s", call.withoutSecrets(text))
	}
	return exitCode(err)
}

// Exit codes, as exitHelp lists them.
const (
	exitOK          = 0   // all unsent, or gone already
	exitFailed      = 1   // some not, the output could not be written, or a database not be reached
	exitUsage       = 2   // usage or input; nothing was sent. Go ends a crash with it, too
	exitRefused     = 3   // the account, or every connection, was refused
	exitInterrupted = 130 // by a signal
)

const exitHelp = `Exit codes:
  0    every message is unsent, or was already gone
  1    some are not; the output could not be written, or the database not be reached
  2    usage or input: nothing was sent; also a crash, which prints "goroutine"
  3    the API key, or every connection, was refused
  130  interrupted`

// exitError is an error with an exit code. If err is nil, nothing more is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "failed"
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed makes an error that usage and input did not cause.
func failed(err error) error { return &exitError{code: exitFailed, err: err} }

// exitCode returns that of an [exitError]; any other error is one of usage or input.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	if errors.Is(err, batch.ErrClaimLost) { // the database of the ledger may be back later
		return exitFailed
	}
	return exitUsage
}

// errorLine returns err as one line that names the command, or "" if nothing is to be printed.
func errorLine(command string, err error) string {
	exit, ok := errors.AsType[*exitError](err)
	if err == nil || ok && exit.err == nil {
		return ""
	}
	text := textutil.OneLine(err.Error())
	if strings.HasPrefix(text, command+":") {
		return text
	}
	return command + ": " + text
}
