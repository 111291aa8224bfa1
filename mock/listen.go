package mock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/unsend-go/unsend/internal/transport"
)

// Client returns an HTTP client that reaches the server without a socket, whatever host the
// request names, and over TLS or not. It works inside testing/synctest bubbles: each request
// has a connection of its own, a [net.Pipe] between net/http's client and net/http's server,
// and every goroutine ends with it.
//
// A response's body must be closed, as always. Connections that break are reported as over a
// socket: as [io.EOF] before a response, as [io.ErrUnexpectedEOF] in a body. A ledger of package
// batch for a client of this kind is a mock's, and refuses the real service.
func (s *Server) Client() *http.Client {
	dial := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { _ = newHTTPServer(s).Serve(&pipeListener{conn: far}) }() // until it was accepted
		return near, nil
	}
	return &http.Client{Transport: &transport.Mock{Transport: &http.Transport{
		DialContext:        dial,
		DialTLSContext:     dial,
		DisableKeepAlives:  true,
		DisableCompression: true,
	}}}
}

// pipeListener accepts one connection.
type pipeListener struct {
	conn net.Conn
	once sync.Once
}

func (l *pipeListener) Accept() (conn net.Conn, err error) {
	err = io.EOF
	l.once.Do(func() { conn, err = l.conn, nil })
	return conn, err
}

func (l *pipeListener) Close() error   { return nil }
func (l *pipeListener) Addr() net.Addr { return l.conn.LocalAddr() }

func newHTTPServer(s *Server) *http.Server {
	return &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
}

// listener is the server's socket, while it has one.
type listener struct {
	mu     sync.Mutex
	url    string
	server *httptest.Server
}

// Start listens on a free port of 127.0.0.1 and returns the base URL.
func (s *Server) Start() (baseURL string, err error) { return s.StartAddr("127.0.0.1:0") }

// StartAddr listens on a TCP address, such as "127.0.0.1:4010", and returns a base URL for this
// machine: that of loopback, if it listens on all addresses. It returns an error if the address is
// taken, if the server is listening already, or if [WithOperation] or [WithDocument] were given what
// cannot be served. After [Server.Close] it can be called again.
func (s *Server) StartAddr(addr string) (baseURL string, err error) {
	if s.err != nil {
		return "", s.err
	}
	l := &s.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		return "", errors.New("mock: already listening on " + l.url + ", close it first")
	}
	sock, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("mock: %w; choose another address, or port 0 for a free one", err)
	}
	l.server, l.url = &httptest.Server{Listener: sock, Config: newHTTPServer(s)}, reachable(sock.Addr())
	l.server.Start()
	return l.url, nil
}

// reachable is the URL of a socket as a program on this machine can use it.
func reachable(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String()) // of TCP, which has both
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// URL returns the base URL while the server listens, and "" otherwise.
func (s *Server) URL() string {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return s.listener.url
}

// Close stops listening, breaks connections that are open, and waits until their requests
// have ended. Closing a server that does not listen does nothing.
func (s *Server) Close() error {
	l := &s.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil {
		return nil
	}
	err := l.server.Config.Close() // breaks connections, which httptest would wait for
	l.server.Close()
	l.server, l.url = nil, ""
	return err
}
