package network

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// through is a client of base that goes through a forward proxy.
func through(t *testing.T, proxy, base string) *api.Client {
	t.Helper()
	address, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{}}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, base, transport, api.WithPlainHTTP())
}

// TestProxyRefuses: CONNECT is refused, so no request was sent; it may be let through later.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 407, 502, 503} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.Method != http.MethodConnect || r.Header.Get("apiKey") != "" {
					t.Errorf("the proxy was sent a %s", r.Method)
				}
				w.WriteHeader(status)
			}))
			t.Cleanup(proxy.Close)
			l := &line{server: mock.New()}
			_, _ = l.end(t, through(t, proxy.URL, "https://service.example"), ending{attempts: 3})
			if asked.Load() != 3 {
				t.Errorf("the proxy was asked %d times", asked.Load())
			}
		})
	}
}

func TestNoProxyThere(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.proxy.Stop()
	_, _ = l.end(t, through(t, "http://"+l.proxy.Listen, "https://service.example"), ending{attempts: 3})
}

// TestPlainProxyFails: it was handed the request itself, and may have passed it on.
func TestPlainProxyFails(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	l := &line{server: mock.New()}
	_, _ = l.end(t, through(t, proxy.URL, "http://service.example"), ending{attempts: 3, status: 502, maybe: true})
}
