package api_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// onSocket serves a handler over a protocol, and returns a client's options to reach it there.
func onSocket(t *testing.T, protocol string, handler http.Handler) (base string, transport *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.Protocols = new(http.Protocols)
	transport = &http.Transport{Protocols: new(http.Protocols)}
	switch protocol {
	case "HTTP/1.1":
		server.Config.Protocols.SetHTTP1(true)
		transport.Protocols.SetHTTP1(true)
		server.Start()
	case "HTTP/2":
		server.EnableHTTP2 = true
		server.Config.Protocols.SetHTTP2(true)
		transport.Protocols.SetHTTP2(true)
		server.StartTLS()
		transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs} //nolint:errcheck // httptest's is one
	case "HTTP/2 without TLS":
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		transport.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
	}
	t.Cleanup(server.Close)
	t.Cleanup(transport.CloseIdleConnections)
	return server.URL, transport
}

// TestLostAnswersOverProtocols: on a fresh connection and on one that is kept, the message may be
// gone once an answer is lost, and a 404 after it says that it is.
func TestLostAnswersOverProtocols(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2", "HTTP/2 without TLS"} {
		for fault, f := range map[string]mock.Fault{"dropped": {Kind: mock.Drop}, "cut before success": {Kind: mock.Truncated}} {
			t.Run(protocol+", "+fault, func(t *testing.T) {
				server := newMock()
				base, transport := onSocket(t, protocol, server)
				client := newClient(t, validatedRequests(t, transport), api.WithBaseURL(base))
				client.SetJitter(func(time.Duration) time.Duration { return 0 })
				server.Next(acted(f))
				result, err := unsend(t.Context(), t, client)
				if err != nil || result.Outcome != api.AlreadyGone || result.Attempts != 2 {
					t.Errorf("once: %v, %v", result, err)
				}
				server.Next(acted(f), f, f)
				_, err = unsendMessage(t.Context(), t, client, userID, "second")
				if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 3 || server.Counts().Unsent != 2 {
					t.Errorf("thrice: %v; MaybeUnsent %v, %d attempts", err, e.MaybeUnsent, e.Attempts)
				}
			})
		}
	}
}

// TestNobodyListens: a connection refused is not ambiguous.
func TestNobodyListens(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	_, err = unsend(t.Context(), t, newOwnClient(t, "http://"+listener.Addr().String()))
	if e := apiError(t, err); e.MaybeUnsent || e.Attempts != 3 || e.StatusCode != 0 || !errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(e.Message, "/v2/") {
		t.Errorf("%v: %+v", err, e)
	}
}

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
		client := newClient(t, validatedRequests(t, server.Client().Transport), api.WithRetries(10))
		var done sync.WaitGroup
		outcomes := map[api.Outcome]*atomic.Int64{api.Unsent: {}, api.AlreadyGone: {}}
		for i := range 1000 {
			done.Go(func() {
				id := fmt.Sprint(6_000_000_000_000 + i)
				result, err := unsendMessage(t.Context(), t, client, userID, id, api.WithConnection(connections[i%10].ID))
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

// retryingTransport is one of the caller's, that sends again what failed.
type retryingTransport struct{ next http.RoundTripper }

func (r retryingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	again := req.Clone(req.Context())
	resp, err := r.next.RoundTrip(req)
	if err == nil && resp.StatusCode < 500 {
		return resp, nil
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	again.Body = http.NoBody
	again.ContentLength = 0
	return r.next.RoundTrip(again)
}

// TestCallersTransportThatRetries: it hides a first answer, after which the message may be gone
// whatever the second one says.
func TestCallersTransportThatRetries(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		unsent api.Outcome
	}{
		"the message is gone":     {404, `{"error":"No","type":"RESOURCE_NOT_FOUND"}`, api.AlreadyGone},
		"the key is not accepted": {401, `{"error":"No","type":"UNAUTHORIZED"}`, ""},
		"the message is refused":  {200, `{"success":false}`, ""},
		"the message was unsent":  {200, `{"success":true}`, api.Unsent},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			base, transport := onSocket(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) == 1 {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			client := newClient(t, retryingTransport{transport}, api.WithBaseURL(base), api.WithRetries(0))
			result, err := unsend(t.Context(), t, client)
			if c.unsent != "" {
				if err != nil || result.Outcome != c.unsent || result.Attempts != 1 {
					t.Errorf("%+v, %v", result, err)
				}
				return
			}
			if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 1 {
				t.Errorf("%v: MaybeUnsent %v", err, e.MaybeUnsent)
			}
		})
	}
}
