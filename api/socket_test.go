package api_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/unsend-go/unsend/api"
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
