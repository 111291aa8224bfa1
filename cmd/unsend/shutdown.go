package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// errInterrupted ends a command that a signal ended.
func errInterrupted(text string) error {
	return &exitError{code: exitInterrupted, err: errors.New(text)}
}

var errNothingSent = errInterrupted("interrupted; nothing was sent")

// interruptible is ctx, ended by Ctrl-C or SIGTERM. A second signal ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// shutdown is how a batch ends before its time. The first Ctrl-C or SIGTERM closes gently,
// after which nothing more is sent; the second ends ctx, which stops what is under way too; a
// third ends the program.
type shutdown struct {
	ctx      context.Context //nolint:containedctx // that of all that is sent
	gently   chan struct{}
	signaled atomic.Bool
	begin    func() // closes gently, once, as if by a signal
	release  func()
}

// newShutdown listens for signals until it is released.
func newShutdown(ctx context.Context) *shutdown {
	s := &shutdown{gently: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	s.ctx, s.begin = ctx, sync.OnceFunc(func() { close(s.gently) })
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	s.release = sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		cancel()
	})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if n == 1 {
				s.signaled.Store(true)
				s.begin()
				continue
			}
			cancel()
			signal.Stop(signals)
			return
		}
	}()
	return s
}

// begun reports whether nothing more is to be sent.
func (s *shutdown) begun() bool {
	select {
	case <-s.gently:
		return true
	default:
		return false
	}
}
