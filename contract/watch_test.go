package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// reports collects what a Transport or a Handler reports.
type reports struct {
	mu  sync.Mutex
	all [][]contract.Violation
}

func (r *reports) add(vs []contract.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, vs)
}

// want checks that the exchanges so far were reported with these places, "side pointer" each,
// and forgets them.
func (r *reports) want(t *testing.T, exchanges ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, vs := range r.all {
		var places []string
		for _, v := range vs {
			places = append(places, fmt.Sprintf("%s %s", v.Side, v.Pointer))
		}
		got = append(got, strings.Join(places, ", "))
	}
	if strings.Join(got, "\n") != strings.Join(exchanges, "\n") {
		t.Errorf("reported %q, want %q", got, exchanges)
	}
	r.all = nil
}

// serve starts a server on loopback, and a client that looks at everything it sends and gets.
func serve(t *testing.T, handler http.HandlerFunc) (url string, client *http.Client, seen *reports) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	seen = &reports{}
	client = &http.Client{Transport: contract.Transport(server.Client().Transport, seen.add)}
	return server.URL, client, seen
}

// toServer is a request that meets the contract, for a server.
func toServer(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req := newRequest(t, body)
	at := requestTo(t, "/v2/access/chats/51234567/messages/6432457811894").URL
	at.Host = strings.TrimPrefix(url, "http://")
	req.URL = at
	return req
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that went away is the test's to notice
}

// flush asks the writer itself, as handlers do.
func flush(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	flusher, ok := w.(http.Flusher)
	if !ok {
		t.Error("the answer can no longer be flushed")
		return
	}
	flusher.Flush()
}

func do(t *testing.T, client *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
