package mock_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// control sends one request of a program on this machine to the server's control.
func control(t *testing.T, server *mock.Server, method, path, body string) (status int, text string) {
	t.Helper()
	return controlAs(t, server, method, path, body, func(*http.Request) {})
}

func controlAs(t *testing.T, server *mock.Server, method, path, body string, change func(*http.Request)) (status int, text string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:4010"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5"
	change(r)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n")
}

// Without a token, only programs of this machine and pages that are named control the mock.
func TestControlIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	const loopback = "127.0.0.1:5"
	for _, row := range []struct {
		name, token, host, peer, origin, site, authorization string
		want                                                 int
	}{
		{name: "a program", host: "127.0.0.1:4010", peer: loopback, want: 200},
		{name: "by name", host: "localhost:4010", peer: "[::1]:5", want: 200},
		{name: "by IPv6", host: "[::1]:4010", peer: "[::ffff:127.0.0.1]:5", want: 200},
		{name: "in memory", host: "localhost", peer: "pipe", want: 200},
		{name: "the mock's own page", host: "127.0.0.1:4010", peer: loopback, origin: "http://127.0.0.1:4010", site: "same-origin", want: 200},
		{name: "a page that is named", host: "127.0.0.1:4010", peer: loopback, origin: "http://localhost:5173", site: "same-site", want: 200},
		{name: "a page of another site", host: "127.0.0.1:4010", peer: loopback, origin: "https://evil.example", site: "cross-site", want: 403},
		{name: "a page of an old browser", host: "127.0.0.1:4010", peer: loopback, origin: "https://evil.example", want: 403},
		{name: "an image of another site", host: "127.0.0.1:4010", peer: loopback, site: "cross-site", want: 403},
		{name: "a sandboxed page", host: "127.0.0.1:4010", peer: loopback, origin: "null", want: 403},
		{name: "a page of any origin", host: "127.0.0.1:4010", peer: loopback, origin: "*", want: 403},
		{name: "a name that resolves here", host: "evil.example:4010", peer: loopback, want: 403},
		{name: "a name that looks like here", host: "localhost.evil.example", peer: loopback, want: 403},
		{name: "an address of this machine elsewhere", host: "192.168.0.5:4010", peer: loopback, want: 403},
		{name: "no host", host: "", peer: loopback, want: 403},
		{name: "another machine", host: "127.0.0.1:4010", peer: "10.0.0.7:5", want: 403},
		{name: "an unknown peer", host: "127.0.0.1:4010", peer: "", want: 403},
		{name: "another machine with the token", token: "t0ken", host: "mock:4010", peer: "10.0.0.7:5", authorization: "Bearer t0ken", want: 200},
		{name: "this machine without the token", token: "t0ken", host: "127.0.0.1:4010", peer: loopback, want: 403},
		{name: "a wrong token", token: "t0ken", host: "127.0.0.1:4010", peer: loopback, authorization: "Bearer t0kem", want: 403},
	} {
		server := mock.New(mock.WithControl(row.token), mock.WithCORS("*", "http://localhost:5173"))
		for _, request := range []string{"GET /_mock/requests", "POST /_mock/reset", "DELETE /_mock/faults", "PUT /_mock/messages/7/9"} {
			method, path, _ := strings.Cut(request, " ")
			status, text := controlAs(t, server, method, path, "", func(r *http.Request) {
				r.Host, r.RemoteAddr = row.host, row.peer
				for name, value := range map[string]string{"Origin": row.origin, "Sec-Fetch-Site": row.site, "Authorization": row.authorization} {
					if value != "" {
						r.Header.Set(name, value)
					}
				}
			})
			if status != row.want {
				t.Errorf("%s: %s is %d %s, want %d", row.name, request, status, text, row.want)
			}
			if status == http.StatusForbidden && !oneError(text) {
				t.Errorf("%s: %s, want one line of an error", row.name, text)
			}
		}
	}
}

// oneError reports whether the text is {"error":"…"} in one line.
func oneError(text string) bool {
	var body map[string]string
	return json.Unmarshal([]byte(text), &body) == nil && len(body) == 1 && len(body["error"]) > 10 && !strings.Contains(text, "\n")
}

func TestControlIsOffByDefault(t *testing.T) {
	t.Parallel()
	server := mock.New(mock.WithCORS("*"))
	if status, text := control(t, server, http.MethodGet, "/_mock/", ""); status != 404 || !strings.Contains(text, "ROUTE_NOT_FOUND") {
		t.Errorf("%d %s, want what any unknown path gets", status, text)
	}
}

// Pages of the origins that are named may call the API and read its headers; others may not.
func TestCORS(t *testing.T) {
	t.Parallel()
	const page = "http://localhost:5173"
	for _, row := range []struct {
		name, origin, path string
		origins            []string
		want               string // Access-Control-Allow-Origin
	}{
		{"named", page, "/v2/access/chats/7/messages/9", []string{page}, page},
		{"any", page, "/v2/access/chats/7/messages/9", []string{"*"}, page},
		{"another", "http://localhost:9", "/v2/access/chats/7/messages/9", []string{page}, ""},
		{"none", page, "/v2/access/chats/7/messages/9", nil, ""},
		{"no page", "", "/v2/access/chats/7/messages/9", []string{"*"}, ""},
		{"named, the control", page, "/_mock/faults", []string{page}, page},
		{"any, the control", page, "/_mock/faults", []string{"*"}, ""},
	} {
		for _, method := range []string{http.MethodOptions, http.MethodDelete} {
			server := mock.New(mock.WithControl(""), mock.WithCORS(row.origins...))
			r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:4010"+row.path, nil)
			r.RemoteAddr = "127.0.0.1:5"
			if row.origin != "" {
				r.Header.Set("Origin", row.origin)
			}
			if method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", http.MethodDelete)
				r.Header.Set("Access-Control-Request-Headers", "apikey,content-type,x-connection-id")
			}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			h := w.Header()
			if got := h.Get("Access-Control-Allow-Origin"); got != row.want {
				t.Errorf("%s, %s: allowed %q, want %q", row.name, method, got, row.want)
			}
			preflight := method == http.MethodOptions && row.want != ""
			headers := h.Get("Access-Control-Allow-Headers") == "apikey,content-type,x-connection-id"
			if headers != preflight || (w.Code == http.StatusNoContent) != preflight || (w.Body.Len() == 0) != preflight {
				t.Errorf("%s, %s: %d %v, want a preflight's response: %v", row.name, method, w.Code, h, preflight)
			}
			if row.want != "" && !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Retry-After") {
				t.Errorf("%s, %s: %v, want Retry-After exposed", row.name, method, h)
			}
			if n := len(server.Journal()); preflight && n != 0 {
				t.Errorf("%s: %d requests journaled, want no preflight", row.name, n)
			}
		}
	}
}
