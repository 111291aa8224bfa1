package api_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
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

// TestLostAnswersOverProtocols: on a fresh connection and on one that is kept, an answer that
// is lost leaves a doubt, and a 404 after it says that the message is gone. The backoff is
// none, so that no time is lost.
func TestLostAnswersOverProtocols(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2", "HTTP/2 without TLS"} {
		for _, kept := range []bool{false, true} {
			name := protocol + ", fresh"
			if kept {
				name = protocol + ", kept"
			}
			t.Run(name, func(t *testing.T) {
				for fault, f := range map[string]mock.Fault{
					"dropped":            {Kind: mock.Drop},
					"cut before success": {Kind: mock.Truncated},
					"502":                {Status: 502},
				} {
					server := newMock()
					base, transport := onSocket(t, protocol, server)
					client := newClient(t, judgedRequests(t, transport), api.WithBaseURL(base))
					client.SetJitter(func(time.Duration) time.Duration { return 0 })
					if kept {
						if _, err := unsendMessage(t.Context(), t, client, userID, "first"); err != nil {
							t.Fatal(err)
						}
					}
					server.Next(acted(f))
					result, err := unsend(t.Context(), t, client)
					if err != nil || result.Outcome != api.AlreadyGone || result.Attempts != 2 {
						t.Errorf("%s, once: %v, %v", fault, result, err)
					}
					server.Next(acted(f), f, f)
					_, err = unsendMessage(t.Context(), t, client, userID, "third")
					if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 3 {
						t.Errorf("%s, thrice: %v; MaybeUnsent %v, %d attempts", fault, err, e.MaybeUnsent, e.Attempts)
					}
					if n := server.Counts().Unsent; (n != 2) != kept || n < 2 {
						t.Errorf("%s: %d messages are gone", fault, n)
					}
				}
			})
		}
	}
}

// TestServerClosesKeptConnections: a kept connection that the server has closed must never
// turn a request that it carried out into one that it provably did not.
func TestServerClosesKeptConnections(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2", "HTTP/2 without TLS"} {
		t.Run(protocol, func(t *testing.T) {
			var requests atomic.Int64
			base, transport := onSocket(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Connection", "close") // for HTTP/2, a GOAWAY
				_, _ = io.WriteString(w, `{"success":true}`)
			}))
			client := newClient(t, judgedRequests(t, transport), api.WithBaseURL(base), api.WithoutRateLimit())
			client.SetJitter(func(time.Duration) time.Duration { return 0 })
			attempts := 0
			for range 50 {
				result, err := unsend(t.Context(), t, client)
				if err != nil {
					t.Fatal(err)
				}
				attempts += result.Attempts
			}
			if n := requests.Load(); int(n) > attempts || n < 50 {
				t.Errorf("%d requests arrived in %d attempts", n, attempts)
			}
		})
	}
}

// TestNobodyListens: a connection refused is no doubt.
func TestNobodyListens(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	transport := &http.Transport{}
	client := newClient(t, judged(t, transport), api.WithBaseURL("http://"+addr))
	client.SetJitter(func(time.Duration) time.Duration { return 0 })
	_, err = unsend(t.Context(), t, client)
	if e := apiError(t, err); e.MaybeUnsent || e.Attempts != 3 || e.StatusCode != 0 || strings.Contains(e.Message, "/v2/") {
		t.Errorf("%v: %+v", err, e)
	}
}

// TestNotHTTP has servers that accept and then say something else, or nothing.
func TestNotHTTP(t *testing.T) {
	for name, says := range map[string]string{
		"nothing": "", "another protocol": "SSH-2.0-OpenSSH_9.9\r\n", "half a status": "HTTP/1.1 2", "a bad status": "HTTP/1.1 abc OK\r\n\r\n",
		"half a header": "HTTP/1.1 200 OK\r\nContent-Le", "a bad header": "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "a bad length": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "a body too short": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"succ",
		"a bad chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broken gzip": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 16\r\n\r\n{\"success\":true}",
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					requests.Add(1)
					buf := make([]byte, 64<<10)
					_, _ = conn.Read(buf)
					_, _ = io.WriteString(conn, says)
					_ = conn.Close()
				}
			}()
			defer func() { _ = listener.Close(); <-served }()
			transport := &http.Transport{DisableKeepAlives: true} // each request on a connection of its own
			defer transport.CloseIdleConnections()
			client := newClient(t, judgedRequests(t, transport), api.WithBaseURL("http://"+listener.Addr().String()))
			client.SetJitter(func(time.Duration) time.Duration { return 0 })
			_, err = unsend(t.Context(), t, client)
			if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 3 || int(requests.Load()) != 3 {
				t.Errorf("%v: %d attempts, MaybeUnsent %v, %d requests", err, e.Attempts, e.MaybeUnsent, requests.Load())
			}
		})
	}
}

// TestInterimAnswers: 100 and 103 are not the answer.
func TestInterimAnswers(t *testing.T) {
	base, transport := onSocket(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	client := newClient(t, judged(t, transport), api.WithBaseURL(base))
	if result, err := unsend(t.Context(), t, client); err != nil || result.Attempts != 1 {
		t.Errorf("%v, %v", result, err)
	}
}

// TestSwitchedProtocol: a 101 hands over an open connection, which must not be read for ever.
func TestSwitchedProtocol(t *testing.T) {
	held := make(chan struct{})
	base, transport := onSocket(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack() //nolint:errcheck // HTTP/1.1 is one
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
		<-held
	}))
	defer close(held)
	client := newClient(t, judgedRequests(t, transport), api.WithBaseURL(base))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := unsend(ctx, t, client)
	if e := apiError(t, err); e.StatusCode != 101 || !e.MaybeUnsent || e.Attempts != 1 || !errors.Is(err, api.ErrUnexpectedResponse) {
		t.Errorf("%v: %+v", err, e)
	}
}
