package api_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestHandshakes over loopback: what was refused is not tried again, what broke is, and
// neither leaves a doubt.
func TestHandshakes(t *testing.T) {
	t.Run("untrusted certificate", func(t *testing.T) {
		server := newMock()
		base, transport := onSocket(t, "HTTP/2", server)
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		handshake(t, base, transport, 1)
		if len(server.Journal()) != 0 {
			t.Error("a request was sent")
		}
	})
	t.Run("ended by the server", func(t *testing.T) {
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
				_, _ = io.CopyN(io.Discard, conn, 5)
				_ = conn.Close()
			}
		}()
		defer func() { _ = listener.Close(); <-served }()
		transport := &http.Transport{}
		handshake(t, "https://"+listener.Addr().String(), transport, 3)
	})
	t.Run("plain http server", func(t *testing.T) {
		base, transport := onSocket(t, "HTTP/1.1", newMock())
		handshake(t, strings.Replace(base, "http:", "https:", 1), transport, 1)
	})
}

func handshake(t *testing.T, base string, transport http.RoundTripper, attempts int) {
	t.Helper()
	client := newClient(t, judged(t, transport), api.WithBaseURL(base))
	client.SetJitter(func(time.Duration) time.Duration { return 0 })
	_, err := unsend(t.Context(), t, client)
	if e := apiError(t, err); e.Attempts != attempts || e.MaybeUnsent || e.StatusCode != 0 {
		t.Errorf("%v: %d attempts, MaybeUnsent %v", err, e.Attempts, e.MaybeUnsent)
	}
}

// TestIdleConnectionsCanBeClosed by way of the generated client, through all that wraps it.
func TestIdleConnectionsCanBeClosed(t *testing.T) {
	closed := make(chan struct{}, 1)
	client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(&http.Client{Transport: closer(closed)}))
	if err != nil {
		t.Fatal(err)
	}
	own, ok := client.Generated().Client.(*http.Client)
	if !ok {
		t.Fatalf("the client inside is a %T", client.Generated().Client)
	}
	own.CloseIdleConnections()
	select {
	case <-closed:
	default:
		t.Error("the transport was not told")
	}
}

type closer chan struct{}

func (closer) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.EOF }

func (c closer) CloseIdleConnections() { c <- struct{}{} }

func TestOutcomesHaveNames(t *testing.T) {
	for outcome, want := range map[api.Outcome]string{api.Unsent: "unsent", api.AlreadyGone: "already_gone", 0: "unknown", -1: "unknown", 3: "unknown"} {
		if outcome.String() != want {
			t.Errorf("%d is %q, want %q", outcome, outcome, want)
		}
	}
}
