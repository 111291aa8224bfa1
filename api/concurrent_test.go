package api_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// TestThousandGoroutines share a client, on ten connections, with faults: each message is
// taken away once, and no call is told what another's answer said.
func TestThousandGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connections []mock.Connection
		for i := range 10 {
			connections = append(connections, mock.Connection{ID: fmt.Sprint("conn_", i)})
		}
		server := newMock(mock.WithConnections(connections...), mock.WithJournal(-1),
			mock.WithFaults(7, 0.3, mock.Fault{Status: 503}, mock.Fault{Status: 502, Acted: true}, mock.Fault{Kind: mock.Drop}, mock.Fault{Kind: mock.TruncatedLate}, mock.Fault{Status: 429, RetryAfter: "1"}))
		client := newClient(t, judgedRequests(t, server.Client().Transport), api.WithRetries(10))
		var done sync.WaitGroup
		var outcomes [3]atomic.Int64
		for i := range 1000 {
			done.Go(func() {
				id := fmt.Sprint(6_000_000_000_000 + i)
				result, err := unsendMessage(t.Context(), t, client, userID, id, api.OnConnection(connections[i%10].ID))
				if err != nil {
					t.Error(err)
					return
				}
				outcomes[result.Outcome].Add(1)
				if server.Exists(userID, id) || server.UnsentCount(userID, id) != 1 {
					t.Errorf("%s is %v, and was taken away %d times", id, result.Outcome, server.UnsentCount(userID, id))
				}
				queue, err := result.Queue()
				if result.Outcome == api.Unsent && (queue == nil || fmt.Sprint(queue.ID) != id) && err == nil {
					t.Errorf("%s was answered with the snapshot of another: %v", id, queue)
				}
			})
		}
		done.Wait()
		if outcomes[api.Unsent].Load() < 800 || outcomes[api.AlreadyGone].Load() < 20 || server.Counts().Unsent != 1000 {
			t.Errorf("%d unsent, %d already gone; the mock took %d away", outcomes[api.Unsent].Load(), outcomes[api.AlreadyGone].Load(), server.Counts().Unsent)
		}
	})
}

// TestThousandGoroutinesOnSockets does it over loopback, on real time.
func TestThousandGoroutinesOnSockets(t *testing.T) {
	server := newMock(mock.WithoutRateLimit())
	base, transport := onSocket(t, "HTTP/1.1", server)
	transport.MaxIdleConnsPerHost = 100
	transport.MaxConnsPerHost = 100
	client := newClient(t, judged(t, transport), api.WithBaseURL(base), api.WithoutRateLimit())
	var done sync.WaitGroup
	for i := range 1000 {
		done.Go(func() {
			result, err := unsendMessage(t.Context(), t, client, userID, fmt.Sprint(i))
			if err != nil || result.Outcome != api.Unsent {
				t.Errorf("%v, %v", result, err)
			}
		})
	}
	done.Wait()
	if n := server.Counts().Unsent; n != 1000 {
		t.Errorf("%d messages are gone", n)
	}
}

// TestSameMessageFromManyGoroutines: one takes it away, and the others are told so.
func TestSameMessageFromManyGoroutines(t *testing.T) {
	server := newMock(mock.WithoutRateLimit())
	client := mockClient(t, server, api.WithoutRateLimit())
	var done sync.WaitGroup
	var took, refused atomic.Int64
	for range 100 {
		done.Go(func() {
			result, err := unsend(t.Context(), t, client)
			switch {
			case err == nil && result.Outcome == api.Unsent:
				took.Add(1)
			case errors.Is(err, api.ErrNotFound) && !apiError(t, err).MaybeUnsent:
				refused.Add(1)
			default:
				t.Errorf("%v, %v", result, err)
			}
		})
	}
	done.Wait()
	if took.Load() != 1 || refused.Load() != 99 {
		t.Errorf("%d took it away, %d were refused", took.Load(), refused.Load())
	}
}
