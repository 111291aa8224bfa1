package batch

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestGateLetsGoOnWhatHasBegun(t *testing.T) {
	run, end := context.WithCancel(t.Context())
	defer end()
	quit := make(chan struct{})
	g := &gate{Context: run, quit: quit}
	if g.Err() != nil {
		t.Errorf("an open gate says %v", g.Err())
	}
	attempt, cancel := context.WithTimeout(g, time.Hour)
	defer cancel()
	if g.begun != 1 {
		t.Errorf("%d attempts have begun; want 1", g.begun)
	}
	close(quit)
	if <-g.Done(); !errors.Is(g.Err(), context.Canceled) {
		t.Errorf("a closed gate says %v", g.Err())
	}
	late, cancelLate := context.WithTimeout(g, time.Hour)
	defer cancelLate()
	if late.Err() == nil || g.begun != 1 {
		t.Errorf("an attempt behind a closed gate: %v, and %d have begun", late.Err(), g.begun)
	}
	if attempt.Err() != nil {
		t.Errorf("the attempt that had begun ended: %v", attempt.Err())
	}
	end()
	select {
	case <-attempt.Done():
	case <-time.After(10 * time.Second):
		t.Error("the attempt outlives the run")
	}
}

func TestGateTellsHowTheRunEnded(t *testing.T) {
	run, end := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer end()
	quit := make(chan struct{})
	close(quit)
	g := &gate{Context: run, quit: quit}
	if at, ok := g.Deadline(); !ok || !at.Equal(time.Unix(0, 0)) || !errors.Is(g.Err(), context.DeadlineExceeded) {
		t.Errorf("it says %v, %v", g.Err(), at)
	}
}
