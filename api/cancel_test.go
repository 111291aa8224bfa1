package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// cancellation is a call that is cancelled in the middle.
type cancellation struct {
	faults   []mock.Fault
	at       time.Duration // when it is cancelled, which is when it must end
	attempts int
	maybe    bool
	unsent   bool // it succeeds all the same
}

func cancellations() map[string]cancellation {
	slow := func(status int, body string) mock.Fault {
		return mock.Fault{Kind: mock.Slow, Status: status, Delay: time.Second, Body: body}
	}
	return map[string]cancellation{
		"before":                      {nil, 0, 0, false, false},
		"while the answer is awaited": {[]mock.Fault{{Delay: time.Minute}}, 5 * time.Second, 1, true, false},
		"and the message is gone":     {[]mock.Fault{{Delay: time.Minute, Acted: true}}, 5 * time.Second, 1, true, false},
		"in a body, before success":   {[]mock.Fault{slow(200, `{"queue":{"id":1},"success":true}`)}, 5500 * time.Millisecond, 1, true, false},
		"in a body, behind success":   {[]mock.Fault{slow(200, `{"success":true,"queue":{"id":1}}`)}, 20500 * time.Millisecond, 1, true, true},
		"in the body of a 403":        {[]mock.Fault{slow(403, `{"error":"No","type":"FORBIDDEN"}`)}, 5500 * time.Millisecond, 1, false, false},
		"in the body of a 404":        {[]mock.Fault{slow(404, `{"error":"No","type":"ROUTE_NOT_FOUND"}`)}, 5500 * time.Millisecond, 1, false, false},
		"in the body of a 503":        {[]mock.Fault{slow(503, `{"error":"No"}`)}, 5500 * time.Millisecond, 1, true, false},
		"backing off after a 503":     {[]mock.Fault{{Status: 503}}, 250 * time.Millisecond, 1, true, false},
		"backing off after a 429":     {[]mock.Fault{{Status: 429}}, 250 * time.Millisecond, 1, false, false},
		"waiting as a 429 asked":      {[]mock.Fault{{Status: 429, RetryAfter: "30"}}, 15 * time.Second, 1, false, false},
		"in the second attempt":       {[]mock.Fault{{Status: 429}, {Delay: time.Minute}}, 5 * time.Second, 2, true, false},
		"429 behind a lost answer":    {[]mock.Fault{{Kind: mock.Drop}, {Status: 429}}, time.Second, 2, true, false},
	}
}

func TestCancellation(t *testing.T) {
	for name, c := range cancellations() {
		t.Run(name, func(t *testing.T) {
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithCancel(ctx)
				if c.at == 0 {
					cancel()
				}
				timer := time.AfterFunc(c.at, cancel)
				return ctx, func() { timer.Stop(); cancel() }
			})
		})
		t.Run(name+", with a cause", func(t *testing.T) {
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithCancelCause(ctx)
				cause := errors.New("the user went home")
				if c.at == 0 {
					cancel(cause)
				}
				timer := time.AfterFunc(c.at, func() { cancel(cause) })
				return ctx, func() { timer.Stop(); cancel(nil) }
			})
		})
	}
}

func (c cancellation) run(t *testing.T, want error, arm func(context.Context) (context.Context, func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit())
		server.Next(c.faults...)
		client := newClient(t, judgedRequests(t, server.Client().Transport))
		ctx, disarm := arm(t.Context())
		defer disarm()
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
		if !errors.Is(err, want) || e.Attempts != c.attempts || e.MaybeUnsent != c.maybe {
			t.Errorf("%v is %v: %v; %d attempts, MaybeUnsent %v", err, want, errors.Is(err, want), e.Attempts, e.MaybeUnsent)
		}
		if len(server.Journal()) != c.attempts {
			t.Errorf("%d requests, want %d", len(server.Journal()), c.attempts)
		}
		// One who cannot be told what became of the message has not lost it unknowingly.
		if !server.Exists(userID, messageID) && !e.MaybeUnsent {
			t.Error("the message is gone, and the error has no doubt of it")
		}
	})
}

// TestDeadlinePassesInAttempt: where a deadline cannot be seen coming, it is what ends a call.
func TestDeadlinePassesInAttempt(t *testing.T) {
	for name, c := range cancellations() {
		if len(c.faults) == 1 && (c.faults[0].Delay > 0) {
			t.Run(name, func(t *testing.T) {
				c.run(t, context.DeadlineExceeded, func(ctx context.Context) (context.Context, func()) {
					ctx, cancel := context.WithTimeout(ctx, c.at)
					return ctx, cancel
				})
			})
		}
	}
	t.Run("before", func(t *testing.T) {
		client := mockClient(t, newMock())
		ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		_, err := unsend(ctx, t, client)
		if e := apiError(t, err); !errors.Is(err, context.DeadlineExceeded) || e.Attempts != 0 || e.MaybeUnsent {
			t.Errorf("%v: %+v", err, e)
		}
	})
}

// TestCancellationWhileConnecting is net/http's own transport, at a dial that does not end.
func TestCancellationWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := make(chan struct{})
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			select {
			case <-given:
			case <-ctx.Done():
			}
			return nil, errors.New("given up")
		}}
		client := newClient(t, judged(t, transport))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		started := time.Now()
		_, err := unsend(ctx, t, client)
		e := apiError(t, err)
		if !errors.Is(err, context.Canceled) || e.MaybeUnsent || e.Attempts != 1 || time.Since(started) != 5*time.Second {
			t.Errorf("after %v: %v; MaybeUnsent %v, %d attempts", time.Since(started), err, e.MaybeUnsent, e.Attempts)
		}
		close(given)
	})
}

// TestDialTimeoutIsNoDoubt: no connection within the attempt's time, three times.
func TestDialTimeoutIsNoDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := make(chan struct{})
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			select {
			case <-given:
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		}}
		client := newClient(t, judged(t, transport), api.WithTimeout(time.Second))
		_, err := unsend(t.Context(), t, client)
		if e := apiError(t, err); e.MaybeUnsent || e.Attempts != 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v; MaybeUnsent %v, %d attempts", err, e.MaybeUnsent, e.Attempts)
		}
		close(given)
	})
}
