package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestProxies: what a proxy refuses is the client's error, what it cannot do now is transient (X14).
func TestProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		base     string
		status   int
		callers  bool // the transport is the caller's, which reports only a text
		attempts int
		scope    api.Scope
		maybe    bool
	}{
		"CONNECT 403":             {base: "https://service.example", status: 403, attempts: 1, scope: api.ScopeClient},
		"CONNECT 407":             {base: "https://service.example", status: 407, attempts: 1, scope: api.ScopeClient},
		"CONNECT 429":             {base: "https://service.example", status: 429, attempts: 1, scope: api.ScopeClient},
		"CONNECT 302":             {base: "https://service.example", status: 302, attempts: 3, scope: api.ScopeService},
		"CONNECT 502":             {base: "https://service.example", status: 502, attempts: 3, scope: api.ScopeService},
		"CONNECT 407, a caller's": {base: "https://service.example", status: 407, callers: true, attempts: 1, scope: api.ScopeClient},
		"CONNECT 403, a caller's": {base: "https://service.example", status: 403, callers: true, attempts: 1, scope: api.ScopeClient},
		"CONNECT 502, a caller's": {base: "https://service.example", status: 502, callers: true, attempts: 3, scope: api.ScopeService},
		"of other words":          {base: "https://service.example", status: 499, callers: true, attempts: 3, scope: api.ScopeService},
		"plain 407":               {base: "http://service.example", status: 407, attempts: 1, scope: api.ScopeClient},
		"plain 407, a caller's":   {base: "http://service.example", status: 407, callers: true, attempts: 1, scope: api.ScopeClient},
		"plain 502":               {base: "http://service.example", status: 502, attempts: 3, scope: api.ScopeService, maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				var seen bytes.Buffer
				for in := bufio.NewReader(io.TeeReader(conn, &seen)); s.readRequest(in); {
					if strings.HasPrefix(name, "CONNECT") && strings.Contains(seen.String(), plantedKey) {
						t.Error("the proxy was sent the key")
					}
					reason := "secret of the proxy" // net/http reports it of a caller's transport, and nothing else
					if c.callers && c.status != 499 {
						reason = http.StatusText(c.status)
					}
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Length: 6\r\n\r\nsecret", c.status, reason)
				}
			})
			through := http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.address})
			client := newOwnClient(t, c.base, api.WithPlainHTTP())
			client.Transport().Proxy = through
			if c.callers {
				transport := &http.Transport{Proxy: through}
				t.Cleanup(transport.CloseIdleConnections)
				client = newClient(t, transport, api.WithBaseURL(c.base), api.WithPlainHTTP())
				client.SetJitter(func(time.Duration) time.Duration { return 0 })
			}
			_, err := unsend(t.Context(), t, client)
			e := apiError(t, err)
			if e.Attempts != c.attempts || e.Scope != c.scope || e.MaybeUnsent != c.maybe || proxy.requests.Load() != int64(c.attempts) {
				t.Errorf("%v: %+v; %d requests", err, e, proxy.requests.Load())
			}
			if c.scope == api.ScopeClient && !strings.Contains(e.Hint(), "HTTPS_PROXY") {
				t.Errorf("the hint is %q", e.Hint())
			}
			if strings.HasPrefix(name, "CONNECT") && !c.callers {
				if want := fmt.Sprint("CONNECT with ", c.status); !strings.Contains(e.Message, want) || strings.Contains(e.Message, "secret") {
					t.Errorf("the text is %q, want %q", e.Message, want)
				}
			}
		})
	}
}

// TestKeyInClearThroughAProxy: plain http to this machine is refused if a proxy of another machine
// would see it. Names are compared as hosts are.
func TestKeyInClearThroughAProxy(t *testing.T) {
	for proxy, refused := range map[string]bool{
		"http://proxy.example:1": true, "https://proxy.example:1": true, "socks5://proxy.example:1": true,
		"http://localhost.proxy.example:1": true, "http://10.0.0.1:1": true, "http://0.0.0.0:1": true,
		"http://localhost:1": false, "http://LocalHost.:1": false, "http://[::1]:1": false, "http://127.0.0.2:1": false,
	} {
		for _, base := range []string{"http://localhost:1", "http://LOCALHOST.:1", "http://127.9.9.9:1", "http://[::1]:1"} {
			for _, opts := range [][]api.Option{nil, {api.WithPlainHTTP()}} {
				address, err := url.Parse(proxy)
				if err != nil {
					t.Fatal(err)
				}
				dials := 0
				transport := &http.Transport{Proxy: http.ProxyURL(address), DialContext: func(context.Context, string, string) (net.Conn, error) {
					dials++
					return nil, errors.New("no network")
				}}
				_, err = unsend(t.Context(), t, newClient(t, transport, append(opts, api.WithBaseURL(base), api.WithRetries(0))...))
				refused := refused && opts == nil
				if e := apiError(t, err); (dials == 0) != refused || errors.Is(err, api.ErrConfig) != refused || e.MaybeUnsent {
					t.Errorf("%s through %s: %d dials, %v", base, proxy, dials, err)
				}
			}
		}
	}
}
