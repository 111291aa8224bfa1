package contract_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func TestTransportReportsBothSidesOnceAndChangesNothing(t *testing.T) {
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
			url, client, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
				wantRead(t, r.Body, row.request)
				respond(w, row.status, row.response)
			})
			req := toServer(t, url, row.request)
			resp, body := do(t, client, req)
			if body != row.response || resp.StatusCode != row.status {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			if resp.Request != req {
				t.Error("the response names another request")
			}
			seen.want(t, row.want...)
		})
	}
}

func TestTransportStreamsBothWays(t *testing.T) {
	arrived, goOn := make(chan string), make(chan struct{})
	url, client, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
		first := make([]byte, 4)
		_, err := io.ReadFull(r.Body, first)
		if err != nil {
			t.Error(err)
		}
		arrived <- string(first)
		_, _ = io.Copy(io.Discard, r.Body) // what counts was read
		respond(w, http.StatusOK, `{"success"`)
		flush(t, w)
		<-goOn
		_, _ = io.WriteString(w, `:true}`)
	})
	upload, write := io.Pipe()
	go func() {
		_, _ = io.WriteString(write, `{"wi`)
		if got := <-arrived; got != `{"wi` {
			t.Errorf("the server got %q before the rest was written", got)
		}
		_, _ = io.WriteString(write, `thUserId":1}`)
		_ = write.Close()
	}()
	req := toServer(t, url, "")
	req.Body, req.GetBody, req.ContentLength = upload, nil, -1
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 10)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != `{"success"` {
		t.Fatalf("got %q, %v before the rest was written", first, err)
	}
	seen.want(t) // nothing can be said yet
	close(goOn)
	wantRead(t, resp.Body, `:true}`)
	seen.want(t)
	_ = resp.Body.Close()
}

func TestTransportJudgesABodyThatIsClosedEarly(t *testing.T) {
	for name, row := range map[string]struct {
		body string
		read int
		want []string
	}{
		"behind its value":   {`{"success":"yes"}` + strings.Repeat(" ", 4096), 17, []string{"response /success"}},
		"behind its length":  {`{"success":"yes"`, 16, []string{"response "}},
		"inside its value":   {`{"success":"yes","queue":null}`, 17, nil},
		"unread":             {`{"success":"yes"}`, 0, nil},
		"unread, bad status": {`{"success":"yes"}`, 0, []string{"response status"}},
	} {
		t.Run(name, func(t *testing.T) {
			url, client, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				status := http.StatusOK
				if strings.HasSuffix(name, "bad status") {
					status = http.StatusTeapot
				}
				respond(w, status, row.body)
			})
			resp, err := client.Do(toServer(t, url, documentedRequest))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(resp.Body, make([]byte, row.read)); err != nil {
				t.Fatal(err)
			}
			_, _ = resp.Body.Close(), resp.Body.Close()
			seen.want(t, row.want...)
		})
	}
}

func TestTransportReportsABrokenAnswer(t *testing.T) {
	url, client, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		respond(w, http.StatusOK, `{"success":true}`)
	})
	resp, err := client.Do(toServer(t, url, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read error %v", err)
	}
	_ = resp.Body.Close()
	seen.want(t, "response ")
}

func TestTransportReportsTheRequestWhereNoAnswerCame(t *testing.T) {
	refused := errors.New("connection refused")
	seen := &reports{}
	next := roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return nil, refused
	})
	tr := contract.Transport(next, seen.add)
	req := newRequest(t, `{}`)
	req.Header.Del("apiKey")
	if _, err := tr.RoundTrip(req); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	seen.want(t, "request header:apiKey, request /withUserId")

	unread := roundTripper(func(*http.Request) (*http.Response, error) { return nil, refused })
	if _, err := contract.Transport(unread, seen.add).RoundTrip(newRequest(t, `{}`)); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	seen.want(t) // of a body that nobody read nothing is said
}

func TestTransportDoesNotTouchTheCallersRequest(t *testing.T) {
	req := newRequest(t, documentedRequest)
	body, header := req.Body, req.Header.Clone()
	next := roundTripper(func(r *http.Request) (*http.Response, error) {
		wantRead(t, r.Body, documentedRequest)
		_ = r.Body.Close()
		return newResponse(http.StatusOK, `{"success":true}`), nil
	})
	seen := &reports{}
	resp, err := contract.Transport(next, seen.add).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if req.Body != body || fmt.Sprint(req.Header) != fmt.Sprint(header) {
		t.Error("the request changed")
	}
	req.URL.Path, req.Header = "/elsewhere", nil // the caller's again, before the answer is read
	resp.Header.Del("Content-Type")
	wantRead(t, resp.Body, `{"success":true}`)
	seen.want(t)
}

func TestTransportPassesOnWhatIsNoMessage(t *testing.T) {
	seen := &reports{}
	connection := struct {
		io.Reader
		io.WriteCloser
	}{strings.NewReader(""), nil}
	switched := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: connection}, nil
	})
	resp, err := contract.Transport(switched, seen.add).RoundTrip(newRequest(t, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := resp.Body.(io.Writer); !ok {
		t.Error("the connection can no longer be written to")
	}
	seen.want(t, "response status")
}

func TestTransportCarriesAGigabyte(t *testing.T) {
	seen := &reports{}
	next := roundTripper(func(*http.Request) (*http.Response, error) {
		resp := newResponse(http.StatusOK, "")
		resp.Body = io.NopCloser(endless(gib))
		return resp, nil
	})
	before := allocated()
	resp, err := contract.Transport(next, seen.add).RoundTrip(newRequest(t, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != gib || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if grown := allocated() - before; grown > 128*mib {
		t.Errorf("%d MiB allocated", grown/mib)
	}
	seen.want(t, "response ")
}

func TestTransportFromManyGoroutines(t *testing.T) {
	url, client, seen := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		respond(w, http.StatusOK, `{"success":"yes"}`)
	})
	var wg sync.WaitGroup
	var failed atomic.Int32
	for range 8 {
		wg.Go(func() {
			for range 10 {
				resp, err := client.Do(toServer(t, url, documentedRequest))
				if err != nil {
					failed.Add(1)
					continue
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					failed.Add(1)
				}
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d calls failed", failed.Load())
	}
	seen.want(t, strings.Split(strings.Repeat("response /success\n", 80), "\n")[:80]...)
}

func TestTransportWithoutNextUsesTheDefault(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, `{"success":1}`) }))
	t.Cleanup(server.Close)
	seen := &reports{}
	client := &http.Client{Transport: contract.Transport(nil, seen.add)}
	_, _ = do(t, client, toServer(t, server.URL, documentedRequest))
	client.CloseIdleConnections()
	seen.want(t, "response /success")
}
