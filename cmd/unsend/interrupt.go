package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// interruptible is ctx, ended by Ctrl-C or SIGTERM. A second signal ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// errInterrupted ends a command that a signal ended, when nothing is left to say.
func errInterrupted(text string) error {
	return &exitError{code: exitInterrupted, err: errors.New(text)}
}
