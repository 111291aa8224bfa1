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
	return server.URL, &http.Client{Transport: contract.Transport(server.Client().Transport, seen.add, fixedContract(t))}, seen
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

type closer struct {
	roundTripper

	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

func TestTransportPassesOnAReadError(t *testing.T) {
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

func TestTransportReportsTheRequestWithoutAResponse(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	seen := &reports{}
	next := roundTripper(func(*http.Request) (*http.Response, error) { return nil, refused })
	if _, err := contract.Transport(next, seen.add, fixedContract(t)).RoundTrip(newRequest(t, `{}`)); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
	seen.want(t, "request /withUserId")
}

func TestTransportPassesOnALongBodyUnchecked(t *testing.T) {
	const size = 8*mib + 100
	seen := &reports{}
	next := roundTripper(func(*http.Request) (*http.Response, error) {
		resp := newResponse(http.StatusOK, "")
		resp.Header.Set("Content-Type", "text/html")
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", size)))
		return resp, nil
	})
	resp, err := contract.Transport(next, seen.add, fixedContract(t)).RoundTrip(newRequest(t, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	seen.want(t, "response ")
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("%d bytes, %v; want %d", n, err, size)
	}
}

func TestTransportPassesOnTrailersAndConnections(t *testing.T) {
	url, client, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-End")
		respond(w, http.StatusOK, `{"success":true}`)
		w.Header().Set("X-End", "here")
	})
	resp, _ := do(t, client, toServer(t, url, documentedRequest))
	if got := resp.Trailer.Get("X-End"); got != "here" {
		t.Errorf("trailer %q, want here", got)
	}
	connection := struct {
		io.Reader
		io.WriteCloser
	}{strings.NewReader(""), nil}
	switched := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{}, Body: connection}, nil
	})
	resp, err := contract.Transport(switched, seen.add, fixedContract(t)).RoundTrip(newRequest(t, documentedRequest))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := resp.Body.(io.Writer); !ok {
		t.Error("the connection can no longer be written to")
	}
	seen.want(t, "response status")
	next := &closer{roundTripper: switched}
	(&http.Client{Transport: contract.Transport(next, seen.add)}).CloseIdleConnections()
	if !next.closed {
		t.Error("idle connections are not closed")
	}
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
		if _ = r.Body.Close(); r.GetBody == nil {
			t.Error("the next transport cannot send the body again")
		}
		return newResponse(http.StatusOK, `{"success":true}`), nil
	})
	seen := &reports{}
	resp, err := contract.Transport(next, seen.add, fixedContract(t)).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if req.Body != body || fmt.Sprint(req.Header) != fmt.Sprint(header) {
		t.Error("the request changed")
	}
	req.URL.Path, req.Header = "/elsewhere", nil // the caller's again, before the response is read
	resp.Header.Del("Content-Type")
	wantRead(t, resp.Body, `{"success":true}`)
	seen.want(t)
}
