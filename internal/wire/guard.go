package wire

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Guard copies client, so that its owner's stays as it is, and puts a guard before its
// transport: requests pass to the host of base only, others are an error that wraps refusal, and
// redirects are never followed. Of a nil client, or one without a transport, the transport is
// one that is fit for many concurrent calls to one host.
func Guard(client *http.Client, base *url.URL, refusal error) *http.Client {
	var guardedClient http.Client
	if client != nil {
		guardedClient = *client
	}
	next := guardedClient.Transport
	if next == nil {
		next = newTransport()
	}
	guardedClient.Transport = &guard{next: next, scheme: base.Scheme, host: base.Host, refusal: refusal}
	return &guardedClient
}

// newTransport differs from http.DefaultTransport, which keeps two idle connections to a
// host, in being fit for many concurrent calls to one.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// guard lets requests pass to the configured host only, and takes the Location out of
// redirects: http.Client then hands them over instead of following them, which would carry
// the key to another host and turn DELETE into GET.
type guard struct {
	next         http.RoundTripper
	scheme, host string
	refusal      error
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != g.scheme || req.URL.Host != g.host {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: request to %s refused: credentials go to %s only", g.refusal, req.URL.Host, g.host)
	}
	resp, err := g.next.RoundTrip(req)
	if resp != nil && resp.StatusCode/100 == 3 {
		resp.Header.Del("Location")
	}
	return resp, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the wrapped transport.
func (g *guard) CloseIdleConnections() {
	if closer, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
