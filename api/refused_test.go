package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// answersAll is a raw server that answers every request well.
func answersAll(s *rawServer, conn net.Conn) {
	for in := bufio.NewReader(conn); s.readRequest(in); {
		_, _ = io.WriteString(conn, goodAnswer)
	}
}

// TestRefusedBeforeARequest: what either side refuses in the handshake no retry changes, and
// nothing was written. The text has the reason, and the hint what to do.
func TestRefusedBeforeARequest(t *testing.T) {
	now := time.Now()
	valid, roots := certificate(t, now.Add(time.Hour))
	expired, expiredRoots := certificate(t, now.Add(-time.Hour))
	future, futureRoots := certificate(t, now.Add(100*24*time.Hour))
	other, otherRoots := certificate(t, now.Add(time.Hour), "another.example")
	demanding := &tls.Config{Certificates: []tls.Certificate{valid}, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12} //nolint:gosec // the case in question
	for name, c := range map[string]struct {
		server *tls.Config
		client *tls.Config
		serve  func(*rawServer, net.Conn) // in place of TLS
		text   []string
		hint   string
	}{
		"unknown authority":              {server: &tls.Config{Certificates: []tls.Certificate{valid}}, client: &tls.Config{RootCAs: x509.NewCertPool()}, text: []string{"certificate refused", "unknown authority"}, hint: "a proxy that inspects traffic needs its own installed"},
		"another host":                   {server: &tls.Config{Certificates: []tls.Certificate{other}}, client: &tls.Config{RootCAs: otherRoots}, text: []string{"certificate refused", "127.0.0.1"}, hint: "check the base url"},
		"another name":                   {server: &tls.Config{Certificates: []tls.Certificate{other}}, client: &tls.Config{RootCAs: otherRoots, ServerName: "service.example"}, text: []string{"certificate refused", "valid for another.example, not service.example"}, hint: "check the base url"},
		"expired":                        {server: &tls.Config{Certificates: []tls.Certificate{expired}}, client: &tls.Config{RootCAs: expiredRoots}, text: []string{"certificate refused", "expired", now.UTC().Format("2006-01-02"), now.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z")}, hint: "check this machine's clock"},
		"not yet valid":                  {server: &tls.Config{Certificates: []tls.Certificate{future}}, client: &tls.Config{RootCAs: futureRoots}, text: []string{"certificate refused", "is before " + now.Add(98*24*time.Hour).UTC().Format("2006-01-02")}, hint: "check this machine's clock"},
		"no version in common":           {server: &tls.Config{Certificates: []tls.Certificate{valid}, MinVersion: tls.VersionTLS13}, client: &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}, text: []string{"protocol version"}, hint: "certificates"}, //nolint:gosec // the case in question
		"a client certificate, TLS 1.2":  {server: demanding, client: &tls.Config{RootCAs: roots}, text: []string{"remote error: tls:"}, hint: "certificates"},
		"an untrusted one, TLS 1.2":      {server: demanding, client: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{valid}}, text: []string{"remote error: tls:"}, hint: "certificates"},
		"a server of plain http":         {serve: func(_ *rawServer, conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") }, client: &tls.Config{}, text: []string{"HTTP response to HTTPS client"}, hint: "check the scheme of the base url"},
		"a server of another protocol":   {serve: func(_ *rawServer, conn net.Conn) { _, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n") }, client: &tls.Config{}, text: []string{"does not look like a TLS handshake"}, hint: "check the base url"},
		"the service's root is not ours": {server: &tls.Config{Certificates: []tls.Certificate{valid}}, client: nil, text: []string{"certificate refused"}, hint: "certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve := c.serve
			if serve == nil {
				serve = answersAll
			}
			server := newRawServer(t, c.server, serve)
			client := newOwnClient(t, "https://"+server.address)
			client.Transport().TLSClientConfig = c.client
			_, err := unsend(t.Context(), t, client)
			e := apiError(t, err)
			if e.Attempts != 1 || e.MaybeUnsent || e.Retryable || e.Scope != api.ScopeClient || server.requests.Load() != 0 {
				t.Errorf("%v: %+v; %d requests", err, e, server.requests.Load())
			}
			for _, text := range c.text {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if !strings.Contains(e.Hint(), c.hint) {
				t.Errorf("%q does not say %q", e.Hint(), c.hint)
			}
		})
	}
}

// TestHandshakesThatBreak: nothing was refused. It is tried again, and nothing was written.
func TestHandshakesThatBreak(t *testing.T) {
	for name, serve := range map[string]func(*rawServer, net.Conn){
		"ended":         func(_ *rawServer, conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) },
		"ended at once": func(*rawServer, net.Conn) {},
		"hung":          func(_ *rawServer, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"its own trouble": func(_ *rawServer, conn net.Conn) {
			_ = tls.Server(conn, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, io.EOF }}).Handshake() //nolint:noctx,gosec // an alert
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, nil, serve)
			client := newOwnClient(t, "https://"+server.address)
			client.Transport().TLSHandshakeTimeout = 100 * time.Millisecond
			_, err := unsend(t.Context(), t, client)
			if e := apiError(t, err); e.Attempts != 3 || e.MaybeUnsent || !e.Retryable || e.Scope != api.ScopeService {
				t.Errorf("%v: %+v", err, e)
			}
		})
	}
}

// TestClientCertificateRequiredLate is TLS 1.3, where the client learns of it once the request
// may have been written.
func TestClientCertificateRequiredLate(t *testing.T) {
	identity, roots := certificate(t, time.Now().Add(time.Hour))
	server := newRawServer(t, &tls.Config{Certificates: []tls.Certificate{identity}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}, answersAll)
	client := newOwnClient(t, "https://"+server.address)
	client.Transport().TLSClientConfig = &tls.Config{RootCAs: roots}
	_, err := unsend(t.Context(), t, client)
	if e := apiError(t, err); e.Attempts != 3 || !e.MaybeUnsent || server.requests.Load() != 0 {
		t.Errorf("%v: %+v", err, e)
	}
}

// TestProxies: what a proxy refuses is this machine's trouble, what it cannot do now may pass.
func TestProxies(t *testing.T) {
	for name, c := range map[string]struct {
		base     string
		status   int
		callers  bool // the transport is the caller's, which tells only a text
		attempts int
		scope    api.Scope
		maybe    bool
	}{
		"CONNECT 400":             {"https://service.example", 400, false, 1, api.ScopeClient, false},
		"CONNECT 403":             {"https://service.example", 403, false, 1, api.ScopeClient, false},
		"CONNECT 404":             {"https://service.example", 404, false, 1, api.ScopeClient, false},
		"CONNECT 407":             {"https://service.example", 407, false, 1, api.ScopeClient, false},
		"CONNECT 429":             {"https://service.example", 429, false, 1, api.ScopeClient, false},
		"CONNECT 204":             {"https://service.example", 204, false, 3, api.ScopeService, false},
		"CONNECT 302":             {"https://service.example", 302, false, 3, api.ScopeService, false},
		"CONNECT 502":             {"https://service.example", 502, false, 3, api.ScopeService, false},
		"CONNECT 503":             {"https://service.example", 503, false, 3, api.ScopeService, false},
		"CONNECT 407, a caller's": {"https://service.example", 407, true, 3, api.ScopeService, false},
		"plain 407":               {"http://service.example", 407, false, 1, api.ScopeClient, false},
		"plain 407, a caller's":   {"http://service.example", 407, true, 1, api.ScopeClient, false},
		"plain 502":               {"http://service.example", 502, false, 3, api.ScopeService, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				for in := bufio.NewReader(conn); s.readRequest(in); {
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d secret of the proxy\r\nContent-Length: 6\r\n\r\nsecret", c.status)
				}
			})
			through := http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.address})
			client := newOwnClient(t, c.base, api.WithPlainHTTP())
			client.Transport().Proxy = through
			if c.callers {
				transport := &http.Transport{Proxy: through}
				t.Cleanup(transport.CloseIdleConnections)
				client = newClient(t, transport, api.WithBaseURL(c.base), api.WithPlainHTTP())
				client.SetJitter(func(time.Duration) time.Duration { return 0 })
			}
			_, err := unsend(t.Context(), t, client)
			e := apiError(t, err)
			if e.Attempts != c.attempts || e.Scope != c.scope || e.MaybeUnsent != c.maybe || proxy.requests.Load() != int64(c.attempts) {
				t.Errorf("%v: %+v; %d requests", err, e, proxy.requests.Load())
			}
			if c.scope == api.ScopeClient && !strings.Contains(e.Hint(), "HTTPS_PROXY") {
				t.Errorf("the hint is %q", e.Hint())
			}
			if strings.HasPrefix(name, "CONNECT") && !c.callers && (!strings.Contains(e.Message, fmt.Sprint("answered CONNECT with ", c.status)) || strings.Contains(e.Message, "secret")) {
				t.Errorf("the text is %q", e.Message)
			}
		})
	}
}

// TestKeyInClearThroughAProxy: plain http to this machine is refused where a proxy of another
// machine would see it. Names are compared as hosts are.
func TestKeyInClearThroughAProxy(t *testing.T) {
	for _, base := range []string{"http://localhost:1", "http://LOCALHOST.:1", "http://127.0.0.1:1", "http://[::1]:1", "http://127.9.9.9:1"} {
		for proxy, refused := range map[string]bool{
			"http://proxy.example:1": true, "https://proxy.example:1": true, "socks5://proxy.example:1": true, "http://localhost.proxy.example:1": true, "http://10.0.0.1:1": true, "http://0.0.0.0:1": true,
			"http://localhost:1": false, "http://LocalHost.:1": false, "http://[::1]:1": false, "http://127.0.0.2:1": false,
		} {
			for _, allowed := range []bool{false, true} {
				t.Run(fmt.Sprint(base, " ", proxy, " ", allowed), func(t *testing.T) {
					opts := []api.Option{api.WithRetries(0)}
					if allowed {
						opts = append(opts, api.WithPlainHTTP())
					}
					address, err := url.Parse(proxy)
					if err != nil {
						t.Fatal(err)
					}
					dials := 0
					transport := &http.Transport{Proxy: http.ProxyURL(address), DialContext: func(context.Context, string, string) (net.Conn, error) {
						dials++
						return nil, errors.New("no network")
					}}
					client := newClient(t, transport, append(opts, api.WithBaseURL(base))...)
					_, err = unsend(t.Context(), t, client)
					e := apiError(t, err)
					refused := refused && !allowed
					if (dials == 0) != refused || errors.Is(err, api.ErrConfig) != refused {
						t.Errorf("%d dials: %v", dials, err)
					}
					if e.MaybeUnsent || refused && (e.Scope != api.ScopeClient || e.Retryable || !strings.Contains(e.Hint()+e.Message, "https")) {
						t.Errorf("%v: %+v", err, e)
					}
				})
			}
		}
	}
}
