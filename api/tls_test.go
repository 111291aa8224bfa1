package api_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestHandshakes: what either side refuses no retry changes. The text has the reason, and the hint
// what to do. If the handshake breaks, nothing was refused, and it is tried again. In no case was
// anything written.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	now := time.Now()
	valid, roots := certificate(t, now.Add(time.Hour))
	expired, expiredRoots := certificate(t, now.Add(-time.Hour))
	future, futureRoots := certificate(t, now.Add(100*24*time.Hour))
	other, otherRoots := certificate(t, now.Add(time.Hour), "another.example")
	demanding := &tls.Config{Certificates: []tls.Certificate{valid}, ClientAuth: tls.RequireAndVerifyClientCert}
	demanding.MaxVersion = tls.VersionTLS12
	writes := func(text string) func(*rawServer, net.Conn) {
		return func(_ *rawServer, conn net.Conn) { _, _ = io.WriteString(conn, text) }
	}
	serves := func(identity tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{identity}}
	}
	trusts := func(roots *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: roots} }
	const theirs, ours = "a proxy that inspects traffic needs its own installed", "check the base url"
	tls12 := &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12} //nolint:gosec // the case in question
	tls13 := &tls.Config{Certificates: []tls.Certificate{valid}, MinVersion: tls.VersionTLS13}
	named := &tls.Config{RootCAs: otherRoots, ServerName: "service.example"}
	identified := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{valid}}
	const broken = "retried" // as the text
	alert := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, io.EOF }}
	for name, c := range map[string]struct {
		server, client *tls.Config
		serve          func(*rawServer, net.Conn) // in place of TLS
		text, hint     string
	}{
		"unknown authority":            {serves(valid), trusts(x509.NewCertPool()), nil, "unknown authority", theirs},
		"another host":                 {serves(other), trusts(otherRoots), nil, "certificate refused", ours},
		"another name":                 {serves(other), named, nil, "valid for another.example, not service.example", ours},
		"expired":                      {serves(expired), trusts(expiredRoots), nil, "expired", "check this machine's clock"},
		"not yet valid":                {serves(future), trusts(futureRoots), nil, "is before", "check this machine's clock"},
		"no version in common":         {tls13, tls12, nil, "protocol version", "certificates"},
		"a client certificate":         {demanding, trusts(roots), nil, "remote error: tls:", "certificates"},
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

// TestAlertAfterTheRequest has a server that reads a request whole, may have carried it out, and
// then meets what makes it send a TLS alert. The message may have been unsent.
func TestAlertAfterTheRequest(t *testing.T) {
	t.Parallel()
	identity, roots := certificate(t, time.Now().Add(time.Hour))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, kept := range []bool{false, true} { // behind a response on the same connection
			t.Run(fmt.Sprintf("%s, kept %v", tls.VersionName(version), kept), func(t *testing.T) {
				t.Parallel()
				server := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
					broken := &brokenConn{Conn: conn}
					secure := tls.Server(broken, &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: version, MaxVersion: version})
					for in := bufio.NewReader(secure); s.readRequest(in); {
						if kept && s.requests.Load() == 1 {
							_, _ = io.WriteString(secure, goodResponse)
							continue
						}
						broken.now.Store(true)
					}
				})
				client := newOwnClient(t, "https://"+server.address, api.WithRetries(0))
				client.Transport().TLSClientConfig = &tls.Config{RootCAs: roots}
				if kept {
					if _, err := unsend(t.Context(), t, client); err != nil {
						t.Fatal(err)
					}
				}
				_, err := unsend(t.Context(), t, client)
				if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 1 || e.Scope != api.ScopeService || !e.Retryable() {
					t.Errorf("%v: %+v", err, e)
				}
				if !strings.Contains(err.Error(), "remote error: tls:") {
					t.Errorf("%v: want the alert", err)
				}
			})
		}
	}
}

// brokenConn reads a record that is not the peer's, once it is broken.
type brokenConn struct {
	net.Conn
	now atomic.Bool
}

func (c *brokenConn) Read(p []byte) (int, error) {
	if c.now.Load() {
		return copy(p, "\x17\x03\x03\x00\x20"+strings.Repeat("x", 32)), nil
	}
	return c.Conn.Read(p)
}
