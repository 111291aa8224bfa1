package main

import "errors"

// Exit codes, as the help of the command lists them.
const (
	exitOK          = 0   // all unsent, or gone already
	exitFailed      = 1   // some not
	exitUsage       = 2   // usage or input; nothing was sent
	exitRefused     = 3   // credentials refused
	exitInterrupted = 130 // by a signal
)

const exitHelp = `Exit codes:
  0    every message is unsent, or was gone already
  1    some are not
  2    usage or input: nothing was sent
  3    credentials refused
  130  interrupted`

// exitError is an error with the exit code that it asks for. Where err is nil, all has been
// said already.
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

// exitCode is that of an [exitError]; any other error is one of usage or input.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	return exitUsage
}

// failed is an error that is not the user's.
func failed(err error) error { return &exitError{code: exitFailed, err: err} }
