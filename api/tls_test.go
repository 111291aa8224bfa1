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

// TestRefusedBeforeARequest: what either side refuses in the handshake no retry changes, and
// nothing was written. The text has the reason, and the hint what to do.
func TestRefusedBeforeARequest(t *testing.T) {
	t.Parallel()
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
			if e.Attempts != 1 || e.MaybeUnsent || e.Retryable() || e.Scope != api.ScopeClient || server.requests.Load() != 0 {
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
	t.Parallel()
	for name, serve := range map[string]func(*rawServer, net.Conn){
		"ended":         func(_ *rawServer, conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) },
		"ended at once": func(*rawServer, net.Conn) {},
		"hung":          func(_ *rawServer, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"its own trouble": func(_ *rawServer, conn net.Conn) {
			_ = tls.Server(conn, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, io.EOF }}).Handshake()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newRawServer(t, nil, serve)
			client := newOwnClient(t, "https://"+server.address)
			client.Transport().TLSHandshakeTimeout = 100 * time.Millisecond
			_, err := unsend(t.Context(), t, client)
			if e := apiError(t, err); e.Attempts != 3 || e.MaybeUnsent || !e.Retryable() || e.Scope != api.ScopeService {
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

// TestAlertAfterTheRequest has a server that reads a request whole, may have carried it out, and
// then meets what makes it send a TLS alert. The message may have been unsent.
func TestAlertAfterTheRequest(t *testing.T) {
	t.Parallel()
	identity, roots := certificate(t, time.Now().Add(time.Hour))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, kept := range []bool{false, true} { // an answer came on the same connection
			t.Run(fmt.Sprintf("%s, kept %v", tls.VersionName(version), kept), func(t *testing.T) {
				t.Parallel()
				server := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
					broken := &brokenConn{Conn: conn}
					secure := tls.Server(broken, &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: version, MaxVersion: version})
					for in := bufio.NewReader(secure); s.readRequest(in); {
						if kept && s.requests.Load() == 1 {
							_, _ = io.WriteString(secure, goodAnswer)
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
				if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 1 || e.Scope != api.ScopeService || !e.Retryable() || !strings.Contains(err.Error(), "remote error: tls:") {
					t.Errorf("%v: %+v", err, e)
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
