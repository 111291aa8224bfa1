package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/transport"
)

// listen hands each connection to serve, until stop, which also ends what is being served.
func listen(t *testing.T, serve func(conn net.Conn)) (address string, stop func()) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			serving.Go(func() {
				serve(conn)
				_ = conn.Close()
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
			})
		}
	})
	return listener.Addr().String(), func() {
		_ = listener.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	}
}

// newClient is a client of base, with the transport that the api makes, on which setUp may change
// what it will, and which closes its connections when the test ends. Dials of a scenario that has
// refusals left are refused.
func newClient(t *testing.T, base string, setUp func(*http.Transport), opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(key, append([]api.Option{
		api.WithBaseURL(base), api.WithConnection("conn_0"), api.WithTimeout(attemptTimeout), api.WithRateLimit(60_000, 100),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	own, ok := client.Generated().Client.(*http.Client)
	if !ok {
		t.Fatal("the client has no http.Client")
	}
	std := transport.Standard(own)
	t.Cleanup(std.CloseIdleConnections)
	setUp(std)
	dial := std.DialContext
	var mu sync.Mutex
	std.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if sc, ok := ctx.Value(scenarioKey{}).(*scenario); ok {
			mu.Lock()
			refuse := sc.refusals > 0
			sc.refusals--
			mu.Unlock()
			if refuse {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
		}
		return dial(ctx, network, address)
	}
	return client
}

// TestScenariosOverTCP runs scenarios against a server of HTTP/1.1 that misbehaves.
func TestScenariosOverTCP(t *testing.T) {
	t.Parallel()
	runAll(t, scenarios(t, 1200), http1Faults(), func(t *testing.T, s *service) (func() *api.Client, func()) {
		t.Helper()
		address, stop := listen(t, s.serveHTTP1)
		return func() *api.Client { return newClient(t, "http://"+address, func(*http.Transport) {}) }, stop
	})
}

// serveHTTP1 answers the requests of a connection as their scenarios say.
func (s *service) serveHTTP1(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		_, r := s.arrive(req.URL.Path)
		if !r.writeHTTP1(conn) {
			return
		}
	}
}

// writeHTTP1 answers, and reports whether the connection is kept.
func (r reply) writeHTTP1(conn net.Conn) (kept bool) {
	head := func(lines ...string) string {
		return fmt.Sprintf("HTTP/1.1 %03d X\r\nContent-Type: application/json\r\n%s%s\r\n", r.status, r.header, strings.Join(lines, ""))
	}
	length := func(n int) string {
		if r.status == 204 || r.status == 304 {
			return ""
		}
		return fmt.Sprintf("Content-Length: %d\r\n", n)
	}
	good := head(length(len(r.body))) + r.body
	say := func(text string) { _, _ = io.WriteString(conn, text) }
	switch r.fault.kind {
	case closed:
		return false
	case reset:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	case stalled:
		_ = conn.SetReadDeadline(time.Now().Add(4 * attemptTimeout))
		_, _ = io.Copy(io.Discard, conn)
		return false
	case garbage:
		say("\x00\x01garbage\r\n\r\n")
		return false
	case halfHeader:
		say(good[:min(len(good), 5+r.fault.cut)/2])
		return false
	case cutBody:
		say(head(length(len(r.body))) + r.body[:min(len(r.body), r.fault.cut)])
		return false
	case interim:
		say(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 1+r.fault.cut%4) + good)
		return true
	case staleAfter:
		say(good)
		return false
	case surplus:
		say(head("Connection: close\r\n", length(len(r.body))) + r.body + "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"success\":true}")
		return false
	case longLength:
		say(head(length(len(r.body)+10)) + r.body)
		return false
	case badChunk:
		say(head("Transfer-Encoding: chunked\r\n") + fmt.Sprintf("%x\r\n%s\r\nzz\r\n", len(r.body), r.body))
		return false
	}
	say(good)
	return true
}
