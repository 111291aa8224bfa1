package api_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// replies is a transport that gives one reply to each request, the last one again and again, and
// keeps the requests.
type replies struct {
	list []reply
	sent []*http.Request
	at   []time.Time
}

type reply struct {
	status int
	header http.Header
	body   string
	err    error
	stall  bool // the body ends with the context
}

func (r *replies) RoundTrip(req *http.Request) (*http.Response, error) {
	next := r.list[min(len(r.sent), len(r.list)-1)]
	r.sent, r.at = append(r.sent, req), append(r.at, time.Now())
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if next.err != nil {
		return nil, next.err
	}
	var body io.Reader = strings.NewReader(next.body)
	if next.stall {
		body = io.MultiReader(body, untilDone{req.Context()})
	}
	return newResponse(req, next.status, next.header, body), nil
}

// untilDone is a body that never comes.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// got is a response that was read, and its error.
type got struct {
	status int
	body   string
	means  *api.Error
}

// get sends a request, as a longer generated client does, and reads the response.
func get(ctx context.Context, t *testing.T, client *api.Client, method string, edit func(*http.Request)) (got, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, client.BaseURL()+"/v2/access/chats", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(ctx, req); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(req)
	}
	resp, err := client.HTTPClient().Do(req)
	if err != nil {
		assertNoKey(t, err)
		return got{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	assertNoKey(t, err)
	if resp.StatusCode >= 400 && method != http.MethodHead && resp.ContentLength != int64(len(body)) {
		t.Errorf("the length is %d, and the body has %d bytes", resp.ContentLength, len(body))
	}
	return got{resp.StatusCode, string(body), api.ErrorOf(resp, body)}, err
}

// TestHTTPClientRetries: a GET or HEAD is sent again with the same headers after a transient
// error, and the last response is returned.
func TestHTTPClientRetries(t *testing.T) {
	const half, most = 500 * time.Millisecond, api.MaxBody
	fine, busy, lost := reply{status: 200, body: `[1]`}, reply{status: 503, body: `{"error":"No","type":"NETWORK"}`}, reply{err: io.EOF}
	missing := reply{status: 404, body: `{"error":"No","type":"RESOURCE_NOT_FOUND"}`}
	for name, c := range map[string]struct {
		method   string
		body     string
		list     []reply // the last one is returned
		requests int
		took     time.Duration
		is       string // the sentinel of ErrorOf
	}{
		"fine":               {list: []reply{fine}, requests: 1},
		"503, then fine":     {list: []reply{busy, fine}, requests: 2, took: half},
		"lost thrice":        {list: []reply{lost}, requests: 3, took: 3 * half},
		"a page of 100 KiB":  {list: []reply{{status: 502, body: filler(100 << 10)}}, requests: 3, took: 3 * half, is: "ErrServer"},
		"not retried":        {list: []reply{missing}, requests: 1, is: "ErrNotFound"},
		"HEAD":               {method: http.MethodHead, list: []reply{busy, {status: 200}}, requests: 2, took: half},
		"POST":               {method: http.MethodPost, list: []reply{busy}, requests: 1, is: "ErrServer"},
		"GET with a body":    {body: "{}", list: []reply{busy}, requests: 1, is: "ErrServer"},
		"POST, lost":         {method: http.MethodPost, list: []reply{lost}, requests: 1},
		"8 MiB":              {list: []reply{{status: 200, body: filler(most)}}, requests: 1},
		"switched protocols": {list: []reply{{status: 101}}, requests: 1, is: "ErrUnexpectedResponse"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := &replies{list: c.list}
				method, last := cmp.Or(c.method, http.MethodGet), c.list[len(c.list)-1]
				started := time.Now()
				resp, err := get(t.Context(), t, newClient(t, wire), method, func(req *http.Request) {
					if c.body != "" {
						req.Body = io.NopCloser(strings.NewReader(c.body))
					}
				})
				if took := time.Since(started); len(wire.sent) != c.requests || took != c.took {
					t.Errorf("%d requests in %v, want %d in %v", len(wire.sent), took, c.requests, c.took)
				}
				for _, req := range wire.sent {
					if req.Context().Err() == nil {
						t.Error("an attempt has not ended behind its response")
					}
					if req.Header.Get("apiKey") != plantedKey || req.Header.Get("x-connection-id") != connection {
						t.Errorf("a request without credentials: %v", req.Header.Get("x-connection-id"))
					}
				}
				if last.err != nil {
					e := apiError(t, err)
					if strings.Contains(e.Error(), "unsend message") {
						t.Errorf("the error of a %s is of unsending: %v", method, e)
					}
					if e.Attempts != c.requests || e.MaybeUnsent != (method == http.MethodPost) || !errors.Is(err, io.EOF) {
						t.Errorf("%v: %d attempts, MaybeUnsent %v", err, e.Attempts, e.MaybeUnsent)
					}
					return
				}
				want := last.body
				if last.status != 200 {
					want = want[:min(len(want), 64<<10)]
				}
				if err != nil || resp.status != last.status || resp.body != want {
					t.Fatalf("%v, %d and %.40q; want %d and %.40q", err, resp.status, resp.body, last.status, want)
				}
				is := ""
				if resp.means != nil {
					is = strings.Join(matches(resp.means), " ")
				}
				if is != c.is {
					t.Errorf("the response is %q, want %q", is, c.is)
				}
			})
		})
	}
}

// TestHTTPClientBounds: each attempt has a timeout until its body is closed, which the waits are
// not part of; and a body too long is an error.
func TestHTTPClientBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, caller := range []time.Duration{0, time.Second} {
			wire := &replies{list: []reply{{status: 503}, {status: 200, body: "[", stall: true}}}
			client := newClient(t, nil, api.WithHTTPClient(&http.Client{Transport: wire, Timeout: caller}), api.WithTimeout(2*time.Second))
			want := cmp.Or(caller, 2*time.Second)
			started := time.Now()
			resp, err := get(t.Context(), t, client, http.MethodGet, nil)
			if took := time.Since(started); resp.body != "[" || !errors.Is(err, context.DeadlineExceeded) || took != 500*time.Millisecond+want {
				t.Errorf("%q and %v after %v; want the deadline %v after the backoff", resp.body, err, took, want)
			}
			if client.HTTPClient().Timeout != 0 {
				t.Errorf("the client's own Timeout is %v", client.HTTPClient().Timeout)
			}
		}
	})
	wire := &replies{list: []reply{{status: 200, body: strings.Repeat("x", api.MaxBody+1)}}}
	resp, err := get(t.Context(), t, newClient(t, wire), http.MethodGet, nil)
	if len(resp.body) != api.MaxBody || err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Errorf("%d bytes and %v", len(resp.body), err)
	}
}

// TestHTTPClientRateLimit: the bucket is that of the request's connection, and responses lower it.
func TestHTTPClientRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &replies{list: []reply{{status: 200}, {status: 200}, {status: 200}, {status: 429, header: http.Header{"Retry-After": {"90"}}}}}
		client := newClient(t, wire, api.WithRateLimit(60, 1))
		started := time.Now()
		without := func(req *http.Request) { req.Header.Del("x-connection-id") }
		for i, c := range []struct {
			edit func(*http.Request)
			at   time.Duration
		}{{nil, 0}, {nil, time.Second}, {without, time.Second}, {nil, 2 * time.Second}} {
			if _, err := get(t.Context(), t, client, http.MethodGet, c.edit); err != nil || wire.at[i].Sub(started) != c.at {
				t.Errorf("request %d was sent after %v, want %v: %v", i, wire.at[i].Sub(started), c.at, err)
			}
		}
		if delay := client.Delay(connection); delay != time.Minute {
			t.Errorf("behind a Retry-After the connection is blocked for %v", delay)
		}
	})
}

// TestHintsOfOtherOperations: none speaks of a message, or asks to repeat what may have been carried out.
func TestHintsOfOtherOperations(t *testing.T) {
	for body, statuses := range map[string][]int{
		`{"error":"No","type":"RESOURCE_NOT_FOUND"}`: {400, 403, 404, 410, 422}, `{"error":"No","type":"FORBIDDEN"}`: {403},
	} {
		for _, status := range statuses {
			if hint := api.ErrorOf(&http.Response{StatusCode: status}, []byte(body)).Hint(); strings.Contains(hint, "message") {
				t.Errorf("the hint of a %d is %q", status, hint)
			}
		}
	}
	client := newClient(t, &replies{list: []reply{{err: io.EOF}}}, api.WithRetries(0))
	for method, want := range map[string]string{http.MethodGet: "network", http.MethodPost: "was carried out"} {
		_, err := get(t.Context(), t, client, method, nil)
		if hint := apiError(t, err).Hint(); !strings.Contains(hint, want) || strings.Contains(hint, "404") {
			t.Errorf("the hint of a lost %s is %q, want %q", method, hint, want)
		}
	}
}

// TestAuthenticate keeps a connection that the request has, requires none, and refuses another host.
func TestAuthenticate(t *testing.T) {
	bare, err := api.New(plantedKey)
	if err != nil {
		t.Fatal(err)
	}
	sealed := newClient(t, nil, api.WithKeyFunc(func(context.Context) (string, error) { return "", errors.New("the vault is sealed") }))
	for name, c := range map[string]struct {
		client      *api.Client
		scheme, has string
		host, want  string
		refused     bool
	}{
		"the client's":   {client: newClient(t, nil), want: connection},
		"the request's":  {client: newClient(t, nil), has: "conn_other", want: "conn_other"},
		"none":           {client: bare},
		"its port named": {client: newClient(t, nil), host: "API-next.ofauth.com:443", want: connection},
		"another host":   {client: bare, host: "evil.example", refused: true},
		"another port":   {client: bare, host: "api-next.ofauth.com:80", refused: true},
		"another scheme": {client: bare, scheme: "http", refused: true},
		"no key":         {client: sealed, refused: true},
		"no client":      {refused: true},
		"a zero client":  {client: &api.Client{}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			req := &http.Request{URL: &url.URL{Scheme: cmp.Or(c.scheme, "https"), Host: cmp.Or(c.host, "api-next.ofauth.com")}}
			if c.has != "" {
				req.Header = http.Header{"X-Connection-Id": {c.has}}
			}
			if err := c.client.Authenticate(t.Context(), req); errors.Is(err, api.ErrConfig) != c.refused {
				t.Fatalf("the error is %v", err)
			}
			if (req.Header.Get("apiKey") == plantedKey) == c.refused || req.Header.Get("x-connection-id") != c.want {
				t.Errorf("the key is sent, or not; the connection is %q, want %q", req.Header.Get("x-connection-id"), c.want)
			}
		})
	}
	if err := bare.Authenticate(t.Context(), nil); !errors.Is(err, api.ErrConfig) {
		t.Errorf("no request is %v, want ErrConfig", err)
	}
}

// TestGeneratedKeepsStatusAndBody: a page labelled as JSON is no error of the parser's.
func TestGeneratedKeepsStatusAndBody(t *testing.T) {
	wire := &replies{list: []reply{{status: 502, body: "<html>Bad gateway " + plantedKey}}}
	resp, err := newClient(t, wire).Generated().UnsendChatMessageWithResponse(t.Context(), userID, messageID, unsendBody())
	if err != nil || len(wire.sent) != 1 {
		t.Fatalf("%v after %d requests", err, len(wire.sent))
	}
	e := api.ErrorOf(resp.HTTPResponse, resp.Body)
	if !errors.Is(e, api.ErrServer) || e.Attempts != 1 || e.MaybeUnsent || e.StatusCode != 502 {
		t.Errorf("%v: %d attempts, MaybeUnsent %v", e, e.Attempts, e.MaybeUnsent)
	}
	if body := string(e.Body()); body != "<html>Bad gateway [redacted]" {
		t.Errorf("the body is %q", body)
	}
	wire = &replies{list: []reply{{status: 404, body: `{"error":"No","type":"RESOURCE_NOT_FOUND"}`}}}
	resp, err = newClient(t, wire).Generated().UnsendChatMessageWithResponse(t.Context(), userID, messageID, unsendBody())
	if err != nil {
		t.Fatal(err)
	}
	if resp.JSON404 == nil {
		t.Error("an error of the service was not parsed")
	}
	buffer := []byte("page")
	e = api.ErrorOf(&http.Response{StatusCode: 502}, buffer)
	if copy(buffer, "XXXX"); string(e.Body()) != "page" {
		t.Errorf("the body changed with the caller's buffer: %q", e.Body())
	}
	for _, resp := range []*http.Response{nil, {StatusCode: 200}} {
		if e := api.ErrorOf(resp, nil); e != nil {
			t.Errorf("%v is %v", resp, e)
		}
	}
}
