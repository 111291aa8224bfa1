package api_test

import (
	"cmp"
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

func TestNewRefuses(t *testing.T) {
	none := func(http.RoundTripper) http.RoundTripper { return nil }
	const notURL, notHTTPS, extra = "base url is not a url", "; want https", "a user, a query or a fragment"
	const blank = "api key has a space, a newline"
	for _, c := range []struct {
		key  string // the planted one if it is empty
		opt  api.Option
		want string
	}{
		{key: plantedKey + "\n", want: blank},
		{key: "   ", want: blank},
		{key: plantedKey + "é", want: blank},
		{key: strings.Repeat("k", 4097), want: "api key has 4097 characters; want at most 4096"},
		{want: "option 2 is nil"},
		{opt: api.WithHTTPClient(nil), want: "http client is nil"},
		{opt: api.WithLogger(nil), want: "logger is nil"},
		{opt: api.WithMiddleware(nil), want: "middleware is nil"},
		{opt: api.WithMiddleware(none), want: "a middleware returned no transport"},
		{opt: api.WithKeyFunc(nil), want: "key function is nil"},
		{opt: api.WithConnectionRate(nil), want: "connection rate is nil"},
		{opt: api.WithConnection(""), want: "connection id is empty"},
		{opt: api.WithTimeout(0), want: "timeout 0s is out of range"},
		{opt: api.WithTimeout(time.Hour + 1), want: "is out of range; want more than 0 and at most 1h"},
		{opt: api.WithRetries(-1), want: "-1 retries are out of range; want 0 to 20"},
		{opt: api.WithRetries(21), want: "21 retries are out of range; want 0 to 20"},
		{opt: api.WithRateLimit(0, 90), want: "rate of 0 requests a minute is out of range"},
		{opt: api.WithRateLimit(60, 0), want: "burst of 0 requests is out of range"},
		{opt: api.WithRateLimit(60, 1_000_001), want: "burst of 1000001 requests is out of range"},
		{opt: api.WithUserAgent(""), want: "user agent must be printable ASCII"},
		{opt: api.WithUserAgent("a\r\napiKey: b"), want: "user agent must be printable ASCII"},
		{opt: api.WithBaseURL(""), want: "base url is empty"},
		{opt: api.WithBaseURL("api.example"), want: notURL},
		{opt: api.WithBaseURL("https://"), want: notURL},
		{opt: api.WithBaseURL("https://:443"), want: notURL},
		{opt: api.WithBaseURL("https://api.example/%zz"), want: notURL},
		{opt: api.WithBaseURL("//api.example"), want: `the scheme ""` + notHTTPS},
		{opt: api.WithBaseURL("ftp://api.example"), want: `the scheme "ftp"` + notHTTPS},
		{opt: api.WithBaseURL("https://me:" + plantedKey + "@api.example"), want: extra},
		{opt: api.WithBaseURL("https://api.example?key=" + plantedKey), want: extra},
		{opt: api.WithBaseURL("https://api.example?"), want: extra},
		{opt: api.WithBaseURL("https://api.example#x"), want: extra},
		{opt: api.WithBaseURL("http://10.0.0.1"), want: "unencrypted to 10.0.0.1; use https, or WithPlainHTTP"},
		{opt: api.WithBaseURL("http://localhost.example"), want: "unencrypted to localhost.example"},
		{opt: api.WithBaseURL("http://127.0.0.1.example"), want: "unencrypted to 127.0.0.1.example"},
	} {
		t.Run(c.want, func(t *testing.T) {
			opts := []api.Option{api.WithConnection(connection), c.opt}
			if c.key != "" {
				opts = nil
			}
			client, err := api.New(cmp.Or(c.key, plantedKey), opts...)
			if client != nil {
				t.Error("a client beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
}

func TestNewAccepts(t *testing.T) {
	most := []api.Option{api.WithTimeout(time.Hour), api.WithRetries(20), api.WithRateLimit(1_000_000, 1_000_000), api.WithUserAgent(" ~")}
	for key, opts := range map[string][]api.Option{
		strings.Repeat("!~", 2048): most, "least": {api.WithTimeout(1), api.WithRetries(0), api.WithRateLimit(1, 1)},
	} {
		if _, err := api.New(key, opts...); err != nil {
			t.Error(err)
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
	wire.list = []reply{{status: 403, body: `{"error":"sk_rotating_key_018 and sk_rotating_key_032, not sk_rotating_key_017"}`}}
	_, err = unsend(t.Context(), t, client, api.WithRetries(0))
	if !strings.Contains(err.Error(), "[redacted] and [redacted], not sk_rotating_key_017") {
		t.Errorf("the last 16 keys show, or others do not: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	wire = &replies{list: []reply{{status: 200, body: `{"success":true}`}}}
	client = newClient(t, wire, api.WithRateLimit(1, 1), api.WithKeyFunc(func(context.Context) (string, error) {
		cancel()
		return plantedKey, nil
	}))
	_, err = unsend(ctx, t, client)
	if e := apiError(t, err); !errors.Is(err, context.Canceled) || e.Attempts != 0 || e.MaybeUnsent || client.Delay(connection) != 0 {
		t.Errorf("a call that ended while its key was made: %v, %d attempts, delay %v", err, e.Attempts, client.Delay(connection))
	}

	wire = &replies{list: []reply{{status: 503}}}
	client = newClient(t, wire, api.WithKeyFunc(func(context.Context) (string, error) {
		if len(wire.sent) > 0 {
			return "", errors.New("sealed")
		}
		return plantedKey, nil
	}))
	_, err = unsend(t.Context(), t, client)
	checkRefusal(t, err, "key function: sealed")
	if e := apiError(t, err); e.Attempts != 1 || !e.MaybeUnsent || e.StatusCode != 0 {
		t.Errorf("without a key for a retry: %v, %d attempts, MaybeUnsent %v", err, e.Attempts, e.MaybeUnsent)
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
			client := newClient(t, wire, api.WithRateLimit(1, 1), api.WithKeyFunc(func(context.Context) (string, error) { return c.key, c.err }))
			_, err := unsend(t.Context(), t, client)
			checkRefusal(t, err, c.want)
			if delay := client.Delay(connection); delay != 0 {
				t.Errorf("the token was not returned: the next call waits %v", delay)
			}
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
	client := newOwnClient(t, "http://"+server.address, named("outer"), named("inner"))
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
	if e := apiError(t, err); !errors.Is(err, api.ErrConfig) || len(order) != 6 || e.Attempts != 0 {
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

// TestBadIDsAreNotSent: package ids has the rest of them.
func TestBadIDsAreNotSent(t *testing.T) {
	wire := &replies{list: []reply{{status: 200, body: `{"success":true}`}}}
	client := newClient(t, wire)
	call := func(user, message string, opts ...api.CallOption) error {
		_, err := client.Unsend(t.Context(), user, message, opts...)
		return err
	}
	for _, id := range []string{"", "..", "7/8", "7\r\nX: y", "7\xff", strings.Repeat("7", 65)} {
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
				t.Errorf("%q, as a %s: %v", id, what, c.err)
				continue
			}
			checkErrorText(t, c.err)
		}
	}
	if len(wire.sent) != 0 {
		t.Errorf("%d requests were sent", len(wire.sent))
	}
}
