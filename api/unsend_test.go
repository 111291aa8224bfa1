package api_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
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

// FuzzUnsend makes a call whose response has any body and status: it returns, reports unsent only if
// status and success do, and its error has what every error has.
func FuzzUnsend(f *testing.F) {
	for i, body := range odd() {
		f.Add([]byte(body), 200, i)
	}
	f.Add([]byte(`{"error":"No","type":"RESOURCE_NOT_FOUND"}`), 404, 1000)
	f.Add([]byte("<html>"), 502, 3)
	for i, body := range []string{
		`{"error":"No","type":"X","requestId":"r","actionRequired":"a"}`, `{"message":"No","code":1,"details":{}}`, `{"error":{"a":[1]}}`,
		"\xff", `{"error":"\ud800"}`, strings.Repeat("[", 11_000), `{"error":"` + plantedKey + `"}`, `{"type":"RESOURCE_NOT_FOUND"}`,
		// Lines, escapes of a terminal, and what turns text around.
		`{"error":"a\r\nb\u0085c\u2028d\u2029e\u000bf\u000cg","type":"A\nB","requestId":"r\n1"}`, `{"error":"\n\n\n"}`,
		`{"error":"\u001b[2J\u001b]0;title\u0007","type":"\u001b[31m","requestId":"\u009b0m"}`, "req_\u202e\x9b\xff",
		`{"error":"\u202egnihton\u2066\u2069","type":"\u200fX"}`, `{"error":"a\u0000b","requestId":"\u0000"}`,
	} {
		f.Add([]byte(body), 400+i, -1)
	}
	f.Fuzz(func(t *testing.T, body []byte, status, cut int) {
		if status < 100 || status > 999 {
			t.Skip("net/http takes three digits only")
		}
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			resp := newResponse(req, status, http.Header{"Retry-After": {"100"}, "X-Request-Id": {string(body)}}, bytes.NewReader(body))
			if cut >= 0 && cut < len(body) {
				resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF)))
			}
			return resp, nil
		}), api.WithoutRateLimit(), api.WithRetries(0))
		result, err := unsend(t.Context(), t, client)
		read := body
		if cut >= 0 && cut < len(body) {
			read = body[:cut]
		}
		success, ok := api.ReadSuccess(read)
		if unsent := status/100 == 2 && ok && success; unsent != (err == nil) {
			t.Fatalf("%d %q: %v, %v", status, read, result, err)
		}
		if err == nil {
			return
		}
		if e := apiError(t, err); e.StatusCode != status || e.Message == "" || len(e.Body()) > 64<<10 || e.Attempts != 1 {
			t.Fatalf("%d %q: %+v", status, read, e)
		}
	})
}
