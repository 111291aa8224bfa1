// Package transport is what the client needs of net/http beyond its own: requests that stay with
// one host, one attempt that is one request on the wire, how far an attempt came before it
// failed, and bodies read within a limit.
package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client copies client, so that its owner's stays as it is, and puts a transport before its own
// through which requests pass to the host of base only; others are an error that wraps refusal.
// Redirects are never followed. A nil client, or one without a transport, gets one that is fit
// for many concurrent calls to one host. Where base is plain http and plainHTTP is false, a
// request that would go through a proxy that is not loopback is refused too.
func Client(client *http.Client, base *url.URL, plainHTTP bool, refusal error) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	}
	next := own.Transport
	if next == nil {
		next = New(nil)
	}
	guard := &sameHostTransport{next: next, scheme: base.Scheme, host: base.Host, refusal: refusal}
	if std, ok := next.(*http.Transport); ok && base.Scheme == "http" && !plainHTTP {
		guard.proxy = std.Proxy
	}
	own.Transport = guard
	return &own
}

// Standard returns the transport of net/http, whose replays follow known rules, through which
// client, made by [Client], sends; nil where that is one of the caller's making.
func Standard(client *http.Client) *http.Transport {
	guard, ok := client.Transport.(*sameHostTransport)
	if !ok {
		return nil
	}
	std, ok := guard.next.(*http.Transport)
	if !ok {
		return nil
	}
	return std
}

// New returns the client's own transport. It differs from http.DefaultTransport, which keeps two
// idle connections to a host, in being fit for many concurrent calls to one. Its connections are
// ours to close, and the answer of a proxy to CONNECT is kept as a [ProxyError]. A nil dial dials
// TCP; tests pass one that needs no socket.
func New(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return ownConn{conn}, nil
		},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			return &ProxyError{StatusCode: resp.StatusCode}
		},
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// ownConn marks a connection that was dialed by the transport of [New].
type ownConn struct{ net.Conn }

// ProxyError is a proxy's refusal to connect. Nothing was sent to the service.
type ProxyError struct{ StatusCode int }

// Error names the status, and not the proxy's text.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered CONNECT with %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

// sameHostTransport lets requests pass to the configured host only, and takes the Location out
// of redirects: http.Client then hands them over instead of following them, which would carry
// the key to another host and turn DELETE into GET.
type sameHostTransport struct {
	next         http.RoundTripper
	scheme, host string
	refusal      error
	proxy        func(*http.Request) (*url.URL, error) // checked for plain http; nil for no check
}

func (g *sameHostTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.check(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := g.next.RoundTrip(req)
	if resp != nil && resp.StatusCode/100 == 3 {
		resp.Header.Del("Location")
	}
	return resp, err
}

func (g *sameHostTransport) check(req *http.Request) error {
	if req.URL.Scheme != g.scheme || req.URL.Host != g.host {
		return g.refuse("request to %s refused: credentials go to %s only", req.URL.Host, g.host)
	}
	if g.proxy == nil {
		return nil
	}
	proxy, err := g.proxy(req)
	if err != nil || proxy == nil || IsLoopback(proxy.Hostname()) {
		return nil //nolint:nilerr // the transport asks again, and reports the error as its own
	}
	return g.refuse("the proxy %s would see the api key unencrypted; use https, a proxy on this machine, or WithPlainHTTP if you must", proxy.Hostname())
}

// refusedError is a request that was handed to no transport.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

func (g *sameHostTransport) refuse(format string, args ...any) error {
	return &refusedError{fmt.Errorf("%w: %s", g.refusal, fmt.Sprintf(format, args...))}
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the wrapped transport.
func (g *sameHostTransport) CloseIdleConnections() {
	if closer, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// IsLoopback reports whether host, a name or an address without a port, is this machine's
// loopback. Names are compared as hosts are: without regard to case or a trailing dot.
func IsLoopback(host string) bool {
	host = strings.TrimSuffix(host, ".")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
