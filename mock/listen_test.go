package mock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

func TestRestartKeepsState(t *testing.T) {
	t.Parallel()
	g := overSocket(t, mock.WithRateLimit(1, 3))
	g.unsend("7", "9").wantUnsent(t)
	if err := g.server.Close(); err != nil {
		t.Fatal(err)
	}
	if url := g.server.URL(); url != "" {
		t.Errorf("closed, its URL is %q", url)
	}
	if r := g.try(g.request("7", "8")); r.err == nil {
		t.Error("a closed server responds")
	}
	url, err := g.server.StartAddr(strings.TrimPrefix(g.base, "http://"))
	if err != nil || url != g.base || g.server.URL() != url {
		t.Fatalf("started again at %q, was at %q: %v", url, g.base, err)
	}
	r := g.unsend("7", "9")
	r.wantProblem(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	if got := r.header.Get("X-RateLimit-Remaining"); got != "1" {
		t.Errorf("remaining %q, want 1", got)
	}
	if n := len(g.server.Journal()); n != 2 {
		t.Errorf("%d journal entries, want 2", n)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	g := overSocket(t)
	if _, err := g.server.Start(); err == nil || !strings.Contains(err.Error(), "close it first") {
		t.Errorf("started twice: %v", err)
	}
	if _, err := mock.New().StartAddr(strings.TrimPrefix(g.base, "http://")); err == nil || !strings.Contains(err.Error(), "port 0") {
		t.Errorf("address taken: %v", err)
	}
	if _, err := mock.New().StartAddr("no such address"); err == nil {
		t.Error("listens on no address")
	}
	if err := mock.New().Close(); err != nil {
		t.Errorf("closed without listening: %v", err)
	}
}

func TestURLsCanBeUsedAsPrinted(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "0.0.0.0:0", ":0", "localhost:0"} {
		server := mock.New()
		if url, err := server.StartAddr(addr); err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("%s is printed as %s, %v, want http://127.0.0.1:…", addr, url, err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
}

// waitForFaults returns once n requests have met their fault.
func waitForFaults(server *mock.Server, n int) {
	for server.Counts().Faulted < n {
		runtime.Gosched()
	}
}

func TestCloseEndsDelayedResponses(t *testing.T) {
	t.Parallel()
	g := overSocket(t)
	g.server.Next(mock.Fault{Delay: time.Hour}, mock.Fault{Delay: time.Hour})
	results := make(chan result)
	for _, id := range []string{"8", "9"} {
		req := g.request("7", id)
		go func() { results <- g.try(req) }()
	}
	waitForFaults(g.server, 2)
	if err := g.server.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := <-results; r.err == nil {
			t.Errorf("status %d, want none", r.status)
		}
	}
	for _, e := range g.server.Journal() {
		if e.Acted || e.Status != 0 || e.Fault != "delay=1h0m0s" {
			t.Errorf("journal %+v", e)
		}
	}
}

func TestHandlerBesideTheAPI(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("docs")) })
	g := overPipe(t, mock.WithHandler("/docs/", page), mock.WithHandler("/none/", nil), nil)
	req := g.request("7", "9")
	req.URL.Path = "/docs/x"
	if r := g.try(req); r.body != "docs" {
		t.Errorf("%d %q", r.status, r.body)
	}
	g.unsend("7", "9").wantUnsent(t)
	if n := g.server.Counts().Requests; n != 1 {
		t.Errorf("%d requests counted, want 1", n)
	}
}

// A response is not lost for a client that is still writing its request.
func TestRefusalsOfLongBodiesArrive(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte(" "), 1<<20)
	rows := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"too long", func(*http.Request) {}, http.StatusBadRequest},
		{"no key", func(r *http.Request) { r.Header.Del("apiKey") }, http.StatusUnauthorized},
		{"another route", func(r *http.Request) { r.URL.Path = "/" }, http.StatusNotFound},
	}
	for over, start := range transports() {
		g := start(t)
		for _, row := range rows {
			req := g.request("7", "9")
			req.Body, req.GetBody, req.ContentLength = io.NopCloser(bytes.NewReader(long)), nil, int64(len(long))
			row.change(req)
			if r := g.tryUnchecked(req); r.status != row.status || !strings.HasSuffix(r.body, "}") {
				t.Errorf("%s, %s: %d %q %v", over, row.name, r.status, r.body, r.err)
			}
		}
	}
}

// A caller can leave at each point, and hears of it at once; the handler ends.
func TestCancelingEndsTheExchange(t *testing.T) {
	t.Parallel()
	reason := errors.New("changed my mind")
	rows := []struct {
		name    string
		fault   mock.Fault
		leaves  time.Duration
		byThen  int  // bytes of the body
		unsents bool // whether the message was taken
	}{
		{"before", mock.Fault{}, 0, -1, false},
		{"while it is delayed", mock.Fault{Delay: time.Hour}, time.Second, -1, false},
		{"while its response is delayed", mock.Fault{Delay: time.Hour, Acted: true}, time.Second, -1, true},
		{"amid the body", mock.Fault{Kind: mock.Slow, Delay: time.Second}, 2500 * time.Millisecond, 2, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := overPipe(t)
				g.server.Next(row.fault)
				ctx, cancel := context.WithCancelCause(t.Context())
				started := time.Now()
				if row.leaves == 0 {
					cancel(reason)
				} else {
					time.AfterFunc(row.leaves, func() { cancel(reason) })
				}
				resp, err := g.server.Client().Do(g.request("7", "9").WithContext(ctx))
				read := -1
				if err == nil {
					var body []byte
					body, err = io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					read = len(body)
				}
				if !errors.Is(err, reason) || read != row.byThen || time.Since(started) != row.leaves {
					t.Errorf("%v with %d bytes after %v", err, read, time.Since(started))
				}
				synctest.Wait()
				if g.server.Exists("7", "9") == row.unsents {
					t.Errorf("unsent: %v", !row.unsents)
				}
				if j := g.server.Journal(); row.leaves > 0 && (len(j) != 1 || j[0].Acted != row.unsents) {
					t.Errorf("journal %+v", j)
				}
			})
		})
	}
}

type failingBody struct{ err error }

func (b failingBody) Read([]byte) (int, error) { return 0, b.err }

func TestRequestWithoutItsBodyIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk gone")
	for over, start := range transports() {
		g := start(t)
		req := g.request("7", "9")
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(failingBody{broken}), nil, -1
		if r := g.try(req); !errors.Is(r.err, broken) || !g.server.Exists("7", "9") {
			t.Errorf("%s: error %v, status %d, message there: %v", over, r.err, r.status, g.server.Exists("7", "9"))
		}
	}
}
