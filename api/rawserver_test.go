package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

const goodResponse = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Type: application/json\r\n\r\n{\"success\":true}"

// rawServer speaks HTTP/1.1 by hand, so that it can speak it badly.
type rawServer struct {
	address     string
	connections atomic.Int64
	requests    atomic.Int64
}

// newRawServer listens on loopback, over TLS if config is not nil, and passes each connection to
// serve, which must return when the connection ends.
func newRawServer(t *testing.T, config *tls.Config, serve func(s *rawServer, conn net.Conn)) *rawServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{address: listener.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
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
		serving.Wait() // the client, made later, has closed its connections already
	})
	return s
}

// respondFirst is a server that responds to the first request with first, and to later ones with success.
// If last is true, it closes the connection after first.
func respondFirst(t *testing.T, first string, last bool) *rawServer {
	t.Helper()
	return newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
		for in := bufio.NewReader(conn); s.readRequest(in); {
			if s.requests.Load() > 1 {
				_, _ = io.WriteString(conn, goodResponse)
				continue
			}
			_, _ = io.WriteString(conn, first)
			if last {
				return
			}
		}
	})
}

// respondAll responds to each request with success.
func respondAll(s *rawServer, conn net.Conn) {
	for in := bufio.NewReader(conn); s.readRequest(in); {
		_, _ = io.WriteString(conn, goodResponse)
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
	t.Cleanup(client.HTTPClient().CloseIdleConnections)
	return client
}

// identity is a certificate for 127.0.0.1 and example.com, and the pool that trusts it.
func identity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.TLS.Certificates[0], roots
}

// TestMalformedResponses sends what no server should over HTTP/1.1. The call must neither panic nor be
// wrong, its text must name the cause, and the connection must not be used again (X4, X6).
func TestMalformedResponses(t *testing.T) {
	t.Parallel()
	const ok, body = "HTTP/1.1 200 OK\r\n", `{"success":true}`
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(body))
	_ = zip.Close()
	packedLength := fmt.Sprintf("Content-Length: %d\r\n\r\n", packed.Len())
	malformed := func(head string) string { return head + "\r\n" + length + "\r\n" + body }
	large := func(head string, size int, tail string) string {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s%s%s", ok, size, head, filler(size-len(head)-len(tail)), tail)
	}
	const zipped = "Content-Encoding: gzip\r\n"
	chunked := ok + "Transfer-Encoding: chunked\r\n\r\n"
	undefined, early, late := "has no final status", "ended before success could be read", "does not report"
	for name, c := range map[string]struct {
		response string
		text     string // of the error; "" if the call succeeds
		status   int    // of the error
		flags    string // last: the server closes the connection; retried: it may be; kept: the connection is used again
	}{
		"a good response":           {goodResponse, "", 0, "kept"},
		"status 000":                {malformed("HTTP/1.1 000 X"), undefined, 0, ""},
		"status 101":                {malformed("HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade"), undefined, 101, ""},
		"status 600":                {malformed("HTTP/1.1 600 X"), undefined, 600, ""},
		"status -01":                {malformed("HTTP/1.1 -01 X"), "malformed HTTP status code", 0, "retried"},
		"no reason":                 {malformed("HTTP/1.1 200"), "", 0, "kept"},
		"another version":           {malformed("HTTP/9.9 200 OK"), "", 0, "kept"},
		"another protocol":          {"SSH-2.0-OpenSSH_9.9\r\n", "malformed HTTP", 0, "last retried"},
		"nothing":                   {"", "closed before a response came", 0, "last retried"},
		"half a header":             {ok + "Content-Le", "malformed MIME header", 0, "last retried"},
		"a header without a colon":  {ok + "nonsense\r\n\r\n", "malformed MIME header", 0, "retried"},
		"a header of 11 MiB":        {ok + "A: " + strings.Repeat("x", 11<<20) + "\r\n\r\n", "headers exceeded", 0, "retried"},
		"interim responses":         {strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 4) + goodResponse, "", 0, "kept"},
		"a length too long, closed": {ok + "Content-Length: 99\r\n\r\n" + `{"succ`, early + ": unexpected EOF", 200, "last retried"},
		"too long behind success":   {ok + "Content-Length: 99\r\n\r\n" + body, "", 0, "last"},
		"a length too short":        {ok + "Content-Length: 5\r\n\r\n" + body, late, 200, ""},
		"surplus bytes":             {goodResponse + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "", 0, ""},
		"two lengths":               {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "multiple Content-Length", 0, "retried"},
		"no length, closed":         {ok + "\r\n" + body, "", 0, "last"},
		"a chunk of nothing":        {chunked + "zz\r\n", early + ": invalid byte in chunk length", 200, "retried"},
		"chunks that end early":     {chunked + "10\r\n" + `{"succ`, early, 200, "last retried"},
		"a chunk cut behind":        {chunked + "10\r\n" + body + "\r\n5\r\n", "", 0, "last"},
		"trailers":                  {chunked + "10\r\n" + body + "\r\n0\r\nSuccess: false\r\n\r\n", "", 0, "kept"},
		"another transfer encoding": {ok + "Transfer-Encoding: gzip\r\n\r\n" + body, "unsupported transfer encoding", 0, "last retried"},
		"gzip":                      {ok + zipped + packedLength + packed.String(), "", 0, "kept"},
		"gzip claimed":              {ok + zipped + length + "\r\n" + body, early + ": gzip: invalid header", 200, "retried"},
		"gzip not claimed":          {ok + packedLength + packed.String(), "the response is compressed", 200, ""},
		"brotli":                    {ok + "Content-Encoding: br\r\n" + length + "\r\n\x8b\x07\x80" + body[3:], "did not decompress it", 200, ""},
		"brotli claimed, not used":  {ok + "Content-Encoding: br\r\n" + length + "\r\n" + body, "", 0, "kept"},
		"success both ways":         {ok + "Content-Length: 32\r\n\r\n" + `{"success":true,"success":false}`, late, 200, ""},
		"success, and nonsense":     {ok + "Content-Length: 19\r\n\r\n" + body + "xyz", "", 0, "kept"},
		"a 202 of text":             {"HTTP/1.1 202 X\r\nContent-Type: text/plain\r\n" + length + "\r\n" + body, "", 0, "kept"},
		"8 MiB":                     {large(`{"a":"`, api.MaxBody, `","success":true}`), "", 0, "kept"},
		"more than 8 MiB":           {large(`{"a":"`, api.MaxBody+10, `","success":true}`), "larger than 8 MiB", 200, ""},
		"more behind success":       {large(`{"success":true,"a":"`, api.MaxBody+10, `"}`), "", 0, ""},
		"a 204":                     {"HTTP/1.1 204 No Content\r\n\r\n", late, 204, ""},
		// A connection is kept only behind a response of the service itself.
		"a gateway's page":  {"HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\npage", "Not Found (a response that is not", 404, ""},
		"a gateway's 503":   {"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", "no text in the response", 503, "retried"},
		"the service's 400": {"HTTP/1.1 400 X\r\nContent-Length: 25\r\n\r\n" + `{"error":"No","type":"X"}`, "No", 400, "kept"},
		"the service's 503": {"HTTP/1.1 503 X\r\nContent-Length: 25\r\n\r\n" + `{"error":"No","type":"X"}`, "No", 503, "retried kept"},
		"a redirect's body": {"HTTP/1.1 302 X\r\nContent-Length: 25\r\n\r\n" + `{"error":"No","type":"X"}`, "redirect", 302, ""},
		"a 304 with a body": {malformed("HTTP/1.1 304 X"), "redirect", 304, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has := func(flag string) bool { return strings.Contains(c.flags, flag) }
			server := respondFirst(t, c.response, has("last"))
			client := newOwnClient(t, "http://"+server.address)
			result, err := unsend(t.Context(), t, client, api.WithRetries(0))
			if c.text == "" {
				if err != nil || result.Outcome != api.Unsent {
					t.Fatalf("%v, %v", result, err)
				}
			} else {
				e := apiError(t, err)
				if e.StatusCode != c.status || e.Retryable() != has("retried") || !strings.Contains(e.Message, c.text) || e.Hint() == "" {
					t.Errorf("%v; retryable %v, hint %q", err, e.Retryable(), e.Hint())
				}
				if certain := c.status/100 == 3 || c.status/100 == 4; e.MaybeUnsent == certain {
					t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
				}
			}
			if n := server.requests.Load(); n != 1 {
				t.Errorf("%d requests arrived of one attempt", n)
			}
			if _, err := unsend(t.Context(), t, client, api.WithRetries(0)); err != nil {
				t.Error(err)
			}
			if kept := server.connections.Load() == 1; kept != has("kept") {
				t.Errorf("the connection is used again: %v", kept)
			}
		})
	}
}
