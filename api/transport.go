package api

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// base parses the configured base URL and refuses what would send the key astray.
func (cfg *config) base() (*url.URL, error) {
	text, name := cfg.baseURL, "base url"
	if text == "" {
		text = DefaultBaseURL
	}
	if cfg.baseURLName != "" {
		name = cfg.baseURLName
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Host == "" || base.Hostname() == "":
		// The parser's error quotes the URL, which may hold a password.
		return nil, configError("%s is not a url; want something like %s", name, DefaultBaseURL)
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, configError("%s has the scheme %q; want https", name, base.Scheme)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, configError("%s has a user, a query or a fragment; leave only scheme, host and path", name)
	case base.Scheme == "http" && !cfg.plainHTTP && !loopback(base.Hostname()):
		return nil, configError("%s would send the api key unencrypted to %s; use https, or WithPlainHTTP if you must", name, base.Hostname())
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// guarded copies client, so that its owner's stays as it is, and puts a guard before its
// transport.
func guarded(client *http.Client, base *url.URL) *http.Client {
	var guardedClient http.Client
	if client != nil {
		guardedClient = *client
	}
	next := guardedClient.Transport
	if next == nil {
		next = newTransport()
	}
	guardedClient.Transport = &guard{next: next, scheme: base.Scheme, host: base.Host}
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
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != g.scheme || req.URL.Host != g.host {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: request to %s refused: credentials go to %s only", ErrConfig, req.URL.Host, g.host)
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
