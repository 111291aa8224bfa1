package api_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

const goodAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Type: application/json\r\n\r\n{\"success\":true}"

// rawServer speaks HTTP/1.1 by hand, so that it can speak it badly.
type rawServer struct {
	address     string
	connections atomic.Int64
	requests    atomic.Int64
}

// newRawServer listens on loopback, over TLS where config is not nil, and hands each connection
// to serve, which is to return when the connection ends.
func newRawServer(t *testing.T, config *tls.Config, serve func(s *rawServer, conn net.Conn)) *rawServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{address: listener.Addr().String()}
	var serving sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				if config != nil {
					secure := tls.Server(conn, config)
					if secure.HandshakeContext(t.Context()) == nil {
						serve(s, secure)
					}
					return
				}
				serve(s, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return s
}

// says is a server that answers the first request with first, and each later one well. It
// closes a connection after first where last is true.
func says(t *testing.T, first string, last bool) *rawServer {
	t.Helper()
	return newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
		for in := bufio.NewReader(conn); s.readRequest(in); {
			if s.requests.Load() > 1 {
				_, _ = io.WriteString(conn, goodAnswer)
				continue
			}
			_, _ = io.WriteString(conn, first)
			if last {
				return
			}
		}
	})
}

// answersAll is a raw server that answers every request well.
func answersAll(s *rawServer, conn net.Conn) {
	for in := bufio.NewReader(conn); s.readRequest(in); {
		_, _ = io.WriteString(conn, goodAnswer)
	}
}

// readRequest reads a request whole, and reports whether there was one.
func (s *rawServer) readRequest(in *bufio.Reader) bool {
	req, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	s.requests.Add(1)
	return true
}

// newOwnClient is a client of base with the transport that [api.New] makes, and backoff of nothing.
func newOwnClient(t *testing.T, base string, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(plantedKey, append([]api.Option{api.WithConnection(connection), api.WithBaseURL(base)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	client.SetJitter(func(time.Duration) time.Duration { return 0 })
	t.Cleanup(client.Transport().CloseIdleConnections)
	return client
}

// certificate makes one for the host names, or else for 127.0.0.1, that is valid until an
// instant, and signed by itself.
func certificate(t *testing.T, until time.Time, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
