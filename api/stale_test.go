package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// staleConn is a connection that can turn out to be closed when the next request is written,
// and not before: net/http's reading has not noticed.
type staleConn struct {
	net.Conn
	stale *atomic.Bool
}

func (c staleConn) Write(p []byte) (int, error) {
	if c.stale.Load() {
		_ = c.Close()
		return 0, &net.OpError{Op: "write", Err: syscall.EPIPE}
	}
	return c.Conn.Write(p)
}

// staleDialer numbers its connections, and can make them stale.
type staleDialer struct {
	mu     sync.Mutex
	conns  []*atomic.Bool
	refuse bool // further connections
}

func (d *staleDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	d.conns = append(d.conns, new(atomic.Bool))
	return staleConn{conn, d.conns[len(d.conns)-1]}, err
}

func (d *staleDialer) makeStale() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, stale := range d.conns {
		stale.Store(true)
	}
}

// TestStaleConnections: a kept connection on which nothing could be written is no attempt. The
// request goes out at once on another, whatever Retries says, without a token; once.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kept    int  // connections, all of which are stale in the call
		refuse  bool // no other connection is to be had
		lost    bool // the answer of the call is
		retries int

		attempts  int
		unsent    bool
		maybe     bool
		requests  int64
		retryable bool
	}{
		"one":                      {kept: 1, attempts: 1, unsent: true, requests: 1},
		"one, then refused":        {kept: 1, refuse: true, attempts: 1, retryable: true},
		"one, then lost":           {kept: 1, lost: true, attempts: 1, maybe: true, requests: 1, retryable: true},
		"two":                      {kept: 2, attempts: 1, retryable: true},
		"two, with a retry":        {kept: 2, retries: 1, attempts: 2, unsent: true, requests: 1},
		"one, refused and retried": {kept: 1, refuse: true, retries: 2, attempts: 3, retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			together := make(chan struct{})
			var waiting atomic.Int64
			var lost atomic.Bool
			server := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				for in := bufio.NewReader(conn); s.readRequest(in); {
					if waiting.Add(1) == int64(c.kept) {
						close(together)
					}
					<-together
					if lost.Load() {
						return
					}
					_, _ = io.WriteString(conn, goodAnswer)
				}
			})
			dialer := &staleDialer{}
			transport := &http.Transport{DialContext: dialer.dial, MaxIdleConnsPerHost: 2}
			t.Cleanup(transport.CloseIdleConnections)
			// A token for each request that arrives, and one for each that is refused; no more.
			client := newClient(t, transport, api.WithBaseURL("http://"+server.address), api.WithRateLimit(1, c.kept+c.attempts), api.WithTimeout(10*time.Second))
			client.SetJitter(func(time.Duration) time.Duration { return 0 })
			var calls sync.WaitGroup
			for range c.kept {
				calls.Go(func() {
					if _, err := client.Unsend(t.Context(), userID, messageID); err != nil {
						t.Error(err)
					}
				})
			}
			calls.Wait()
			dialer.makeStale()
			dialer.refuse = c.refuse
			lost.Store(c.lost)
			server.requests.Store(0)

			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			result, err := unsend(ctx, t, client, api.WithRetries(c.retries))
			if n := server.requests.Load(); n != c.requests {
				t.Errorf("%d requests arrived, want %d", n, c.requests)
			}
			if c.unsent {
				if err != nil || result.Attempts != c.attempts {
					t.Errorf("%+v, %v", result, err)
				}
			} else if e := apiError(t, err); e.MaybeUnsent != c.maybe || e.Attempts != c.attempts || e.Retryable() != c.retryable || errors.Is(err, api.ErrRateLimited) {
				t.Errorf("%v: MaybeUnsent %v, %d attempts", err, e.MaybeUnsent, e.Attempts)
			}
			if client.Delay(connection) == 0 {
				t.Error("tokens are left: an attempt took none")
			}
		})
	}
}
