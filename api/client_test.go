package api_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestWhatIsSent is the documented request, to each form of base URL.
func TestWhatIsSent(t *testing.T) {
	base := func(url string, opts ...api.Option) []api.Option { return append(opts, api.WithBaseURL(url)) }
	for _, c := range []struct {
		opts                         []api.Option
		call                         []api.CallOption
		url, connection, agent, body string // those of the default if they are empty
	}{
		{},
		{opts: []api.Option{api.WithUserAgent("tool/1")}, agent: "tool/1"},
		{call: []api.CallOption{api.WithConnection("conn_b"), api.WithUserID("999")}, connection: "conn_b", body: `{"withUserId":"999"}`},
		{opts: base("https://api.example"), url: "https://api.example"},
		{opts: base("https://api.example/a/b/"), url: "https://api.example/a/b"},
		{opts: base("https://api.example/a%2Fb/"), url: "https://api.example/a%2Fb"},
		{opts: base("https://api.example:8443"), url: "https://api.example:8443"},
		{opts: base("http://127.0.0.1:4010"), url: "http://127.0.0.1:4010"},
		{opts: base("http://[::1]:4010"), url: "http://[::1]:4010"},
		{opts: base("http://localhost:4010"), url: "http://localhost:4010"},
		{opts: base("http://api.example", api.WithPlainHTTP()), url: "http://api.example"},
	} {
		var got *http.Request
		var body strings.Builder
		closed := false
		client := newClient(t, doer(func(req *http.Request) (*http.Response, error) {
			got = req
			_, _ = io.Copy(&body, req.Body)
			_ = req.Body.Close()
			resp := newResponse(req, http.StatusOK, nil, strings.NewReader(`{"success":true}`))
			resp.Body = closing{resp.Body, &closed}
			return resp, nil
		}), c.opts...)
		if _, err := unsend(t.Context(), t, client, c.call...); err != nil {
			t.Fatal(err)
		}
		if got.Context().Err() == nil || !closed {
			t.Errorf("the attempt has not ended behind its response, or its body is open: closed %v", closed)
		}
		url := cmp.Or(c.url, api.DefaultBaseURL) + "/v2/access/chats/" + userID + "/messages/" + messageID
		if got.Method != http.MethodDelete || got.URL.String() != url {
			t.Errorf("%s %s, want %s", got.Method, got.URL, url)
		}
		want := http.Header{
			"Apikey": {plantedKey}, "Content-Type": {"application/json"},
			"X-Connection-Id": {cmp.Or(c.connection, connection)}, "User-Agent": {cmp.Or(c.agent, "unsend-go/"+api.Version)},
		}
		if !reflect.DeepEqual(got.Header, want) || body.String() != cmp.Or(c.body, `{"withUserId":"51234567"}`) {
			t.Errorf("the body is %s, the header has the key: %v, and else %q, %q", &body, got.Header.Get("apiKey") == plantedKey,
				got.Header.Get("x-connection-id"), got.Header.Get("User-Agent"))
		}
	}
}

// closing is a body that records that it was closed.
type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error {
	*c.closed = true
	return nil
}

// environment sets the variables, and unsets those that are not given.
func environment(t *testing.T, key, conn, base string) {
	t.Helper()
	t.Setenv("OFAUTH_API_KEY", key)
	t.Setenv("OFAUTH_CONNECTION_ID", conn)
	t.Setenv("OFAUTH_BASE_URL", base)
}

func TestFromEnv(t *testing.T) {
	options := []api.Option{api.WithConnection("conn_opt"), api.WithBaseURL("https://opt.example")}
	for name, c := range map[string]struct {
		conn, base         string
		opts               []api.Option
		wantConn, wantHost string
	}{
		"both":            {"conn_env", "https://env.example", nil, "conn_env", "env.example"},
		"no base url":     {"conn_env", "", nil, "conn_env", "api-next.ofauth.com"},
		"options win":     {"conn_env", "https://env.example", options, "conn_opt", "opt.example"},
		"options correct": {"conn env", "ftp://env.example", options, "conn_opt", "opt.example"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, plantedKey, c.conn, c.base)
			wire := &replies{list: []reply{{status: 200, body: `{"success":true}`}}}
			client, err := api.FromEnv(append(c.opts, api.WithHTTPClient(&http.Client{Transport: wire}))...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := unsend(t.Context(), t, client); err != nil {
				t.Fatal(err)
			}
			got := wire.sent[0]
			if got.Header.Get("apiKey") != plantedKey || got.Header.Get("x-connection-id") != c.wantConn || got.URL.Host != c.wantHost {
				t.Errorf("sent to %s on %s", got.URL.Host, got.Header.Get("x-connection-id"))
			}
		})
	}
}

func TestFromEnvRefuses(t *testing.T) {
	for name, c := range map[string]struct{ key, conn, base, want string }{
		"no key":         {"", "conn_env", "", "OFAUTH_API_KEY is missing"},
		"key as id":      {"key", plantedKey + "\n", "", "OFAUTH_CONNECTION_ID has the character"},
		"bad connection": {plantedKey, "conn/env", "", "OFAUTH_CONNECTION_ID has the character '/'"},
		"bad base url":   {plantedKey, "conn_env", "api.example", "OFAUTH_BASE_URL is not a url"},
		"plain http":     {plantedKey, "conn_env", "http://api.example", "OFAUTH_BASE_URL would send the api key unencrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, c.key, c.conn, c.base)
			_, err := api.FromEnv()
			checkRefusal(t, err, c.want)
		})
	}
}

// TestCallsRefusedUnsent holds what is refused at the call to sending nothing.
func TestCallsRefusedUnsent(t *testing.T) {
	sent := &replies{list: []reply{{status: 200}}}
	client := newClient(t, sent)
	bare, err := api.New(plantedKey, api.WithHTTPClient(&http.Client{Transport: sent}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		client *api.Client
		opt    api.CallOption
		want   string
	}{
		"no connection":   {bare, api.WithUserID(userID), "no connection; use WithConnection or OFAUTH_CONNECTION_ID"},
		"nil client":      {nil, api.WithUserID(userID), "client is nil or was not made by New"},
		"zero client":     {&api.Client{}, api.WithUserID(userID), "client is nil or was not made by New"},
		"nil call option": {client, nil, "call option 1 is nil"},
		"a key as the id": {client, api.WithConnection(plantedKey + "\n"), "connection id has the character"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := c.client.Unsend(t.Context(), userID, messageID, c.opt)
			if result != nil {
				t.Error("a result beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
	t.Run("nil context", func(t *testing.T) {
		_, err := client.Unsend(nil, userID, messageID) //nolint:staticcheck // on purpose
		checkRefusal(t, err, "context is nil")
	})
	if n := len(sent.sent); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	for _, none := range []*api.Client{nil, {}} {
		if none.Generated() != nil || none.HTTPClient() != nil || none.BaseURL() != "" || none.Delay(connection) != 0 {
			t.Error("a client that New did not make has another one, an address or a delay")
		}
	}
}

// TestCallersClient is used as it was given to New, with its jar, and is not changed.
func TestCallersClient(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	wire := &replies{list: []reply{{status: 200, body: `{"success":true}`, header: http.Header{"Set-Cookie": {"a=1"}}}}}
	own := &http.Client{Transport: wire, Jar: jar, Timeout: time.Minute}
	before := *own
	client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(own))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*own, before) {
		t.Error("New changed the caller's client")
	}
	if client.HTTPClient().Jar != own.Jar {
		t.Error("HTTPClient has another jar")
	}
	own.Transport, own.Timeout, own.Jar = nil, 1, nil
	for _, want := range []string{"", "a=1"} {
		if _, err := unsend(t.Context(), t, client); err != nil {
			t.Errorf("the client changed with the caller's: %v", err)
		}
		if got := wire.sent[len(wire.sent)-1].Header.Get("Cookie"); got != want {
			t.Errorf("the cookie sent is %q, want %q", got, want)
		}
	}
}

// TestRedirectsAreNotFollowed: the key would go to another host, and DELETE would become GET.
func TestRedirectsAreNotFollowed(t *testing.T) {
	// The policy of the caller's client would follow: it must be ignored.
	lenient := func(req *http.Request, _ []*http.Request) error {
		t.Errorf("the redirect policy was called for %s", req.URL.Host)
		return nil
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"https://evil.example/x", "/v2/access/chats/1/messages/2", "http://[::1:broken%zz", ""} {
			t.Run(fmt.Sprint(status, " to ", location), func(t *testing.T) {
				header := http.Header{"Location": {location}, "X-Request-Id": {"req_1"}}
				wire := &replies{list: []reply{{status: status, header: header}}}
				client := newClient(t, nil, api.WithHTTPClient(&http.Client{Transport: wire, CheckRedirect: lenient}))
				_, err := unsend(t.Context(), t, client)
				e := apiError(t, err)
				if e.StatusCode != status || !errors.Is(err, api.ErrUnexpectedResponse) || e.RequestID != "req_1" || len(wire.sent) != 1 {
					t.Errorf("%v after %d requests", err, len(wire.sent))
				}
				if e.MaybeUnsent != (status == http.StatusSeeOther) { // its meaning is that the request was carried out
					t.Errorf("MaybeUnsent %v", e.MaybeUnsent)
				}
				resp, err := get(t.Context(), t, client, http.MethodGet, nil)
				if err != nil || resp.status != status || len(wire.sent) != 2 {
					t.Errorf("a GET: %d, %v after %d requests", resp.status, err, len(wire.sent))
				}
			})
		}
	}
}
