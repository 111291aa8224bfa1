package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

func errInterrupted(text string) error {
	return &exitError{code: exitInterrupted, err: errors.New(text)}
}

var errNothingSent = errInterrupted("interrupted; nothing was sent")

// interruptible returns ctx, canceled by Ctrl-C or SIGTERM. A second signal ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// shutdown ends a batch early. The first Ctrl-C, SIGTERM or SIGHUP cancels gently, after which no
// request begins; the second cancels ctx, which ends the requests in flight and all waiting for
// readers; a third ends the program.
type shutdown struct {
	ctx      context.Context //nolint:containedctx // of all requests
	gently   context.Context //nolint:containedctx // canceled before ctx
	begin    func()          // cancels gently, as a signal does
	release  func()
	signaled atomic.Bool
}

func newShutdown(ctx context.Context) *shutdown {
	ctx, atOnce := context.WithCancel(ctx)
	gently, begin := context.WithCancel(ctx)
	s := &shutdown{ctx: ctx, gently: gently, begin: begin, release: atOnce}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		defer signal.Stop(signals)
		for _, end := range []func(){begin, atOnce} {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				s.signaled.Store(true)
				end()
			}
		}
	}()
	return s
}

func (s *shutdown) begun() bool { return s.gently.Err() != nil }
