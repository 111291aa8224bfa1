package api_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// ending is a call that its caller ends, or stops, in the middle.
type ending struct {
	faults   []mock.Fault
	at       time.Duration // when the caller ends it
	took     time.Duration // when it returns, if later
	attempts int
	maybe    bool
	unsent   bool // it succeeds all the same
	rate     int  // of the connection a minute, with a burst of 1; 0 for the default
}

// TestCancellation ends calls by a cancellation, by one with a cause, and by a deadline. One that
// can be foreseen ends a wait before it begins, which TestWaits has.
func TestCancellation(t *testing.T) {
	const body = 5500 * time.Millisecond // until some of a slow body was read
	slow := func(status int, body string) []mock.Fault {
		return []mock.Fault{{Kind: mock.Slow, Status: status, Delay: time.Second, Body: body}}
	}
	for name, c := range map[string]ending{
		"before":                 {},
		"before the response":    {faults: []mock.Fault{{Delay: time.Minute}}, at: 5 * time.Second, attempts: 1, maybe: true},
		"the message is gone":    {faults: []mock.Fault{{Delay: time.Minute, Acted: true}}, at: 5 * time.Second, attempts: 1, maybe: true},
		"before success":         {faults: slow(200, `{"queue":{"id":1},"success":true}`), at: body, attempts: 1, maybe: true},
		"after success":          {faults: slow(200, `{"success":true,"queue":{"id":1}}`), at: 20 * time.Second, attempts: 1, unsent: true},
		"in the body of a 403":   {faults: slow(403, `{"error":"No","type":"FORBIDDEN"}`), at: body, attempts: 1},
		"in the body of a 503":   {faults: slow(503, `{"error":"No"}`), at: body, attempts: 1, maybe: true},
		"backing off from a 503": {faults: []mock.Fault{{Status: 503}}, at: 250 * time.Millisecond, attempts: 1, maybe: true},
		"in a 429's Retry-After": {faults: []mock.Fault{{Status: 429, RetryAfter: "30"}}, at: 15 * time.Second, attempts: 1},
		"in the second attempt":  {faults: []mock.Fault{{Status: 429}, {Delay: time.Minute}}, at: 5 * time.Second, attempts: 2, maybe: true},
		"429 after a lost one":   {faults: []mock.Fault{{Kind: mock.Drop}, {Status: 429}}, at: time.Second, attempts: 2, maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func(), []api.CallOption) {
				ctx, cancel := context.WithCancel(ctx)
				return ctx, cancel, nil
			})
			c.run(t, context.Canceled, func(ctx context.Context) (context.Context, func(), []api.CallOption) {
				ctx, cancel := context.WithCancelCause(ctx)
				return ctx, func() { cancel(errors.New("the user went home")) }, nil
			})
			if c.at == 0 || len(c.faults) == 1 && c.faults[0].Delay > 0 {
				c.run(t, context.DeadlineExceeded, func(ctx context.Context) (context.Context, func(), []api.CallOption) {
					ctx, cancel := context.WithTimeout(ctx, c.at)
					time.AfterFunc(c.at+time.Hour, cancel)
					return ctx, func() {}, nil
				})
			}
		})
	}
}

// TestResponsesAsTheCallEnds: a final one that is whole is not forgotten, a transient one is.
func TestResponsesAsTheCallEnds(t *testing.T) {
	for status, final := range map[int]bool{403: true, 503: false} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := unsend(ctx, t, newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			cancel()
			return newResponse(req, status, nil, strings.NewReader(`{"error":"No","type":"FORBIDDEN"}`)), nil
		})))
		if errors.Is(err, context.Canceled) == final {
			t.Errorf("a %d is %v; final: %v", status, err, final)
		}
	}
}

// TestWithStop: a call that is stopped begins no further attempt, and completes the one in flight.
func TestWithStop(t *testing.T) {
	const late = 5 * time.Second
	for name, c := range map[string]ending{
		"before":                   {},
		"in an attempt":            {faults: []mock.Fault{{Delay: late}}, at: time.Second, took: late, attempts: 1, unsent: true},
		"in an attempt that fails": {faults: []mock.Fault{{Delay: late, Status: 503}}, at: time.Second, took: late, attempts: 1, maybe: true},
		"backing off":              {faults: []mock.Fault{{Status: 503}}, at: 250 * time.Millisecond, attempts: 1, maybe: true},
		"waiting for the rate":     {faults: []mock.Fault{{Status: 503}}, at: time.Second, rate: 30, attempts: 1, maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.run(t, api.ErrStopped, func(ctx context.Context) (context.Context, func(), []api.CallOption) {
				stop := make(chan struct{})
				return ctx, sync.OnceFunc(func() { close(stop) }), []api.CallOption{api.WithStop(stop)}
			})
		})
	}
}

// run makes the call, which the end that begin returns ends.
func (c ending) run(t *testing.T, want error, begin func(context.Context) (_ context.Context, end func(), _ []api.CallOption)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit())
		server.Next(c.faults...)
		client := newClient(t, validatedRequests(t, server.Client().Transport), api.WithRateLimit(cmp.Or(c.rate, 6000), 1))
		ctx, end, opts := begin(t.Context())
		defer end()
		if c.at == 0 {
			end()
		}
		defer time.AfterFunc(c.at, end).Stop()
		started := time.Now()
		result, err := unsend(ctx, t, client, opts...)
		if took := time.Since(started); took != max(c.at, c.took) {
			t.Errorf("ended after %v, want %v", took, max(c.at, c.took))
		}
		if n := len(server.Journal()); n != c.attempts {
			t.Errorf("%d requests, want %d", n, c.attempts)
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
		if c.attempts > 0 && len(c.faults) == 1 && e.StatusCode != c.faults[0].Status && c.faults[0].Delay == 0 {
			t.Errorf("status %d, want that of the last response", e.StatusCode)
		}
		if !server.Exists(userID, messageID) && !e.MaybeUnsent {
			t.Error("the message is gone, and MaybeUnsent is false")
		}
	})
}

// TestSecondProcessIsNoticed has two clients of one connection, each with a bucket of its own.
func TestSecondProcessIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		first, second := mockClient(t, server), mockClient(t, server)
		started := time.Now()
		for n, client := range append(slices.Repeat([]*api.Client{first}, 80), slices.Repeat([]*api.Client{second}, 12)...) {
			if _, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(started); took != time.Duration(max(0, n-89))*time.Second {
				t.Errorf("request %d of the connection was sent after %v", n+1, took)
			}
		}
		if n := server.Counts().Limited; n != 0 {
			t.Errorf("%d requests were refused", n)
		}
	})
}

// TestWaitsThatCannotEndInTime are refused before they begin, as rate limited: a call's first, and a
// retry's, which takes a token as well (X9).
func TestWaitsThatCannotEndInTime(t *testing.T) {
	for name, c := range map[string]struct {
		fault    []mock.Fault
		attempts int
		text     string
	}{
		"first": {nil, 0, "rate limit"},
		"retry": {[]mock.Fault{{Status: 503}}, 1, "the attempt before: 503: Network error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				client := mockClient(t, server, api.WithRateLimit(1, 1))
				if c.fault == nil {
					_, _ = unsendMessage(t.Context(), t, client, userID, "7")
				}
				server.Next(c.fault...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				started, before := time.Now(), len(server.Journal())
				_, err := unsend(ctx, t, client)
				e := apiError(t, err)
				if got := matches(err); !slices.Equal(got, []string{"ErrRateLimited"}) || e.StatusCode != 0 || e.RetryAfter != time.Minute {
					t.Errorf("%v is %v: %#v", err, got, e)
				}
				if e.Scope != api.ScopeService {
					t.Errorf("the scope is %v, want service", e.Scope)
				}
				if n := len(server.Journal()) - before; n != c.attempts || e.Attempts != n || e.MaybeUnsent != (n > 0) {
					t.Errorf("%d requests, %d attempts, MaybeUnsent %v", n, e.Attempts, e.MaybeUnsent)
				}
				if took := time.Since(started); took != 0 || !strings.Contains(e.Message, c.text) {
					t.Errorf("after %v: %v; want it at once, with %q", took, err, c.text)
				}
			})
		})
	}
}
