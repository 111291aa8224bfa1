package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// checkRefusal holds an error of New, or of a call that was not sent, to one clear line.
func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, api.ErrConfig) {
		t.Fatalf("want an ErrConfig, got %v", err)
	}
	checkErrorText(t, err)
	assertNoKey(t, err)
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error %q does not say %q", err, want)
	}
}

func TestNewRefusesKeys(t *testing.T) {
	for key, want := range map[string]string{
		"": "api key is missing", plantedKey + "\n": "api key has a space, a newline", "   ": "api key has a space, a newline",
		plantedKey + "\x00": "api key has a space, a newline", plantedKey + "é": "api key has a space, a newline",
	} {
		client, err := api.New(key, api.WithConnection(connection))
		if client != nil {
			t.Error("a client beside the error")
		}
		checkRefusal(t, err, want)
	}
}

func TestNewRefusesOptions(t *testing.T) {
	none := func(http.RoundTripper) http.RoundTripper { return nil }
	for name, c := range map[string]struct {
		opt  api.Option
		want string
	}{
		"nil option":         {nil, "option 2 is nil"},
		"nil http client":    {api.WithHTTPClient(nil), "http client is nil"},
		"nil logger":         {api.WithLogger(nil), "logger is nil"},
		"nil middleware":     {api.WithMiddleware(nil), "middleware is nil"},
		"middleware of nil":  {api.WithMiddleware(none), "a middleware returned no transport"},
		"nil key function":   {api.WithKeyFunc(nil), "key function is nil"},
		"nil rate":           {api.WithConnectionRate(nil), "connection rate is nil"},
		"no connection":      {api.WithConnection(""), "connection id is empty"},
		"timeout 0":          {api.WithTimeout(0), "timeout 0s is out of range"},
		"absurd timeout":     {api.WithTimeout(time.Hour + 1), "is out of range; want more than 0 and at most 1h"},
		"negative retries":   {api.WithRetries(-1), "-1 retries are out of range; want 0 to 20"},
		"absurd retries":     {api.WithRetries(21), "21 retries are out of range; want 0 to 20"},
		"rate 0":             {api.WithRateLimit(0, 90), "rate of 0 requests a minute is out of range"},
		"burst 0":            {api.WithRateLimit(60, 0), "burst of 0 requests is out of range"},
		"user agent empty":   {api.WithUserAgent(""), "user agent must be printable ASCII"},
		"user agent newline": {api.WithUserAgent("a\r\napiKey: b"), "user agent must be printable ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := api.New(plantedKey, api.WithConnection(connection), c.opt)
			if client != nil {
				t.Error("a client beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
}

func TestBaseURLRefused(t *testing.T) {
	for address, want := range map[string]string{
		"": "base url is empty", "api.example": "base url is not a url", "//api.example": `the scheme ""; want https`,
		"ftp://api.example": `the scheme "ftp"; want https`, "https://": "base url is not a url",
		"https://api.example/%zz": "base url is not a url", "https://api.example\n": "base url is not a url",
		"https://me@api.example": "a user, a query or a fragment", "https://me:" + plantedKey + "@api.example": "a user, a query or a fragment",
		"https://api.example?key=" + plantedKey: "a user, a query or a fragment", "https://api.example#x": "a user, a query or a fragment",
		"http://api.example": "unencrypted to api.example; use https, or WithPlainHTTP", "http://10.0.0.1": "unencrypted to 10.0.0.1",
		"http://localhost.example": "unencrypted to localhost.example", "http://127.0.0.1.example": "unencrypted to 127.0.0.1.example",
	} {
		_, err := api.New(plantedKey, api.WithConnection(connection), api.WithBaseURL(address))
		checkRefusal(t, err, want)
	}
}

func TestBaseURLAccepted(t *testing.T) {
	const path = "/v2/access/chats/" + userID + "/messages/" + messageID
	for address, want := range map[string]string{
		"https://api.example": "https://api.example" + path, "https://api.example/a/b/": "https://api.example/a/b" + path,
		"https://api.example/a%2Fb/": "https://api.example/a%2Fb" + path, "https://api.example:8443": "https://api.example:8443" + path,
		"http://127.0.0.1:4010": "http://127.0.0.1:4010" + path, "http://[::1]:4010": "http://[::1]:4010" + path,
		"http://localhost:4010": "http://localhost:4010" + path, "http://api.example": "http://api.example" + path,
	} {
		wire := &replies{list: []reply{{status: 200, body: `{"success":true}`}}}
		opts := []api.Option{api.WithBaseURL(address)}
		if address == "http://api.example" {
			opts = append(opts, api.WithPlainHTTP())
		}
		if _, err := unsend(t.Context(), t, newClient(t, wire, opts...)); err != nil {
			t.Fatal(err)
		}
		if got := wire.sent[0].URL.String(); got != want {
			t.Errorf("sent to %s, want %s", got, want)
		}
	}
}

// TestKeyFunc: each request has the key of its time, and no key shows (P5).
func TestKeyFunc(t *testing.T) {
	number := 0
	rotating := func(context.Context) (string, error) {
		number++
		return fmt.Sprintf("sk_rotating_key_%03d", number), nil
	}
	echo := `{"error":"old sk_rotating_key_001, new sk_rotating_key_002, unused ` + plantedKey + `"}`
	wire := &replies{list: []reply{{status: 503}, {status: 403, body: echo}}}
	client := newClient(t, wire, api.WithKeyFunc(rotating))
	_, err := unsend(t.Context(), t, client, api.WithRetries(1))
	if e := apiError(t, err); e.Message != "old [redacted], new [redacted], unused [redacted]" {
		t.Errorf("the keys show: %s", e.Message)
	}
	for i, req := range wire.sent {
		if want := fmt.Sprintf("sk_rotating_key_%03d", i+1); req.Header.Get("apiKey") != want {
			t.Errorf("request %d was not sent with %s", i, want)
		}
	}
	for range 30 {
		_, _ = unsend(t.Context(), t, client, api.WithRetries(0))
	}
	wire.list = []reply{{status: 403, body: `{"error":"sk_rotating_key_018 and sk_rotating_key_032"}`}}
	if _, err = unsend(t.Context(), t, client, api.WithRetries(0)); !strings.Contains(err.Error(), "[redacted] and [redacted]") {
		t.Errorf("the last 16 keys show: %v", err)
	}

	for name, c := range map[string]struct {
		key  string
		err  error
		want string
	}{
		"an error":    {err: errors.New("vault\nis sealed, not " + plantedKey), want: "key function: vault is sealed, not [redacted]"},
		"no key":      {want: "key function's key is missing"},
		"a bad key":   {key: "sk with blanks", want: "key function's key has a space"},
		"ended early": {err: context.Canceled, want: "key function: context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			wire := &replies{list: []reply{{status: 200}}}
			client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(&http.Client{Transport: wire}),
				api.WithKeyFunc(func(context.Context) (string, error) { return c.key, c.err }))
			if err != nil {
				t.Fatal(err)
			}
			_, err = unsend(t.Context(), t, client)
			checkRefusal(t, err, c.want)
			if e := apiError(t, err); e.Attempts != 0 || e.MaybeUnsent || e.Retryable() || e.Scope != api.ScopeClient || len(wire.sent) != 0 {
				t.Errorf("%v: %d attempts, %d requests", err, e.Attempts, len(wire.sent))
			}
		})
	}
}

// TestMiddleware wraps the transport, the first outermost, below the check of the host (P7).
func TestMiddleware(t *testing.T) {
	var order []string
	named := func(name string) api.Option {
		return api.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return doer(func(req *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(req)
			})
		})
	}
	server := newRawServer(t, nil, respondAll)
	opts := []api.Option{api.WithConnection(connection), api.WithBaseURL("http://" + server.address), named("outer"), named("inner")}
	client, err := api.New(plantedKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.HTTPClient().CloseIdleConnections()
	for range 3 {
		if _, err := unsend(t.Context(), t, client); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(order[:2], " "); got != "outer inner" || len(order) != 6 || server.connections.Load() != 1 {
		t.Errorf("passed %s, %d in all, over %d connections", got, len(order), server.connections.Load())
	}
	elsewhere, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://evil.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.HTTPClient().Do(elsewhere)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, api.ErrConfig) || len(order) != 6 {
		t.Errorf("a request to another host passed: %v", err)
	}
}

// TestConnectionRate: each connection has the rate of its plan, and a bad one is refused (P8).
func TestConnectionRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rates := map[string][2]int{
			"slow": {60, 1}, "fast": {6000, 1}, "free": {0, 0}, "negative": {-1, 1}, "absurd": {1_000_001, 1}, "burstless": {60, 0},
		}
		client := newClient(t, &replies{list: []reply{{status: 200, body: `{"success":true}`}}},
			api.WithConnectionRate(func(id string) (int, int) { return rates[id][0], rates[id][1] }))
		for id, want := range map[string]time.Duration{"slow": 4 * time.Second, "fast": 40 * time.Millisecond, "free": 0} {
			started := time.Now()
			for range 5 {
				if _, err := unsend(t.Context(), t, client, api.WithConnection(id)); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(started); took != want {
				t.Errorf("5 calls of %s took %v, want %v", id, took, want)
			}
		}
		for _, id := range []string{"negative", "absurd", "burstless"} {
			_, err := unsend(t.Context(), t, client, api.WithConnection(id))
			checkRefusal(t, err, "out of range")
			if e := apiError(t, err); e.Attempts != 0 || client.Delay(id) != 0 {
				t.Errorf("%s: %d attempts", id, e.Attempts)
			}
		}
	})
}

// badIDs must never reach a URL, a header or a body.
func badIDs() map[string]string {
	return map[string]string{
		"empty": "", "dot": ".", "dots": "..", "slash": "7/8", "only a slash": "/", "climbing": "../../x",
		"backslash": `7\8`, "query": "7?x=1", "fragment": "7#x", "escaped dots": "%2e%2e", "escaped slash": "7%2f8",
		"percent": "7%", "semicolon": "7;a=b", "blank": "7 8", "blank before": " 7", "blank behind": "7 ", "newline": "7\n",
		"carriage return": "7\r\nX: y", "tab": "7\t", "nul": "7\x00", "delete": "7\x7f", "quote": `7"`, "brace": "{7}",
		"umlaut": "ü", "fullwidth digit": "７", "Arabic digit": "٧", "zero width": "7\u200b", "right to left": "\u202e7", "emoji": "🌞",
		"not UTF-8": "7\xff", "plus": "+7", "dot inside": "7.0", "comma": "7,8", "colon": "a:b", "at": "a@b", "tilde": "~a", "star": "*",
		"65 characters": strings.Repeat("7", 65), "10,000 characters": strings.Repeat("7", 10_000), "10,000 slashes": strings.Repeat("/", 10_000),
	}
}

func TestBadIDsAreNotSent(t *testing.T) {
	wire := &replies{list: []reply{{status: 200, body: `{"success":true}`}}}
	client := newClient(t, wire)
	call := func(user, message string, opts ...api.CallOption) error {
		_, err := client.Unsend(t.Context(), user, message, opts...)
		return err
	}
	for name, id := range badIDs() {
		_, ofClient := api.New(plantedKey, api.WithConnection(id))
		for what, c := range map[string]struct {
			err    error
			config bool
		}{
			"user id": {call(id, messageID), false}, "message id": {call(userID, id), false},
			"connection id": {call(userID, messageID, api.WithConnection(id)), true}, "connection": {ofClient, true},
			"with-user id": {call(userID, messageID, api.WithUserID(id)), true},
		} {
			if !errors.Is(c.err, api.ErrInvalidID) || errors.Is(c.err, api.ErrConfig) != c.config || !strings.Contains(c.err.Error(), what) {
				t.Errorf("%s, as a %s: %v", name, what, c.err)
				continue
			}
			checkErrorText(t, c.err)
		}
	}
	if len(wire.sent) != 0 {
		t.Errorf("%d requests were sent", len(wire.sent))
	}
}
