package mock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

func TestClientReachesTheServerUnderAnyHost(t *testing.T) {
	t.Parallel()
	g := overPipe(t)
	for i, base := range []string{"https://api-next.ofauth.com", "http://localhost:4010", "https://[::1]"} {
		g.base = base
		g.unsend("7", string(rune('1'+i))).wantUnsent(t)
	}
}

func TestBrokenConnectionsShowAsOverASocket(t *testing.T) {
	t.Parallel()
	for over, start := range transports() {
		for _, row := range []struct {
			kind mock.Kind
			want error
		}{{mock.Drop, io.EOF}, {mock.Truncated, io.ErrUnexpectedEOF}, {mock.TruncatedLate, io.ErrUnexpectedEOF}} {
			g := start(t)
			g.server.Next(mock.Fault{Kind: row.kind})
			if r := g.tryUnchecked(g.request("7", "9")); !errors.Is(r.err, row.want) {
				t.Errorf("%s, %s: %v, want %v", over, row.kind, r.err, row.want)
			}
		}
	}
}

// An answer is not lost with a client that is still writing its request.
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
		{"while its answer is delayed", mock.Fault{Delay: time.Hour, Acted: true}, time.Second, -1, true},
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
