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
