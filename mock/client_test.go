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

// through sends a request without a socket to a handler of the test's own.
func through(t *testing.T, h http.HandlerFunc, req *http.Request) (*http.Response, error) {
	t.Helper()
	return mock.New(mock.WithHandler("/", h)).Client().Do(req)
}

func TestHandlerSeesWhatAServerWouldSee(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "the caller's")
	req, err := http.NewRequestWithContext(ctx, "", "https://api.example/a%2Fb/c?d=e#f", io.MultiReader(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X-Odd"] = []string{"1", "2"}
	resp, err := through(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "body" {
			t.Errorf("body %q, %v", body, err)
		}
		for _, row := range []struct{ name, got, want string }{
			{"method", r.Method, "GET"},
			{"URL", r.URL.String(), "/a%2Fb/c?d=e"},
			{"path", r.URL.Path, "/a/b/c"},
			{"request URI", r.RequestURI, "/a%2Fb/c?d=e"},
			{"host", r.Host, "api.example"},
			{"proto", r.Proto, "HTTP/1.1"},
			{"header", strings.Join(r.Header["X-Odd"], " "), "1 2"},
			{"user agent", r.UserAgent(), "Go-http-client/1.1"},
			{"encoding", strings.Join(r.TransferEncoding, " "), "chunked"},
		} {
			if row.got != row.want {
				t.Errorf("%s is %q, want %q", row.name, row.got, row.want)
			}
		}
		if r.RemoteAddr == "" || r.ContentLength != -1 || r.Context().Value(key{}) != nil {
			t.Errorf("remote %q, length %d, the caller's value %v", r.RemoteAddr, r.ContentLength, r.Context().Value(key{}))
		}
		r.Header.Set("X-Odd", "changed")
		w.Header().Set("X-Answer", "a")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Answer", "too late")
		w.WriteHeader(http.StatusOK)
	}, req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusTeapot || resp.Status != "418 I'm a teapot" || resp.Header.Get("X-Answer") != "a" || resp.Header.Get("Date") == "" {
		t.Errorf("response %+v", resp)
	}
	if req.Header.Get("X-Odd") != "1" {
		t.Error("the caller's header was changed")
	}
	bare, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://api.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = through(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.ContentLength != 0 || r.URL.Path != "/" {
			t.Errorf("body %v, length %d, path %q", r.Body, r.ContentLength, r.URL.Path)
		}
	}, bare)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	_ = resp.Body.Close()
}

func TestClientFollowsRedirectsAsNetHTTPDoes(t *testing.T) {
	g := memory(t)
	g.server.Next(mock.Fault{Status: 308})
	resp, err := g.server.Client().Do(g.request("7", "9"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	journal := g.server.Journal()
	if resp.StatusCode != http.StatusNotFound || len(journal) != 2 || journal[1].Path != "/moved" || journal[1].Method != http.MethodDelete {
		t.Errorf("answered %d, journal %+v", resp.StatusCode, journal)
	}
}

func TestLongBodyIsStreamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written int
		done := make(chan error, 1)
		chunk := bytes.Repeat([]byte("x"), 10_000)
		// A context that never ends: what ends the handler is its reader's leaving.
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "http://mock/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := through(t, func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				n, err := w.Write(chunk)
				written += n
				if err != nil {
					done <- err
					<-r.Context().Done() // the handler hears of it, too
					return
				}
			}
			done <- nil
		}, req)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if written > 100_000 {
			t.Errorf("%d bytes written ahead of the reader", written)
		}
		got, err := io.ReadAll(io.LimitReader(resp.Body, 500_000))
		if err != nil || len(got) != 500_000 {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		_ = resp.Body.Close()
		if err := <-done; err == nil {
			t.Error("the writer did not hear that its reader left")
		}
		if _, err := resp.Body.Read(make([]byte, 1)); err == nil {
			t.Error("a closed body can be read")
		}
	})
}

// A caller can leave at each point, and hears of it at once; the handler ends.
func TestCancelingEndsTheExchange(t *testing.T) {
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
			synctest.Test(t, func(t *testing.T) {
				g := memory(t)
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

func TestClientTimeoutCountsAsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := memory(t)
		client := g.server.Client()
		client.Timeout = 3 * time.Second
		for _, f := range []mock.Fault{{Delay: time.Minute}, {Kind: mock.Slow, Delay: time.Minute}} {
			g.server.Next(f)
			resp, err := client.Do(g.request("7", "9"))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			var timeout interface{ Timeout() bool }
			if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: %v", f, err)
			}
		}
	})
}

func TestCancelingEndsAHandlerThatReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := memory(t)
		body, _ := io.Pipe() // says nothing, for ever
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := g.request("7", "9").WithContext(ctx)
		req.Body, req.GetBody, req.ContentLength = body, nil, -1
		if r := g.unjudged(req); !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("%v", r.err)
		}
		synctest.Wait()
		if j := g.server.Journal(); len(j) != 1 || j[0].Acted {
			t.Errorf("journal %+v", j)
		}
	})
}

type failingBody struct{ err error }

func (b failingBody) Read([]byte) (int, error) { return 0, b.err }

func TestErrorOfTheCallersBodyReachesTheCaller(t *testing.T) {
	broken := errors.New("disk gone")
	for over, rigged := range transports() {
		t.Run(over, func(t *testing.T) {
			g := rigged(t)
			req := g.request("7", "9")
			req.Body, req.GetBody, req.ContentLength = io.NopCloser(failingBody{broken}), nil, -1
			if r := g.try(req); !errors.Is(r.err, broken) {
				t.Errorf("error %v, status %d", r.err, r.status)
			}
			if !g.server.Exists("7", "9") {
				t.Error("the message was taken by a request without its body")
			}
		})
	}
}
