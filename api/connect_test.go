package api_test

import (
	"bufio"
	"bytes"
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

// TestHandshakes: what either side refuses no retry changes. The text has the reason, and the hint
// what to do. If the handshake breaks, nothing was refused, and it is tried again. In no case was
// anything written.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	own, roots := identity(t)
	server := &tls.Config{Certificates: []tls.Certificate{own}}
	demanding := &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert}
	demanding.MaxVersion = tls.VersionTLS12 // later ones report it after the request
	tls13 := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}
	trusting := &tls.Config{RootCAs: roots}
	tls12 := &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12} //nolint:gosec // the case in question
	named := &tls.Config{RootCAs: roots, ServerName: "service.example"}
	identified := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}}
	at := func(year int) *tls.Config {
		return &tls.Config{RootCAs: roots, Time: func() time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }}
	}
	writes := func(text string) func(*rawServer, net.Conn) {
		return func(_ *rawServer, conn net.Conn) { _, _ = io.WriteString(conn, text) }
	}
	const theirs, ours = "a proxy that inspects traffic needs its own installed", "check the base url"
	const broken = "retried" // as the text
	alert := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, io.EOF }}
	for name, c := range map[string]struct {
		server, client *tls.Config
		serve          func(*rawServer, net.Conn) // in place of TLS
		text, hint     string
	}{
		"unknown authority":            {server, &tls.Config{RootCAs: x509.NewCertPool()}, nil, "certificate refused: tls:", theirs},
		"another name":                 {server, named, nil, "not service.example", ours},
		"expired":                      {server, at(9000), nil, "expired", "check this machine's clock"},
		"not yet valid":                {server, at(1960), nil, "is before", "check this machine's clock"},
		"no version in common":         {tls13, tls12, nil, "protocol version", "certificates"},
		"a client certificate":         {demanding, trusting, nil, "remote error: tls:", "certificates"},
		"an untrusted one":             {demanding, identified, nil, "remote error: tls:", "certificates"},
		"a server of plain http":       {nil, nil, writes("HTTP/1.1 400 Bad\r\n\r\n"), "HTTP response to HTTPS client", "check the scheme"},
		"a server of another protocol": {nil, nil, writes("SSH-2.0-OpenSSH_9.9\r\n"), "does not look like a TLS handshake", ours},
		"ended at once":                {nil, nil, writes(""), broken, ""},
		"hung":                         {nil, nil, func(_ *rawServer, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, broken, ""},
		"a server's own error":         {alert, nil, nil, broken, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve := c.serve
			if serve == nil {
				serve = respondAll
			}
			server := newRawServer(t, c.server, serve)
			client := newOwnClient(t, "https://"+server.address)
			client.Transport().TLSHandshakeTimeout = 100 * time.Millisecond
			if c.client != nil {
				client.Transport().TLSClientConfig = c.client
				client.Transport().TLSHandshakeTimeout = time.Minute
			}
			_, err := unsend(t.Context(), t, client)
			e := apiError(t, err)
			if c.text == broken {
				if e.Attempts != 3 || e.MaybeUnsent || !e.Retryable() || e.Scope != api.ScopeService {
					t.Errorf("%v: %+v", err, e)
				}
				return
			}
			if e.Attempts != 1 || e.MaybeUnsent || e.Retryable() || e.Scope != api.ScopeClient || server.requests.Load() != 0 {
				t.Errorf("%v: %+v; %d requests", err, e, server.requests.Load())
			}
			if !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q lacks %q", err, c.text)
			}
			if !strings.Contains(e.Hint(), c.hint) {
				t.Errorf("%q does not say %q", e.Hint(), c.hint)
			}
		})
	}
}

// TestProxies: what a proxy refuses is the client's error, what it cannot do now is transient (X14).
func TestProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		base     string
		status   int
		callers  bool // the transport is the caller's, which reports only a text
		attempts int
		scope    api.Scope
		maybe    bool
	}{
		"CONNECT 403":             {base: "https://service.example", status: 403, attempts: 1, scope: api.ScopeClient},
		"CONNECT 407":             {base: "https://service.example", status: 407, attempts: 1, scope: api.ScopeClient},
		"CONNECT 429":             {base: "https://service.example", status: 429, attempts: 1, scope: api.ScopeClient},
		"CONNECT 302":             {base: "https://service.example", status: 302, attempts: 3, scope: api.ScopeService},
		"CONNECT 502":             {base: "https://service.example", status: 502, attempts: 3, scope: api.ScopeService},
		"CONNECT 407, a caller's": {base: "https://service.example", status: 407, callers: true, attempts: 1, scope: api.ScopeClient},
		"CONNECT 403, a caller's": {base: "https://service.example", status: 403, callers: true, attempts: 1, scope: api.ScopeClient},
		"CONNECT 502, a caller's": {base: "https://service.example", status: 502, callers: true, attempts: 3, scope: api.ScopeService},
		"of other words":          {base: "https://service.example", status: 499, callers: true, attempts: 3, scope: api.ScopeService},
		"plain 407":               {base: "http://service.example", status: 407, attempts: 1, scope: api.ScopeClient},
		"plain 407, a caller's":   {base: "http://service.example", status: 407, callers: true, attempts: 1, scope: api.ScopeClient},
		"plain 502":               {base: "http://service.example", status: 502, attempts: 3, scope: api.ScopeService, maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				var seen bytes.Buffer
				for in := bufio.NewReader(io.TeeReader(conn, &seen)); s.readRequest(in); {
					if strings.HasPrefix(name, "CONNECT") && strings.Contains(seen.String(), plantedKey) {
						t.Error("the proxy was sent the key")
					}
					reason := "secret of the proxy" // net/http reports it of a caller's transport, and nothing else
					if c.callers && c.status != 499 {
						reason = http.StatusText(c.status)
					}
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Length: 6\r\n\r\nsecret", c.status, reason)
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
			if strings.HasPrefix(name, "CONNECT") && !c.callers {
				if want := fmt.Sprint("CONNECT with ", c.status); !strings.Contains(e.Message, want) || strings.Contains(e.Message, "secret") {
					t.Errorf("the text is %q, want %q", e.Message, want)
				}
			}
		})
	}
}

// TestKeyInClearThroughAProxy: plain http to this machine is refused if a proxy of another machine
// would see it. Names are compared as hosts are.
func TestKeyInClearThroughAProxy(t *testing.T) {
	for proxy, refused := range map[string]bool{
		"http://proxy.example:1": true, "https://proxy.example:1": true, "socks5://proxy.example:1": true,
		"http://localhost.proxy.example:1": true, "http://10.0.0.1:1": true, "http://0.0.0.0:1": true,
		"http://localhost:1": false, "http://LocalHost.:1": false, "http://[::1]:1": false, "http://127.0.0.2:1": false,
	} {
		for _, base := range []string{"http://localhost:1", "http://LOCALHOST.:1", "http://127.9.9.9:1", "http://[::1]:1"} {
			for _, opts := range [][]api.Option{nil, {api.WithPlainHTTP()}} {
				address, err := url.Parse(proxy)
				if err != nil {
					t.Fatal(err)
				}
				dials := 0
				transport := &http.Transport{Proxy: http.ProxyURL(address), DialContext: func(context.Context, string, string) (net.Conn, error) {
					dials++
					return nil, errors.New("no network")
				}}
				_, err = unsend(t.Context(), t, newClient(t, transport, append(opts, api.WithBaseURL(base), api.WithRetries(0))...))
				refused := refused && opts == nil
				if e := apiError(t, err); (dials == 0) != refused || errors.Is(err, api.ErrConfig) != refused || e.MaybeUnsent {
					t.Errorf("%s through %s: %d dials, %v", base, proxy, dials, err)
				}
			}
		}
	}
}
