package mock_test

import (
	"encoding/json"
	"fmt"
	"io"
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

// A test suite in another language, step by step, over the paths of docs/client/mock.md.
func TestControlScriptsReadsAndResets(t *testing.T) {
	t.Parallel()
	exist := mock.WithMessages(mock.Message{UserID: "7", MessageID: "9"}, mock.Message{UserID: "7", MessageID: "8"})
	g := overPipe(t, mock.WithControl(""), exist)
	g.base = "http://localhost"
	g.server.Next(mock.Fault{Status: 500}) // as --fault does
	send := func(messageID string) func() string {
		return func() string {
			r := g.tryUnchecked(g.request("7", messageID))
			return fmt.Sprint(r.status)
		}
	}
	rotate := func() string { g.server.SetKeys("sk_sandbox_rotated"); return "" }
	ask := func(request, body string) func() string {
		return func() string {
			method, path, _ := strings.Cut(request, " ")
			status, text := control(t, g.server, method, path, body)
			return fmt.Sprint(status, " ", text)
		}
	}
	const first = `{"method":"DELETE","path":"/v2/access/chats/7/messages/9","headers":{"connection":"close","content-length":"18",` +
		`"content-type":"application/json","user-agent":"Go-http-client/1.1","x-connection-id":"conn_demo"},` +
		`"body":{"withUserId":"7"},"status":503,"type":"","acted":false,"fault":"503"}`
	sendPlain := func() string {
		r := g.request("7", "4")
		r.Body, r.GetBody, r.ContentLength = io.NopCloser(strings.NewReader("plain")), nil, 5
		return fmt.Sprint(g.tryUnchecked(r).status)
	}
	plain := strings.NewReplacer("messages/9", "messages/4", `"18"`, `"5"`, `{"withUserId":"7"}`, `"plain"`, `"status":503`, `"status":400`,
		`"type":""`, `"type":"BAD_REQUEST"`, `"fault":"503"`, `"fault":""`).Replace(first)
	for i, step := range []struct {
		do   func() string
		want string
	}{
		{ask("GET /_mock/", ""), `200 {"pending":1,"requests":0}`},
		{ask("GET /_mock/faults", ""), `200 ["500"]`},
		{ask("POST /_mock/reset", ""), `200 {}`},
		{ask("GET /_mock/faults", ""), `200 []`},
		{ask("POST /_mock/faults", `["503","drop,acted"]`), `200 {"pending":2}`},
		{ask("POST /_mock/faults", `{"faults":["set=queue.price=0"],"userId":"7","messageId":"8"}`), `200 {"pending":3}`},
		{ask("GET /_mock/faults?userId=7&messageId=8", ""), `200 ["set=queue.price=0"]`},
		{send("9"), "503"}, {send("9"), "0"}, {send("9"), "404"}, {send("8"), "200"}, {send("5"), "404"},
		{ask("GET /_mock/", ""), `200 {"pending":0,"requests":5}`},
		{ask("GET /_mock/requests?status=503", ""), `200 {"requests":[` + first + `],"total":1}`},
		{ask("DELETE /_mock/requests?userId=7&messageId=9", ""), `200 {"total":3}`},
		{sendPlain, "400"},
		{ask("GET /_mock/requests?status=400", ""), `200 {"requests":[` + plain + `],"total":1}`},
		{ask("DELETE /_mock/requests", ""), `200 {"total":3}`},
		{ask("GET /_mock/requests", ""), `200 {"requests":[],"total":0}`},
		{ask("GET /_mock/messages/7/9", ""), `200 {"exists":false,"unsent":true}`},
		{ask("GET /_mock/messages/7/5", ""), `200 {"exists":false,"unsent":false}`},
		{ask("PUT /_mock/messages/7/9", ""), `200 {"exists":true,"unsent":false}`},
		{ask("DELETE /_mock/messages/7/9", ""), `200 {"exists":false,"unsent":false}`},
		{ask("PUT /_mock/messages/7/5", `{"exists":false,"unsent":true}`), `200 {"exists":false,"unsent":true}`},
		{ask("PUT /_mock/connections/conn_demo", `{"state":"expired"}`), `200 {"state":"expired"}`},
		{send("9"), "401"},
		{ask("PUT /_mock/connections/conn_demo", `{"state":"read_only"}`), `200 {"state":"read_only"}`},
		{send("9"), "403"},
		{ask("PUT /_mock/connections/conn_demo", `{}`), `200 {"state":""}`},
		{rotate, ""}, {send("9"), "401"},
		{ask("POST /_mock/faults", `["503","503"]`), `200 {"pending":2}`},
		{ask("POST /_mock/faults", `{"faults":["503"],"userId":"7","messageId":"8"}`), `200 {"pending":3}`},
		{ask("DELETE /_mock/faults?userId=7&messageId=8", ""), `200 {}`},
		{ask("GET /_mock/", ""), `200 {"pending":2,"requests":3}`},
		{ask("DELETE /_mock/faults", ""), `200 {}`},
		{ask("GET /_mock/", ""), `200 {"pending":0,"requests":3}`},
		{ask("POST /_mock/reset", ""), `200 {}`},
		{ask("GET /_mock/", ""), `200 {"pending":0,"requests":0}`},
		{ask("GET /_mock/messages/7/5", ""), `200 {"exists":false,"unsent":false}`},
		{send("9"), "200"},
	} {
		if got := step.do(); got != step.want {
			t.Errorf("step %d:\n got %s\nwant %s", i, got, step.want)
		}
	}
}

func TestControlRefusesBadInput(t *testing.T) {
	t.Parallel()
	server := mock.New(mock.WithControl(""))
	for _, row := range []struct {
		request, body string
		status        int
		says          string
	}{
		{"POST /_mock/faults", ``, 400, "the body must be faults"},
		{"POST /_mock/faults", `["503"`, 400, "the body must be faults"},
		{"POST /_mock/faults", `["503"] []`, 400, "the body must be faults"},
		{"POST /_mock/faults", `[]`, 400, "the body must be faults"},
		{"POST /_mock/faults", `[503]`, 400, "the body must be faults"},
		{"POST /_mock/faults", `{"fault":["503"]}`, 400, "the body must be faults"},
		{"POST /_mock/faults", `["503","nope"]`, 400, `unknown kind \"nope\"`},
		{"POST /_mock/faults", `["drift-price-number"]`, 400, "set=queue.price=0"},
		{"POST /_mock/faults", `["404,acted"]`, 400, "leave out acted"},
		{"POST /_mock/faults", `{"faults":["503"],"userId":"7"}`, 400, "both userId and messageId"},
		{"POST /_mock/faults", strings.Repeat(" ", 65<<10), 400, "request body too large"},
		{"GET /_mock/faults?userId=7", ``, 400, "both userId and messageId"},
		{"GET /_mock/requests?userid=7", ``, 400, `unknown filter \"userid\"; this path takes userId, messageId, status`},
		{"DELETE /_mock/requests?message=9", ``, 400, "unknown filter"},
		{"DELETE /_mock/requests?userId=7;messageId=9", ``, 400, "the query cannot be read"},
		{"GET /_mock/requests?status=5xx", ``, 400, "the filter status is a number"},
		{"DELETE /_mock/faults?status=503", ``, 400, "this path takes userId, messageId"},
		{"POST /_mock/faults?userId=7&messageId=9", `["503"]`, 400, "this path takes none"},
		{"PUT /_mock/messages/7/9?exists=false", ``, 400, "this path takes none"},
		{"PUT /_mock/connections/conn_demo", `{"state":"tired"}`, 400, "no state"},
		{"PUT /_mock/connections/conn_demo", `expired`, 400, "the body must be a state"},
		{"PUT /_mock/connections/a%20b", `{}`, 400, "the id has the character"},
		{"PUT /_mock/messages/7/9", `{"exists":true,"unsent":true}`, 400, "not both true"},
		{"PUT /_mock/messages/7/9", `{"exist":true}`, 400, "the body must be empty"},
		{"GET /_mock/messages/7/a%0Ab", ``, 400, "an id has the character"},
		{"GET /_mock/nothing", ``, 404, "no such method and path"},
		{"POST /_mock/", ``, 404, "no such method and path"},
		{"PATCH /_mock/messages/7/9", ``, 404, "no such method and path"},
	} {
		method, path, _ := strings.Cut(row.request, " ")
		status, text := control(t, server, method, path, row.body)
		if status != row.status || !strings.Contains(text, row.says) || !oneError(text) {
			t.Errorf("%s %.40s: %d %s, want %d and one line with %s", row.request, row.body, status, text, row.status, row.says)
		}
	}
	if _, text := control(t, server, http.MethodGet, "/_mock/", ""); text != `{"pending":0,"requests":0}` {
		t.Errorf("%s, want a mock that bad input did not change", text)
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
			if headers != preflight || (w.Code == http.StatusNoContent) != preflight {
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
