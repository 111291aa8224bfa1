package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

func TestBaseURLRefused(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"empty":                  {"", "base url is empty"},
		"no scheme":              {"api.example", "base url is not a url"},
		"port without scheme":    {"api.example:443", "base url is not a url"},
		"scheme-relative":        {"//api.example", `the scheme ""; want https`},
		"other scheme":           {"ftp://api.example", `the scheme "ftp"; want https`},
		"file":                   {"file:///etc", "base url is not a url"},
		"no host":                {"https://", "base url is not a url"},
		"only a port":            {"https://:443", "base url is not a url"},
		"broken escape":          {"https://api.example/%zz", "base url is not a url"},
		"bad port":               {"https://api.example:port", "base url is not a url"},
		"newline":                {"https://api.example\n", "base url is not a url"},
		"control":                {"https://api.example/\x00", "base url is not a url"},
		"blank host":             {"https://api example", "base url is not a url"},
		"half an IPv6 address":   {"https://[::1", "base url is not a url"},
		"user":                   {"https://me@api.example", "a user, a query or a fragment"},
		"password":               {"https://me:" + plantedKey + "@api.example", "a user, a query or a fragment"},
		"password, broken":       {"https://me:" + plantedKey + "@api.example:port", "base url is not a url"},
		"query":                  {"https://api.example?key=" + plantedKey, "a user, a query or a fragment"},
		"empty query":            {"https://api.example?", "a user, a query or a fragment"},
		"fragment":               {"https://api.example#" + plantedKey, "a user, a query or a fragment"},
		"plain http":             {"http://api.example", "unencrypted to api.example; use https, or WithPlainHTTP"},
		"plain http, private":    {"http://10.0.0.1", "unencrypted to 10.0.0.1"},
		"plain http, any":        {"http://0.0.0.0:4010", "unencrypted to 0.0.0.0"},
		"plain http, look-alike": {"http://localhost.example", "unencrypted to localhost.example"},
		"plain http, 127 name":   {"http://127.0.0.1.example", "unencrypted to 127.0.0.1.example"},
		"plain http, upper case": {"HTTP://API.example", "unencrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := api.New(plantedKey, api.WithConnection(connection), api.WithBaseURL(c.url))
			checkRefusal(t, err, c.want)
		})
	}
}

func TestBaseURLTaken(t *testing.T) {
	const path = "/v2/access/chats/" + userID + "/messages/" + messageID
	for name, c := range map[string]struct {
		url   string
		plain bool
		want  string
	}{
		"default":            {"", false, api.DefaultBaseURL + path},
		"other host":         {"https://api.example", false, "https://api.example" + path},
		"slash behind":       {"https://api.example/", false, "https://api.example" + path},
		"slashes behind":     {"https://api.example///", false, "https://api.example" + path},
		"path":               {"https://api.example/a/b", false, "https://api.example/a/b" + path},
		"path and slash":     {"https://api.example/a/b/", false, "https://api.example/a/b" + path},
		"escaped path":       {"https://api.example/a%2Fb/", false, "https://api.example/a%2Fb" + path},
		"port":               {"https://api.example:8443", false, "https://api.example:8443" + path},
		"plain loopback":     {"http://127.0.0.1:4010", false, "http://127.0.0.1:4010" + path},
		"plain loopback 2":   {"http://127.8.9.1", false, "http://127.8.9.1" + path},
		"plain IPv6":         {"http://[::1]:4010", false, "http://[::1]:4010" + path},
		"plain localhost":    {"http://localhost:4010", false, "http://localhost:4010" + path},
		"plain where wanted": {"http://api.example", true, "http://api.example" + path},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			opts := []api.Option{}
			if c.url != "" {
				opts = append(opts, api.WithBaseURL(c.url))
			}
			if c.plain {
				opts = append(opts, api.WithPlainHTTP())
			}
			client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				got = req.URL.String()
				return newResponse(req, http.StatusOK, nil, strings.NewReader(`{"success":true}`)), nil
			}), opts...)
			if _, err := unsend(t.Context(), t, client); err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("sent to %s, want %s", got, c.want)
			}
		})
	}
}
