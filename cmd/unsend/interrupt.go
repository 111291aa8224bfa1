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

// interruptible is ctx, ended by Ctrl-C or SIGTERM. A second signal ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// errInterrupted ends a command that a signal ended.
func errInterrupted(text string) error {
	return &exitError{code: exitInterrupted, err: errors.New(text)}
}

// brake is what ends a batch: it is pressed to begin nothing more, and pressed twice to stop
// what is under way too. A third signal ends the program.
type brake struct {
	now      context.Context //nolint:containedctx // that of all that is sent
	soft     chan struct{}
	press    func() // once, as if by a signal
	release  func()
	signaled atomic.Bool
}

// newBrake listens for Ctrl-C and SIGTERM until it is released.
func newBrake(ctx context.Context) *brake {
	b := &brake{soft: make(chan struct{})}
	now, cancel := context.WithCancel(ctx)
	b.now, b.press = now, sync.OnceFunc(func() { close(b.soft) })
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	b.release = sync.OnceFunc(func() {
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
				b.signaled.Store(true)
				b.press()
				continue
			}
			cancel()
			signal.Stop(signals)
			return
		}
	}()
	return b
}

// pressed says whether nothing more is to be begun.
func (b *brake) pressed() bool {
	select {
	case <-b.soft:
		return true
	default:
		return false
	}
}
