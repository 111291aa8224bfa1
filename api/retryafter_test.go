package api_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// TestRetryAfter holds the waits to what the answer asks for, in either form.
func TestRetryAfter(t *testing.T) {
	const backoff = 500 * time.Millisecond
	for _, c := range []struct {
		fault mock.Fault // without its status
		wait  time.Duration
		after time.Duration // what the error says where that is not waited for
	}{
		{mock.Fault{RetryAfter: "1"}, time.Second, 0},
		{mock.Fault{RetryAfter: "7"}, 7 * time.Second, 0},
		{mock.Fault{RetryAfter: "60"}, time.Minute, 0},
		{mock.Fault{RetryAfter: " 7 "}, 7 * time.Second, 0},
		{mock.Fault{RetryAfter: "007"}, 7 * time.Second, 0},
		{mock.Fault{RetryDate: 7 * time.Second}, 7 * time.Second, 0},
		{mock.Fault{RetryDate: time.Minute}, time.Minute, 0},
		// Over a minute: left to the caller.
		{mock.Fault{RetryAfter: "61"}, 0, 61 * time.Second},
		{mock.Fault{RetryAfter: "3600"}, 0, time.Hour},
		{mock.Fault{RetryDate: 61 * time.Second}, 0, 61 * time.Second},
		{mock.Fault{RetryDate: 100 * 365 * 24 * time.Hour}, 0, 100 * 365 * 24 * time.Hour},
		{mock.Fault{RetryAfter: "9223372036"}, 0, 9223372036 * time.Second},
		{mock.Fault{RetryAfter: "9223372037"}, 0, math.MaxInt64},
		{mock.Fault{RetryAfter: "99999999999999999999"}, 0, math.MaxInt64},
		{mock.Fault{RetryAfter: strings.Repeat("9", 1000)}, 0, math.MaxInt64},
		// Nothing that says how long: a second where it cannot be read, and else the backoff.
		{mock.Fault{RetryAfter: "0"}, backoff, 0},
		{mock.Fault{RetryAfter: "-1"}, time.Second, 0},
		{mock.Fault{RetryAfter: "1.5"}, 2 * time.Second, 0},
		{mock.Fault{RetryAfter: "5, 7,5"}, 7 * time.Second, 0},
		{mock.Fault{RetryAfter: "2.0"}, 2 * time.Second, 0},
		{mock.Fault{RetryAfter: "1e3"}, time.Second, 0},
		{mock.Fault{RetryAfter: "0x10"}, time.Second, 0},
		{mock.Fault{RetryAfter: "soon"}, time.Second, 0},
		{mock.Fault{RetryAfter: "Mon, 99 Foo 2026 99:99:99 GMT"}, time.Second, 0},
		{mock.Fault{RetryAfter: "2026-01-01T00:00:00Z"}, time.Second, 0},
		{mock.Fault{RetryDate: -time.Hour}, backoff, 0},
		{mock.Fault{RetryDate: -time.Second}, backoff, 0},
	} {
		for _, status := range []int{401, 408, 429, 500, 503} {
			fault := c.fault
			fault.Status = status
			if status == 401 {
				fault.Type = "RULES_OUTDATED"
			}
			t.Run(fmt.Sprintf("%d %s %v", status, fault.RetryAfter, fault.RetryDate), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newMock(mock.WithoutRateLimit())
					server.Next(fault)
					started := time.Now()
					result, err := unsend(t.Context(), t, newClient(t, judgedRequests(t, server.Client().Transport)))
					if took := time.Since(started); took != c.wait {
						t.Errorf("took %v, want %v", took, c.wait)
					}
					if c.after == 0 {
						if err != nil || result.Attempts != 2 {
							t.Errorf("%v, %v", result, err)
						}
						return
					}
					if e := apiError(t, err); e.RetryAfter != c.after || e.StatusCode != status || e.Attempts != 1 {
						t.Errorf("RetryAfter %v of %v after %d attempts", e.RetryAfter, err, e.Attempts)
					}
				})
			})
		}
	}
}

func TestRetryAfterOfTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit())
		server.Next(thrice(mock.Fault{Status: 429, RetryAfter: "5"})...)
		started := time.Now()
		_, err := unsend(t.Context(), t, mockClient(t, server))
		if e := apiError(t, err); e.RetryAfter != 5*time.Second || e.Attempts != 3 || time.Since(started) != 10*time.Second {
			t.Errorf("RetryAfter %v after %d attempts and %v", e.RetryAfter, e.Attempts, time.Since(started))
		}
	})
}

// TestRetryAfterOfWhatIsNotRetried is for the caller to see.
func TestRetryAfterOfWhatIsNotRetried(t *testing.T) {
	for _, status := range []int{403, 501} {
		server := newMock()
		server.Next(mock.Fault{Status: status, RetryAfter: "30"})
		_, err := unsend(t.Context(), t, newClient(t, judgedRequests(t, server.Client().Transport)))
		if e := apiError(t, err); e.RetryAfter != 30*time.Second || e.Attempts != 1 {
			t.Errorf("%d: RetryAfter %v after %d attempts", status, e.RetryAfter, e.Attempts)
		}
	}
}

// TestWaitsEndBeforeTheDeadline: a wait that does not is not begun.
func TestWaitsEndBeforeTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		fault    mock.Fault
		deadline time.Duration
		took     time.Duration
		after    time.Duration // 0: the call succeeds
	}{
		"backoff fits":              {mock.Fault{Status: 503}, 501 * time.Millisecond, 500 * time.Millisecond, 0},
		"backoff ends with it":      {mock.Fault{Status: 503}, 500 * time.Millisecond, 0, 500 * time.Millisecond},
		"backoff is too long":       {mock.Fault{Status: 503}, 400 * time.Millisecond, 0, 500 * time.Millisecond},
		"retry-after fits":          {mock.Fault{Status: 429, RetryAfter: "5"}, 5001 * time.Millisecond, 5 * time.Second, 0},
		"retry-after ends with it":  {mock.Fault{Status: 429, RetryAfter: "5"}, 5 * time.Second, 0, 5 * time.Second},
		"retry-after is too long":   {mock.Fault{Status: 429, RetryAfter: "5"}, 4 * time.Second, 0, 5 * time.Second},
		"a date is too long":        {mock.Fault{Status: 503, RetryDate: 5 * time.Second}, 4 * time.Second, 0, 5 * time.Second},
		"a minute, and no deadline": {mock.Fault{Status: 503, RetryAfter: "60"}, time.Hour, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // what a race of timers decides would show
				synctest.Test(t, func(t *testing.T) {
					server := newMock(mock.WithoutRateLimit())
					server.Next(c.fault)
					ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
					defer cancel()
					started := time.Now()
					_, err := unsend(ctx, t, mockClient(t, server))
					if took := time.Since(started); took != c.took {
						t.Errorf("took %v, want %v", took, c.took)
					}
					if c.after == 0 {
						if err != nil {
							t.Error(err)
						}
						return
					}
					e := apiError(t, err)
					if e.RetryAfter != c.after || e.StatusCode != c.fault.Status || e.Attempts != 1 {
						t.Errorf("RetryAfter %v of %v after %d attempts", e.RetryAfter, err, e.Attempts)
					}
					if errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("the deadline has not passed: %v", err)
					}
				})
			}
		})
	}
}

// TestBackoffIsJittered draws from the client's own chance.
func TestBackoffIsJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit(), mock.WithFaults(1, 1, mock.Fault{Status: 503}))
		client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(server.Client()), api.WithoutRateLimit(), api.WithRetries(1))
		if err != nil {
			t.Fatal(err)
		}
		const calls, ceiling = 400, 500 * time.Millisecond
		shortest, longest, sum := time.Hour, time.Duration(0), time.Duration(0)
		for range calls {
			started := time.Now()
			if _, err := unsend(t.Context(), t, client); !errors.Is(err, api.ErrServer) {
				t.Fatal(err)
			}
			took := time.Since(started)
			shortest, longest, sum = min(shortest, took), max(longest, took), sum+took
		}
		if longest > ceiling || longest < ceiling*9/10 || shortest > ceiling/10 {
			t.Errorf("waits from %v to %v, want nothing to %v", shortest, longest, ceiling)
		}
		if mean := sum / calls; mean < ceiling*4/10 || mean > ceiling*6/10 {
			t.Errorf("a mean wait of %v, want about half of %v", mean, ceiling)
		}
	})
}
