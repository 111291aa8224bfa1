package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// environment sets the variables, and unsets those that are not given.
func environment(t *testing.T, key, conn, base string) {
	t.Helper()
	t.Setenv("OFAUTH_API_KEY", key)
	t.Setenv("OFAUTH_CONNECTION_ID", conn)
	t.Setenv("OFAUTH_BASE_URL", base)
}

func TestFromEnv(t *testing.T) {
	var got *http.Request
	record := api.WithHTTPClient(&http.Client{Transport: judged(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		got = req
		return newResponse(req, http.StatusOK, nil, strings.NewReader(`{"success":true}`)), nil
	}))})
	for name, c := range map[string]struct {
		conn, base string
		opts       []api.Option
		call       []api.CallOption
		wantConn   string
		wantHost   string
	}{
		"both":                {"conn_env", "https://env.example", nil, nil, "conn_env", "env.example"},
		"default host":        {"conn_env", "", nil, nil, "conn_env", "api-next.ofauth.com"},
		"options win":         {"conn_env", "https://env.example", []api.Option{api.WithConnection("conn_opt"), api.WithBaseURL("https://opt.example")}, nil, "conn_opt", "opt.example"},
		"options mend":        {"conn env", "ftp://env.example", []api.Option{api.WithConnection("conn_opt"), api.WithBaseURL("https://opt.example")}, nil, "conn_opt", "opt.example"},
		"the call wins":       {"conn_env", "", nil, []api.CallOption{api.OnConnection("conn_call")}, "conn_call", "api-next.ofauth.com"},
		"only the call's":     {"", "", nil, []api.CallOption{api.OnConnection("conn_call")}, "conn_call", "api-next.ofauth.com"},
		"plain http loopback": {"conn_env", "http://127.0.0.1:4010", nil, nil, "conn_env", "127.0.0.1:4010"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, plantedKey, c.conn, c.base)
			client, err := api.FromEnv(append(c.opts, record)...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := unsend(t.Context(), t, client, c.call...); err != nil {
				t.Fatal(err)
			}
			if got.Header.Get("apiKey") != plantedKey || got.Header.Get("x-connection-id") != c.wantConn || got.URL.Host != c.wantHost {
				t.Errorf("sent to %s on %s", got.URL.Host, got.Header.Get("x-connection-id"))
			}
			hunt(t, client)
		})
	}
}

func TestFromEnvRefuses(t *testing.T) {
	for name, c := range map[string]struct{ key, conn, base, want string }{
		"no key":            {"", "conn_env", "", "OFAUTH_API_KEY is missing"},
		"key with newline":  {plantedKey + "\n", "conn_env", "", "OFAUTH_API_KEY has a space, a newline"},
		"bad connection":    {plantedKey, "conn/env", "", "OFAUTH_CONNECTION_ID has the character '/'"},
		"bad base url":      {plantedKey, "conn_env", "api.example", "OFAUTH_BASE_URL is not a url"},
		"plain http":        {plantedKey, "conn_env", "http://api.example", "OFAUTH_BASE_URL would send the api key unencrypted"},
		"password in base":  {plantedKey, "conn_env", "https://a:" + plantedKey + "@api.example", "OFAUTH_BASE_URL has a user"},
		"blank around base": {plantedKey, "conn_env", " https://api.example", "OFAUTH_BASE_URL is not a url"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, c.key, c.conn, c.base)
			_, err := api.FromEnv()
			checkRefusal(t, err, c.want)
		})
	}
	t.Run("no connection at all", func(t *testing.T) {
		environment(t, plantedKey, "", "")
		client, err := api.FromEnv(api.WithHTTPClient(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			t.Error("a request was sent")
			return nil, errors.New("not to be sent")
		})}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Unsend(t.Context(), userID, messageID)
		checkRefusal(t, err, "OFAUTH_CONNECTION_ID")
	})
}
