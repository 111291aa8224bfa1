package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// burst makes n calls at once, on messages of their own, and returns when each request was
// sent, counted from now.
func burst(t *testing.T, server *mock.Server, client *api.Client, n int) []time.Duration {
	t.Helper()
	started, before := time.Now(), len(server.Journal())
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			if _, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(before, "_", i)); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	var sent []time.Duration
	for _, entry := range server.Journal()[before:] {
		sent = append(sent, entry.Time.Sub(started))
	}
	return sent
}

// TestSecondProcessIsNoticed has two clients that know nothing of each other on a connection.
func TestSecondProcessIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		first, second := mockClient(t, server), mockClient(t, server)
		burst(t, server, first, 80)
		if sent := burst(t, server, second, 1); sent[0] != 0 {
			t.Errorf("the second process waited %v", sent[0])
		}
		// It has learned that 9 are left.
		atOnce := 0
		for _, at := range burst(t, server, second, 20) {
			if at == 0 {
				atOnce++
			}
		}
		if atOnce != 9 || server.Counts().Limited != 0 {
			t.Errorf("%d requests at once, want 9; %d were refused", atOnce, server.Counts().Limited)
		}
	})
}

// TestPacingRefusesWhatCannotFit: at once, as rate limited, with nothing sent.
func TestPacingRefusesWhatCannotFit(t *testing.T) {
	for _, deadline := range []time.Duration{time.Millisecond, 999 * time.Millisecond, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			server := newMock()
			client := mockClient(t, server)
			burst(t, server, client, 90)
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			started := time.Now()
			_, err := unsendMessage(ctx, t, client, userID, "7")
			e := apiError(t, err)
			if !errors.Is(err, api.ErrRateLimited) || e.StatusCode != 0 || e.Attempts != 0 || e.MaybeUnsent || e.RetryAfter != time.Second {
				t.Errorf("%v: %+v", err, e)
			}
			if time.Since(started) != 0 || errors.Is(err, context.DeadlineExceeded) || len(server.Journal()) != 90 {
				t.Errorf("after %v, with %d requests: %v", time.Since(started), len(server.Journal()), err)
			}
			// It has given its token back.
			if sent := burst(t, server, client, 1); sent[0] != time.Second {
				t.Errorf("the next call waited %v, want 1s", sent[0])
			}
		})
	}
}

// TestRetryIsRefusedBeforeItWaits: its token cannot come in time (X9).
func TestRetryIsRefusedBeforeItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit())
		client := mockClient(t, server, api.WithRateLimit(1, 1))
		server.Next(mock.Fault{Status: 503})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		started := time.Now()
		_, err := unsend(ctx, t, client)
		e := apiError(t, err)
		if got := matches(err); !slices.Equal(got, []string{"ErrRateLimited"}) || e.StatusCode != 0 || !e.MaybeUnsent || e.Attempts != 1 {
			t.Errorf("%v is %v: %#v", err, got, e)
		}
		if e.RetryAfter != time.Minute || time.Since(started) != 0 || !strings.Contains(e.Message, "the attempt before: 503: Network error") {
			t.Errorf("after %v: %v, RetryAfter %v; want 1m0s, at once", time.Since(started), err, e.RetryAfter)
		}
	})
}

// TestRetriesTakeTokens: 30 calls of three attempts are a burst of 90.
func TestRetriesTakeTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(mock.WithoutRateLimit(), mock.WithFaults(1, 1, mock.Fault{Status: 500}))
		client := mockClient(t, server)
		client.SetJitter(func(time.Duration) time.Duration { return 0 })
		for range 31 {
			_, _ = unsend(t.Context(), t, client)
		}
		entries := server.Journal()
		for i, want := range map[int]time.Duration{89: 0, 90: time.Second, 91: 2 * time.Second, 92: 3 * time.Second} {
			if at := entries[i].Time.Sub(entries[0].Time); at != want {
				t.Errorf("request %d left after %v, want %v", i+1, at, want)
			}
		}
	})
}
