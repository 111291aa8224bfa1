package batch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// slowMock answers after ten seconds.
func slowMock() *mock.Server {
	return newMock(2, mock.WithFaults(1, 1, mock.Fault{Delay: 10 * time.Second}))
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := slowMock()
		stop := make(chan struct{})
		time.AfterFunc(15*time.Second, func() { close(stop) })
		start := time.Now()
		var progress batch.Progress
		results, early := collectEarly(t.Context(), t, newClient(t, server), slices.Concat(messages(0, 100), messages(1, 100)), batch.Options{InFlight: 8, Stop: stop, Progress: &progress})
		// One on each connection until 10 s, then eight until 20 s.
		wantTally(t, results, "18 unsent")
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v; want 20 s", took)
		}
		if n := len(server.Journal()); n != 18 {
			t.Errorf("%d requests; want 18", n)
		}
		if !errors.Is(early, batch.ErrStopped) {
			t.Errorf("the run ended with %v; want batch.ErrStopped", early)
		}
		if c := progress.Counts(); c.Items != 200 || c.Ended() != 18 || c.InFlight != 0 {
			t.Errorf("progress is %+v", c)
		}
	})
}

func TestContextStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := slowMock()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		start := time.Now()
		results, early := collectEarly(ctx, t, newClient(t, server), slices.Concat(messages(0, 100), messages(1, 100)), batch.Options{InFlight: 8})
		wantTally(t, results, "2 unsent, 16 failed")
		for _, r := range results {
			if r.Outcome == batch.Failed && (!errors.Is(r.Err, context.DeadlineExceeded) || !r.MaybeUnsent || r.Final) {
				t.Errorf("got %+v: %v", r, r.Err)
			}
		}
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("it took %v; want 15 s", took)
		}
		if !errors.Is(early, context.DeadlineExceeded) {
			t.Errorf("the run ended with %v; want the context's error", early)
		}
	})
}

// Twice Ctrl-C: the stop first, then the context.
func TestContextEndsAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stop := make(chan struct{})
		time.AfterFunc(11*time.Second, func() { close(stop) })
		time.AfterFunc(12*time.Second, cancel)
		start := time.Now()
		results, early := collectEarly(ctx, t, newClient(t, slowMock()), messages(0, 100), batch.Options{Stop: stop})
		if !errors.Is(early, batch.ErrStopped) {
			t.Errorf("the run ended with %v; want the first reason, batch.ErrStopped", early)
		}
		wantTally(t, results, "1 unsent, 4 failed")
		if took := time.Since(start); took != 12*time.Second {
			t.Errorf("it took %v; want 12 s", took)
		}
	})
}

func TestLeavingTheLoopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := slowMock()
		start := time.Now()
		var progress batch.Progress
		for r, err := range batch.Run(t.Context(), newClient(t, server), newLedger(t, messages(0, 100)), batch.Options{Progress: &progress}) {
			if err != nil {
				t.Errorf("a loop that was left yields %v", err)
			}
			if r.Outcome != batch.Unsent {
				t.Errorf("got %+v", r)
			}
			synctest.Wait() // four more are under way
			break
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v; want 20 s", took)
		}
		if n := server.Counts().Unsent; n != progress.Counts().Unsent || n != 5 {
			t.Errorf("%d unsent, and %d told; want all that were under way", n, progress.Counts().Unsent)
		}
	})
}

// A loop whose body panics leaves nothing behind, and does not wait.
func TestPanicInTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		func() {
			defer func() {
				if recover() != "mine" {
					t.Error("the panic is lost")
				}
			}()
			for range eachResult(t, batch.Run(t.Context(), newClient(t, slowMock()), newLedger(t, messages(0, 100)), batch.Options{})) {
				panic("mine")
			}
		}()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v; want no more than the first answer", took)
		}
	})
}

// A run that was stopped with nothing left to do came to its end.
func TestStopAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		close(stop)
		for r, err := range batch.Run(t.Context(), newClient(t, newMock(1)), newLedger(t, []batch.Item(nil)), batch.Options{Stop: stop}) {
			t.Errorf("a run of nothing yields %+v, %v", r, err)
		}
	})
}

// A stop does not wait for those that wait for their turn.
func TestStopDoesNotWaitForTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithRateLimit(1, 3))
		stop := make(chan struct{})
		start := time.Now()
		var results []batch.Result
		for r, err := range batch.Run(t.Context(), newClient(t, server, api.WithRateLimit(1, 3)), newLedger(t, messages(0, 50)), batch.Options{Stop: stop}) {
			if err != nil {
				break
			}
			if results = append(results, r); len(results) == 3 {
				synctest.Wait() // the fourth would have its turn in a minute
				close(stop)
			}
		}
		wantTally(t, results, "3 unsent")
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// Nor for those that wait to try again, whose last answer is told.
func TestStopDoesNotWaitForRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		server.Next(mock.Fault{Status: 503, RetryAfter: "50"}, mock.Fault{Status: 503})
		stop := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(stop) })
		start := time.Now()
		results, _ := collectEarly(t.Context(), t, newClient(t, server), messages(0, 50), batch.Options{Stop: stop})
		wantTally(t, results, "1 failed")
		if took := time.Since(start); took != 10*time.Second || len(results) == 1 && !errors.Is(results[0].Err, api.ErrServer) {
			t.Errorf("it took %v: %v", took, results[0].Err)
		}
	})
}

// Nor does a connection that was stopped: calls that wait for their turn on it are skipped.
func TestStoppedConnectionDoesNotWaitForTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1, mock.WithRateLimit(1, 3))
		server.Next(mock.Fault{}, mock.Fault{Delay: time.Second}, mock.Fault{Status: 401, Type: "SESSION_EXPIRED", Delay: time.Second})
		start := time.Now()
		results := collect(t.Context(), t, newClient(t, server, api.WithRateLimit(1, 3)), messages(0, 50), batch.Options{InFlight: 5})
		wantTally(t, results, "2 unsent, 1 failed, 47 skipped")
		if took := time.Since(start); took != time.Second || len(server.Journal()) != 3 {
			t.Errorf("it took %v, and %d requests", took, len(server.Journal()))
		}
	})
}
