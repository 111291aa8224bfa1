package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"testing"

	"github.com/unsend-go/unsend/internal/transport"
)

// TestHTTP1Only: what HTTP/2 lets a peer do to all requests of a connection, it cannot (X1, X2,
// X3).
func TestHTTP1Only(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Proto", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	own := transport.New(nil)
	own.TLSClientConfig.RootCAs = x509.NewCertPool()
	own.TLSClientConfig.RootCAs.AddCert(server.Certificate())
	defer own.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := own.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if proto := resp.Header.Get("Proto"); proto != "HTTP/1.1" {
		t.Errorf("the server speaks %s", proto)
	}
}

// TestDrop: a dropped connection takes no other request. One that another request is out on keeps
// its response; the next goes elsewhere at once.
func TestDrop(t *testing.T) {
	for name, out := range map[string]bool{"idle": false, "another request is out": true} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			own := transport.New(func(context.Context, string, string) (net.Conn, error) { return here, nil })
			conn, err := own.DialContext(t.Context(), "tcp", "service:80")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, there) }()
			trace := transport.ConnTrace{Kind: transport.Own}
			secure := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12})
			req := trace.Follow(t.Context(), httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/", nil))
			httptrace.ContextClientTrace(req.Context()).GotConn(httptrace.GotConnInfo{Conn: secure})
			writes := 1
			if out {
				writes++
			}
			for range writes {
				if _, err := conn.Write([]byte("DELETE")); err != nil {
					t.Fatal(err)
				}
			}
			trace.Drop()
			if n, err := conn.Write([]byte("DELETE")); n != 0 || err == nil {
				t.Errorf("a request was written: %v", err)
			}
			go func() { _, _ = there.Write([]byte("HTTP")) }()
			if n, err := conn.Read(make([]byte, 4)); (n == 4) != out {
				t.Errorf("%d bytes of the other's response are read: %v", n, err)
			}
			_, _ = here.Close(), there.Close()
		})
	}
}

// outer is a transport that can be unwrapped.
type outer struct{ http.RoundTripper }

func (o outer) Unwrap() http.RoundTripper { return o.RoundTripper }

// loop unwraps to itself.
type loop struct{ http.RoundTripper }

func (l loop) Unwrap() http.RoundTripper { return l }

func TestIsMock(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "service.example"}
	opaque := []func(http.RoundTripper) http.RoundTripper{func(http.RoundTripper) http.RoundTripper { return loop{} }}
	for name, c := range map[string]struct {
		given http.RoundTripper
		want  bool
	}{
		"a mock's":         {&transport.Mock{Transport: &http.Transport{}}, true},
		"a wrapped mock's": {outer{outer{&transport.Mock{}}}, true},
		"the client's own": {nil, false},
		"a caller's":       {http.DefaultTransport, false},
		"endless":          {loop{}, false},
	} {
		guard, err := transport.NewGuard(transport.Config{Transport: c.given, Base: base, Middleware: opaque})
		if err != nil {
			t.Fatal(err)
		}
		if got := transport.IsMock(outer{guard}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestOddTransports: what http.Client makes of them, the guard does.
func TestOddTransports(t *testing.T) {
	for name, c := range map[string]struct {
		resp *http.Response
		want bool // a response, with a body and no Location
	}{
		"nothing":    {nil, false},
		"no body":    {&http.Response{StatusCode: 200}, true},
		"a redirect": {&http.Response{StatusCode: 302, Header: http.Header{"Location": {"/x"}}}, true},
	} {
		guard, err := transport.NewGuard(transport.Config{Transport: fixed{c.resp}, Base: &url.URL{Scheme: "https", Host: "service.example"}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := guard.RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "https://service.example/", nil))
		if (err == nil) != c.want {
			t.Fatalf("%s: %v", name, err)
		}
		if !c.want {
			continue
		}
		if resp.Body.Close() != nil || resp.Header.Get("Location") != "" {
			t.Errorf("%s: the body is %v, the header %v", name, resp.Body, resp.Header)
		}
	}
}

// fixed is a transport that returns one response.
type fixed struct{ resp *http.Response }

func (f fixed) RoundTrip(*http.Request) (*http.Response, error) { return f.resp, nil }
