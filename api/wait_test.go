package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// TestRetryAfter waits as long as an answer asks for, on each status that is retried. Over a
// minute is left to the caller, as is what an answer that is not retried says.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		fault    mock.Fault // without its status
		statuses []int
		took     time.Duration
		attempts int
		after    time.Duration // what the error says; 0 where the call succeeds
	}{
		{fault: mock.Fault{RetryAfter: "7"}, statuses: []int{408, 429, 500, 503}, took: 7 * time.Second, attempts: 2},
		{fault: mock.Fault{RetryAfter: "7", Type: "RULES_OUTDATED"}, statuses: []int{401}, took: 7 * time.Second, attempts: 2},
		{fault: mock.Fault{RetryAfter: bubbleDate(time.Minute)}, statuses: []int{429, 503}, took: time.Minute, attempts: 2},
		{fault: mock.Fault{RetryAfter: bubbleDate(-time.Hour)}, statuses: []int{429}, took: 500 * time.Millisecond, attempts: 2},
		{fault: mock.Fault{RetryAfter: "0"}, statuses: []int{429}, took: 500 * time.Millisecond, attempts: 2},
		{fault: mock.Fault{RetryAfter: "soon"}, statuses: []int{429}, took: time.Second, attempts: 2},
		{fault: mock.Fault{RetryAfter: "61"}, statuses: []int{429, 503}, attempts: 1, after: 61 * time.Second},
		{fault: mock.Fault{RetryAfter: bubbleDate(61 * time.Second)}, statuses: []int{503}, attempts: 1, after: 61 * time.Second},
		{fault: mock.Fault{RetryAfter: "30"}, statuses: []int{403, 501}, attempts: 1, after: 30 * time.Second},
	} {
		for _, status := range c.statuses {
			fault := c.fault
			fault.Status = status
			t.Run(fmt.Sprintf("%d %s", status, fault.RetryAfter), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := newMock(mock.WithoutRateLimit())
					server.Next(fault)
					started := time.Now()
					result, err := unsend(t.Context(), t, newClient(t, validatedRequests(t, server.Client().Transport)))
					if took := time.Since(started); took != c.took || len(server.Journal()) != c.attempts {
						t.Errorf("took %v and %d requests, want %v and %d", took, len(server.Journal()), c.took, c.attempts)
					}
					if c.after == 0 {
						if err != nil || result.Attempts != 2 {
							t.Errorf("%v, %v", result, err)
						}
						return
					}
					if e := apiError(t, err); e.RetryAfter != c.after || e.StatusCode != status {
						t.Errorf("RetryAfter %v of %v", e.RetryAfter, err)
					}
				})
			})
		}
	}
}

// bubbleDate is an HTTP date that far from the time at which a synctest bubble begins.
func bubbleDate(d time.Duration) string {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
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
		"a date is too long":        {mock.Fault{Status: 503, RetryAfter: bubbleDate(5 * time.Second)}, 4 * time.Second, 0, 5 * time.Second},
		"a minute, and no deadline": {mock.Fault{Status: 503, RetryAfter: "60"}, time.Hour, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 { // what a race of timers decides would show
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
