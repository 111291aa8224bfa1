package contract_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// watched starts a server whose handler is looked at, and returns a client that is not.
func watched(t *testing.T, next http.HandlerFunc) (url string, client *http.Client, seen *reports) {
	t.Helper()
	seen = &reports{}
	server := httptest.NewServer(contract.Handler(next, seen.add))
	t.Cleanup(server.Close)
	return server.URL, server.Client(), seen
}

func TestHandlerReportsBothSidesOnceAndChangesNothing(t *testing.T) {
	for name, row := range map[string]struct {
		request, response string
		status            int
		want              []string
	}{
		"documented": {documentedRequest, `{"success":true}`, 200, nil},
		"request":    {`{"withUserId":null}`, `{"success":true}`, 200, []string{"request /withUserId"}},
		"response":   {documentedRequest, `{"success":"yes"}`, 200, []string{"response /success"}},
		"both":       {`{}`, `{}`, 418, []string{"request /withUserId, response status, response /error"}},
		"no body":    {``, ``, 200, []string{"request , response "}},
		"error":      {documentedRequest, documentedError, 404, nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, client, seen := watched(t, func(w http.ResponseWriter, r *http.Request) {
				wantRead(t, r.Body, row.request)
				respond(w, row.status, row.response)
			})
			resp, body := do(t, client, toServer(t, url, row.request))
			if body != row.response || resp.StatusCode != row.status {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			client.CloseIdleConnections()
			seen.want(t, row.want...)
		})
	}
}

func TestHandlerJudgesEveryWayToAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		next http.HandlerFunc
		want []string
	}{
		"body without a status": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"success":`)
			_, _ = io.WriteString(w, `true}`)
		}, nil},
		"nothing at all": {func(http.ResponseWriter, *http.Request) {}, []string{"response "}},
		"no media type": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"success":true}`)
		}, []string{"response header:Content-Type"}},
		"media type too late": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"success":true}`)
			w.Header().Set("Content-Type", "application/json")
		}, []string{"response header:Content-Type"}},
		"early hints first": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			respond(w, http.StatusOK, `{"success":true}`)
		}, nil},
		"two statuses": {func(w http.ResponseWriter, _ *http.Request) {
			respond(w, http.StatusOK, `{"success":true}`)
			w.WriteHeader(http.StatusTeapot)
		}, nil},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>", http.StatusBadGateway)
		}, []string{"response header:Content-Type"}},
		"flushed in parts": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			flush(t, w)
			_, _ = io.WriteString(w, `{"success":7}`)
			_ = http.NewResponseController(w).Flush()
		}, []string{"response /success"}},
		"body of the request unread": {func(w http.ResponseWriter, _ *http.Request) {
			respond(w, http.StatusOK, `{"success":true}`)
		}, nil},
		"copied": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.Copy(w, strings.NewReader(`{"success":null}`))
		}, []string{"response /success"}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &reports{}
			req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(documentedRequest))
			req.Header = newRequest(t, "").Header
			contract.Handler(row.next, seen.add).ServeHTTP(httptest.NewRecorder(), req)
			seen.want(t, row.want...)
		})
	}
}

func TestHandlerReportsTheRequestOfAnAbortedExchange(t *testing.T) {
	for name, row := range map[string]struct {
		next http.HandlerFunc
		want string
	}{
		"before an answer": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, "request /withUserId"},
		"inside the answer": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			respond(w, http.StatusTeapot, `{"er`)
			panic(http.ErrAbortHandler)
		}, "request /withUserId, response status"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &reports{}
			req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(`{}`))
			req.Header = newRequest(t, "").Header
			func() {
				defer func() {
					if got := recover(); got != http.ErrAbortHandler { //nolint:errorlint // the value itself is what a server compares
						t.Errorf("recovered %v", got)
					}
				}()
				contract.Handler(row.next, seen.add).ServeHTTP(httptest.NewRecorder(), req)
			}()
			seen.want(t, row.want)
		})
	}
}

func TestHandlerLetsTheConnectionBeTakenOver(t *testing.T) {
	seen, done := &reports{}, make(chan struct{})
	takeOver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		hijacker, ok := w.(http.Hijacker)
		if !ok {
			t.Error("the connection can no longer be taken over")
			return
		}
		conn, _, err := hijacker.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done) // the client is gone before the handler is
		contract.Handler(takeOver, seen.add).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if resp, err := server.Client().Do(toServer(t, server.URL, `{}`)); err == nil {
		_ = resp.Body.Close()
		t.Error("there was an answer")
	}
	<-done
	seen.want(t, "request /withUserId")
}

func TestHandlerSaysNothingOfAnAnswerThatDidNotArrive(t *testing.T) {
	seen := &reports{}
	req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", strings.NewReader(documentedRequest))
	req.Header = newRequest(t, "").Header
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, `{"success":`) })
	contract.Handler(next, seen.add).ServeHTTP(&gone{header: http.Header{}}, req)
	seen.want(t)
}

// gone is a client that hung up.
type gone struct{ header http.Header }

func (g *gone) Header() http.Header       { return g.header }
func (g *gone) WriteHeader(int)           {}
func (g *gone) Write([]byte) (int, error) { return 0, net.ErrClosed }

func TestHandlerStreams(t *testing.T) {
	goOn := make(chan struct{})
	url, client, seen := watched(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(w, http.StatusOK, "{\n")
		flush(t, w)
		<-goOn
		_, _ = io.WriteString(w, `"success":1}`)
	})
	resp, err := client.Do(toServer(t, url, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(resp.Body)
	if first, err := body.ReadString('\n'); err != nil || first != "{\n" {
		t.Errorf("got %q, %v before the rest was written", first, err)
	}
	seen.want(t)
	close(goOn)
	wantRead(t, body, `"success":1}`)
	_ = resp.Body.Close()
	seen.want(t, "response /success")
}

func TestHandlerHidesNothingFromAController(t *testing.T) {
	seen := &reports{}
	inner := &controlled{ResponseRecorder: httptest.NewRecorder()}
	req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", nil)
	contract.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("hijacked what cannot be: %v", err)
		}
	}), seen.add).ServeHTTP(inner, req)
	if !inner.fullDuplex {
		t.Error("full duplex was not passed on")
	}
	seen.want(t, "request header:apiKey, request header:x-connection-id, request , response ")
}

type controlled struct {
	*httptest.ResponseRecorder
	fullDuplex bool
}

func (c *controlled) EnableFullDuplex() error {
	c.fullDuplex = true
	return nil
}

func TestHandlerTakesAGigabyte(t *testing.T) {
	seen := &reports{}
	req := httptest.NewRequest(http.MethodDelete, "/v2/access/chats/7/messages/9", endless(gib))
	req.Header = newRequest(t, "").Header
	before := allocated()
	contract.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); n != gib || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		w.Header().Set("Content-Type", "application/json")
		if n, err := io.Copy(w, endless(gib)); n != gib || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}), seen.add).ServeHTTP(discard{http.Header{}}, req)
	if grown := allocated() - before; grown > 128*mib {
		t.Errorf("%d MiB allocated", grown/mib)
	}
	seen.want(t, "request , response ")
}

// discard is a client that takes anything.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

func TestHandlerFromManyGoroutines(t *testing.T) {
	url, client, seen := watched(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(w, http.StatusOK, `{"success":"yes"}`)
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				resp, err := client.Do(toServer(t, url, documentedRequest))
				if err != nil {
					t.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	seen.want(t, strings.Split(strings.Repeat("response /success\n", 80), "\n")[:80]...)
}
