package api_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// ending is a call that is ended from outside in the middle.
type ending struct {
	faults   []mock.Fault
	at       time.Duration // when it is ended, which is when it must end
	attempts int
	maybe    bool
	unsent   bool // it succeeds all the same
}

func endings() map[string]ending {
	slow := func(status int, body string) mock.Fault {
		return mock.Fault{Kind: mock.Slow, Status: status, Delay: time.Second, Body: body}
	}
	return map[string]ending{
		"before":                      {},
		"while the answer is awaited": {faults: []mock.Fault{{Delay: time.Minute}}, at: 5 * time.Second, attempts: 1, maybe: true},
		"and the message is gone":     {faults: []mock.Fault{{Delay: time.Minute, Acted: true}}, at: 5 * time.Second, attempts: 1, maybe: true},
		"in a body, before success":   {faults: []mock.Fault{slow(200, `{"queue":{"id":1},"success":true}`)}, at: 5500 * time.Millisecond, attempts: 1, maybe: true},
		"in a body, behind success":   {faults: []mock.Fault{slow(200, `{"success":true,"queue":{"id":1}}`)}, at: 20500 * time.Millisecond, attempts: 1, unsent: true},
		"in the body of a 403":        {faults: []mock.Fault{slow(403, `{"error":"No","type":"FORBIDDEN"}`)}, at: 5500 * time.Millisecond, attempts: 1},
		"in the body of a 503":        {faults: []mock.Fault{slow(503, `{"error":"No"}`)}, at: 5500 * time.Millisecond, attempts: 1, maybe: true},
		"backing off after a 503":     {faults: []mock.Fault{{Status: 503}}, at: 250 * time.Millisecond, attempts: 1, maybe: true},
		"waiting as a 429 asked":      {faults: []mock.Fault{{Status: 429, RetryAfter: "30"}}, at: 15 * time.Second, attempts: 1},
		"in the second attempt":       {faults: []mock.Fault{{Status: 429}, {Delay: time.Minute}}, at: 5 * time.Second, attempts: 2, maybe: true},
		"429 behind a lost answer":    {faults: []mock.Fault{{Kind: mock.Drop}, {Status: 429}}, at: time.Second, attempts: 2, maybe: true},
	}
}

// TestCancellation ends calls by a cancellation, by one with a cause, and by a deadline. One that
// can be foreseen ends a wait before it begins, which TestWaits has.
func TestCancellation(t *testing.T) {
	for name, c := range endings() {
		t.Run(name, func(t *testing.T) {
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) })
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithCancelCause(ctx)
				return ctx, func() { cancel(errors.New("the user went home")) }
			})
			if c.at == 0 || len(c.faults) == 1 && c.faults[0].Delay > 0 {
				c.run(t, context.DeadlineExceeded, func(ctx context.Context) (context.Context, func()) {
					ctx, cancel := context.WithTimeout(ctx, c.at)
					time.AfterFunc(c.at+time.Hour, cancel)
					return ctx, func() {}
				})
			}
		})
	}
}

// run makes the call, with a context of begin's that end ends.
func (c ending) run(t *testing.T, want error, begin func(context.Context) (ctx context.Context, end func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit())
		server.Next(c.faults...)
		client := newClient(t, validatedRequests(t, server.Client().Transport))
		ctx, end := begin(t.Context())
		defer end()
		if c.at == 0 {
			end()
		}
		defer time.AfterFunc(c.at, end).Stop()
		started := time.Now()
		result, err := unsend(ctx, t, client)
		if took := time.Since(started); took != c.at {
			t.Errorf("ended after %v, want %v", took, c.at)
		}
		if c.unsent {
			if err != nil || result.Outcome != api.Unsent {
				t.Errorf("%v, %v", result, err)
			}
			return
		}
		e := apiError(t, err)
		if !errors.Is(err, want) || e.Scope != api.ScopeClient || !e.Retryable() || e.Attempts != c.attempts || e.MaybeUnsent != c.maybe {
			t.Errorf("%v: %+v", err, e)
		}
		if len(server.Journal()) != c.attempts {
			t.Errorf("%d requests, want %d", len(server.Journal()), c.attempts)
		}
		if !server.Exists(userID, messageID) && !e.MaybeUnsent {
			t.Error("the message is gone, and MaybeUnsent is false")
		}
	})
}

// TestStopWith begins no further attempt, and lets what is under way go on.
func TestStopWith(t *testing.T) {
	for name, c := range map[string]struct {
		faults   []mock.Fault
		at       time.Duration
		took     time.Duration
		attempts int
		unsent   bool
		maybe    bool
	}{
		"before":                  {},
		"in an attempt":           {faults: []mock.Fault{{Delay: 5 * time.Second}}, at: time.Second, took: 5 * time.Second, attempts: 1, unsent: true},
		"in an attempt that ends": {faults: []mock.Fault{{Delay: 5 * time.Second, Status: 503}}, at: time.Second, took: 5 * time.Second, attempts: 1, maybe: true},
		"backing off":             {faults: []mock.Fault{{Status: 503}}, at: 250 * time.Millisecond, took: 250 * time.Millisecond, attempts: 1, maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				server.Next(c.faults...)
				stop := make(chan struct{})
				if c.at == 0 {
					close(stop)
				} else {
					time.AfterFunc(c.at, func() { close(stop) })
				}
				started := time.Now()
				_, err := unsend(t.Context(), t, mockClient(t, server), api.WithStop(stop))
				if took := time.Since(started); took != c.took || len(server.Journal()) != c.attempts {
					t.Errorf("took %v and %d requests, want %v and %d", took, len(server.Journal()), c.took, c.attempts)
				}
				if c.unsent {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if e := apiError(t, err); !errors.Is(err, api.ErrStopped) || e.Scope != api.ScopeClient || e.MaybeUnsent != c.maybe || e.Attempts != c.attempts {
					t.Errorf("%v: %+v", err, e)
				}
			})
		})
	}
}
