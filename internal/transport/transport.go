// Package transport adds to net/http what the client needs: requests that stay with one host,
// attempts that are one request on the wire, how far an attempt came before it failed, and bodies
// read within a limit.
package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config configures a [Guard].
type Config struct {
	Transport  http.RoundTripper                           // the caller's; nil for the client's own
	Middleware []func(http.RoundTripper) http.RoundTripper // around it, the outermost first
	Base       *url.URL
	PlainHTTP  bool  // also through a proxy that is not loopback
	Refusal    error // wrapped by the errors of what is refused
}

// Guard is a transport that sends requests to one host only, and removes the Location of redirects.
// http.Client then returns redirects: following one would send the key to another host and turn
// DELETE into GET.
type Guard struct {
	next    http.RoundTripper
	given   http.RoundTripper // below the middleware
	kind    Kind              // of next
	base    *url.URL
	refusal error
	proxy   func(*http.Request) (*url.URL, error) // checked for plain http; nil for no check
}

// NewGuard returns a Guard; a middleware that returns nil is refused.
func NewGuard(cfg Config) (*Guard, error) {
	g := &Guard{given: cfg.Transport, base: cfg.Base, refusal: cfg.Refusal}
	if g.given == nil {
		g.given = New(nil)
	}
	var std *http.Transport
	g.next = g.given
	switch given := g.given.(type) {
	case *http.Transport:
		std, g.kind = given, Standard
	case *Mock:
		std, g.kind, g.next = given.Transport, Standard, given.Transport
	case *Transport:
		std, g.kind, g.next = given.Transport, Own, given.Transport
	}
	if std != nil && g.base.Scheme == "http" && !cfg.PlainHTTP {
		g.proxy = std.Proxy
	}
	for _, wrap := range slices.Backward(cfg.Middleware) {
		g.kind = Other
		if g.next = wrap(g.next); g.next == nil {
			return nil, fmt.Errorf("%w: a middleware returned no transport", cfg.Refusal)
		}
	}
	return g, nil
}

// Kind returns the kind of the transport that requests go to, middleware included.
func (g *Guard) Kind() Kind { return g.kind }

// RoundTrip sends a request that Check accepts.
func (g *Guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.Check(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := g.next.RoundTrip(req)
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, errors.New("the transport returned neither a response nor an error")
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	if resp.StatusCode/100 == 3 {
		resp.Header.Del("Location")
	}
	return resp, nil
}

// Check refuses a request to another host, or in plain http through a proxy that is not loopback.
func (g *Guard) Check(req *http.Request) error {
	if req.URL.Scheme != g.base.Scheme || req.URL.Host != g.base.Host && origin(req.URL) != origin(g.base) {
		return g.refuse("request to %s refused: credentials go to %s only", req.URL.Host, g.base.Host)
	}
	if g.proxy == nil {
		return nil
	}
	proxy, err := g.proxy(req)
	if err != nil || proxy == nil || IsLoopback(proxy.Hostname()) {
		return nil //nolint:nilerr // the transport calls Proxy again, and reports the error as its own
	}
	const advice = "use https, a proxy on this machine, or WithPlainHTTP if you must"
	return g.refuse("the proxy %s would see the api key unencrypted; %s", proxy.Hostname(), advice)
}

// origin returns the host of a URL in lower case, with its port.
func origin(u *url.URL) string {
	return strings.ToLower(u.Hostname()) + ":" + cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// RefusedError is a request that [Guard] handed to no transport.
type RefusedError struct{ error }

// Unwrap returns the refusal, which wraps that of [Config].
func (e *RefusedError) Unwrap() error { return e.error }

func (g *Guard) refuse(format string, args ...any) error {
	return &RefusedError{fmt.Errorf("%w: %s", g.refusal, fmt.Sprintf(format, args...))}
}

// Unwrap returns the transport below the middleware.
func (g *Guard) Unwrap() http.RoundTripper { return g.given }

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (g *Guard) CloseIdleConnections() {
	if closer, ok := g.given.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Mock marks the transport of a mock, which [IsMock] finds.
type Mock struct{ *http.Transport }

// IsMock reports whether a transport, or one that it unwraps to, is a mock's.
func IsMock(rt http.RoundTripper) bool {
	for range 100 { // a transport may unwrap to itself
		if _, ok := rt.(*Mock); ok {
			return true
		}
		outer, ok := rt.(interface{ Unwrap() http.RoundTripper })
		if !ok {
			return false
		}
		rt = outer.Unwrap()
	}
	return false
}

// maxIdle is how many requests a batch may have in flight.
const maxIdle = 4096

// Transport is the client's own transport, whose connections count what is written.
type Transport struct{ *http.Transport }

// New returns a Transport. It speaks HTTP/1.1 only, so that a request has a
// connection to itself: nothing below replays it, a lost connection makes one message ambiguous
// and not a hundred, and no frame of a peer's can block others. http.DefaultTransport, besides,
// keeps two idle connections to a host. A nil dial dials TCP; tests pass one that needs no socket.
func New(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	own := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &ownConn{Conn: conn}, nil
		},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			return &ProxyError{StatusCode: resp.StatusCode}
		},
		Protocols:             new(http.Protocols),
		TLSClientConfig:       &tls.Config{NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12},
		MaxIdleConns:          maxIdle,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       90 * time.Second,
		WriteBufferSize:       1 << 10, // a request is half a kilobyte, a response two: thousands may be in flight
		ReadBufferSize:        3 << 10,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	own.Protocols.SetHTTP1(true)
	return &Transport{own}
}

// ProxyError is a proxy's refusal to connect. Nothing was sent to the service.
type ProxyError struct{ StatusCode int }

// Error names the status, and not the proxy's text.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy refused CONNECT with %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

// IsLoopback reports whether host, a name or an address without a port, is this machine's
// loopback. Names are compared as hosts are: without regard to case or a trailing dot.
func IsLoopback(host string) bool {
	host = strings.TrimSuffix(host, ".")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
