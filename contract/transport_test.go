package contract_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

// reports collects what a Transport reports.
type reports struct {
	mu  sync.Mutex
	all []string // for each exchange its places, "side pointer" each
}

func (r *reports) add(vs []contract.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var places []string
	for _, v := range vs {
		places = append(places, fmt.Sprintf("%s %s", v.Side, v.Pointer))
	}
	r.all = append(r.all, strings.Join(places, ", "))
}

// want checks that these exchanges were reported so far, and forgets them.
func (r *reports) want(t *testing.T, exchanges ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.all, exchanges) {
		t.Errorf("reported %q, want %q", r.all, exchanges)
	}
	r.all = nil
}

// serve starts a server on loopback, and a client that looks at everything it sends and gets.
func serve(t *testing.T, handler http.HandlerFunc) (url string, client *http.Client, seen *reports) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	seen = &reports{}
	return server.URL, &http.Client{Transport: contract.Transport(server.Client().Transport, seen.add)}, seen
}

// toServer is a request that meets the contract, for a server.
func toServer(t *testing.T, url, body string) *http.Request {
	t.Helper()
	req := newRequest(t, body)
	req.URL.Host = strings.TrimPrefix(url, "http://")
	return req
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that went away is the test's to notice
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

func TestTransportPassesTheAnswerOnAsItComes(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	url, client, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, `{"success"`)
		_ = http.NewResponseController(w).Flush()
		<-goOn
		_, _ = io.WriteString(w, `:1}`)
	})
	resp, err := client.Do(toServer(t, url, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 10)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != `{"success"` {
		t.Fatalf("got %q, %v before the rest was written", first, err)
	}
	seen.want(t) // nothing can be said yet
	close(goOn)
	wantRead(t, resp.Body, `:1}`)
	seen.want(t, "response /success")
	_ = resp.Body.Close()
	seen.want(t)
}

func TestTransportChecksABodyThatIsClosedEarly(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		body   string
		read   int
		want   []string
	}{
		"behind its value":   {200, `{"success":"yes"}` + strings.Repeat(" ", 4096), 17, []string{"response /success"}},
		"inside its value":   {200, `{"success":"yes","queue":null}`, 17, nil},
		"unread":             {200, `{"success":"yes"}`, 0, nil},
		"unread, bad status": {418, `{"success":"yes"}`, 0, []string{"response status"}},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &reports{}
			next := roundTripper(func(*http.Request) (*http.Response, error) {
				return newResponse(row.status, row.body), nil // whose EOF comes behind its last byte
			})
			resp, err := contract.Transport(next, seen.add).RoundTrip(newRequest(t, documentedRequest))
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
	t.Parallel()
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
	seen.want(t, "response ")
}

func TestTransportReportsTheRequestWhereNoAnswerCame(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	seen := &reports{}
	next := roundTripper(func(*http.Request) (*http.Response, error) { return nil, refused })
	if _, err := contract.Transport(next, seen.add).RoundTrip(newRequest(t, `{}`)); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	seen.want(t, "request /withUserId")
}

func TestTransportDoesNotTouchTheCallersRequest(t *testing.T) {
	t.Parallel()
	req := newRequest(t, documentedRequest)
	body, header := req.Body, req.Header.Clone()
	req.GetBody = func() (io.ReadCloser, error) {
		t.Error("a client that counts its sends was asked for another body")
		return nil, errors.New("no more")
	}
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
	t.Parallel()
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
	wantAllocated(t, 128*mib, func() {
		resp, err := contract.Transport(next, seen.add).RoundTrip(newRequest(t, documentedRequest))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != gib || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
	seen.want(t, "response ")
}

func TestTransportWithoutNextUsesTheDefault(t *testing.T) {
	t.Parallel()
	url, _, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, `{"success":1}`) })
	client := &http.Client{Transport: contract.Transport(nil, seen.add)}
	_, _ = do(t, client, toServer(t, url, documentedRequest))
	client.CloseIdleConnections()
	seen.want(t, "response /success")
}
