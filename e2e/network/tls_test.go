package network

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// secured is a mock on TLS.
func secured(t *testing.T, config *tls.Config) (l *line, server *httptest.Server, roots *x509.CertPool) {
	t.Helper()
	l = &line{server: mock.New(mock.WithoutRateLimit())}
	server = httptest.NewUnstartedServer(l.server)
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return l, server, roots
}

// secureClient calls base with a TLS configuration of its own.
func secureClient(t *testing.T, base string, config *tls.Config) *api.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, TLSHandshakeTimeout: 200 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, base, transport)
}

// certificate makes one for 127.0.0.1, signed by itself.
func certificate(t *testing.T, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLSWorks(t *testing.T) {
	t.Parallel()
	l, server, roots := secured(t, nil)
	_, _ = l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: roots}), ending{outcome: api.Unsent, attempts: 1})
}

// TestTLSRefused: no retry mends a certificate or a configuration, and no request was sent.
func TestTLSRefused(t *testing.T) {
	t.Parallel()
	once := ending{attempts: 1}
	t.Run("untrusted certificate", func(t *testing.T) {
		t.Parallel()
		l, server, _ := secured(t, nil)
		_, err := l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: x509.NewCertPool()}), once)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
			t.Errorf("%v", err)
		}
	})
	t.Run("another host's certificate", func(t *testing.T) {
		t.Parallel()
		l, server, roots := secured(t, nil)
		_, err := l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: roots, ServerName: "another.example"}), once)
		if _, ok := errors.AsType[x509.HostnameError](err); !ok {
			t.Errorf("%v", err)
		}
	})
	t.Run("expired certificate", func(t *testing.T) {
		t.Parallel()
		l, server, _ := secured(t, &tls.Config{Certificates: []tls.Certificate{certificate(t, time.Now().Add(-time.Hour))}})
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		_, err := l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: roots}), once)
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || invalid.Reason != x509.Expired {
			t.Errorf("%v", err)
		}
	})
	t.Run("no version in common", func(t *testing.T) {
		t.Parallel()
		l, server, roots := secured(t, &tls.Config{MinVersion: tls.VersionTLS13})
		_, _ = l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}), once) //nolint:gosec // the case in question
	})
	t.Run("plain http server", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		_, err := l.end(t, secureClient(t, strings.Replace(l.server.URL(), "http:", "https:", 1), &tls.Config{}), once)
		if !errors.Is(err, http.ErrSchemeMismatch) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another protocol", func(t *testing.T) {
		t.Parallel()
		base := speaking(t, "SSH-2.0-OpenSSH_9.9\r\n")
		l := &line{server: mock.New()}
		_, _ = l.end(t, secureClient(t, base, &tls.Config{}), once)
	})
}

// TestClientCertificateRefused in the handshake.
func TestClientCertificateRefused(t *testing.T) {
	t.Parallel()
	for what, own := range ownCertificates(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l, server, roots := secured(t, demanding(tls.VersionTLS12))
			_, _ = l.end(t, secureClient(t, server.URL, &tls.Config{RootCAs: roots, Certificates: own}), ending{attempts: 1})
		})
	}
}

// TestClientCertificateRefusedLate is TLS 1.3, where it happens after the handshake, and the
// request may be on its way: nobody reads it. Now and then the write fails before the refusal
// is read, and nothing is proved; more often than not it is.
func TestClientCertificateRefusedLate(t *testing.T) {
	t.Parallel()
	const tries = 10
	for what, own := range ownCertificates(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l, server, roots := secured(t, demanding(tls.VersionTLS13))
			proved := 0
			for range tries {
				_, err := secureClient(t, server.URL, &tls.Config{RootCAs: roots, Certificates: own}).Unsend(t.Context(), userID, "7")
				e := failure(t, err)
				if e.StatusCode != 0 || e.MaybeUnsent && e.Attempts == 1 {
					t.Errorf("%d attempts, MaybeUnsent %v: %v", e.Attempts, e.MaybeUnsent, err)
				}
				if e.Attempts == 1 {
					proved++
				}
			}
			if proved <= tries/2 || len(l.server.Journal()) != 0 {
				t.Errorf("the refusal was proved %d times of %d; %d requests arrived", proved, tries, len(l.server.Journal()))
			}
		})
	}
}

// demanding is a server's configuration that takes no client.
func demanding(version uint16) *tls.Config {
	return &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: version, MaxVersion: version}
}

func ownCertificates(t *testing.T) map[string][]tls.Certificate {
	t.Helper()
	return map[string][]tls.Certificate{"none": nil, "untrusted": {certificate(t, time.Now().Add(time.Hour))}}
}

// speaking is an https address of a server that says one thing and closes.
func speaking(t *testing.T, words string) (base string) {
	t.Helper()
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
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, words)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-served })
	return "https://" + listener.Addr().String()
}

// TestHandshakeBroken: nothing was refused, the connection ended or hung. It is tried again.
func TestHandshakeBroken(t *testing.T) {
	t.Parallel()
	t.Run("ended", func(t *testing.T) {
		t.Parallel()
		l := &line{server: mock.New()}
		_, _ = l.end(t, secureClient(t, speaking(t, ""), &tls.Config{}), ending{attempts: 3})
	})
	t.Run("hung", func(t *testing.T) {
		t.Parallel()
		l := newLine(t)
		l.poison(t, "downstream", "timeout", `"timeout":0`)
		_, _ = l.end(t, secureClient(t, "https://"+l.proxy.Listen, &tls.Config{}), ending{attempts: 3})
	})
}

// TestTLSServerAskedPlainly ends the connection. What it made of the request it does not say.
func TestTLSServerAskedPlainly(t *testing.T) {
	t.Parallel()
	l, server, _ := secured(t, nil)
	_, _ = l.end(t, secureClient(t, strings.Replace(server.URL, "https:", "http:", 1), nil), ending{attempts: 3, maybe: true})
}
