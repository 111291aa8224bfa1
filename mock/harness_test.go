package mock_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testServer is a server and a way to reach it. Its exchanges are held against the contract.
type testServer struct {
	t      testing.TB
	server *mock.Server
	next   http.RoundTripper
	base   string
}

// transports are the ways to reach a server: tests of its responses run over both.
func transports() map[string]func(testing.TB, ...mock.Option) *testServer {
	return map[string]func(testing.TB, ...mock.Option) *testServer{"pipe": overPipe, "socket": overSocket}
}

func overPipe(t testing.TB, opts ...mock.Option) *testServer {
	t.Helper()
	server := mock.New(opts...)
	return &testServer{t: t, server: server, next: server.Client().Transport, base: "https://api-next.ofauth.com"}
}

func overSocket(t testing.TB, opts ...mock.Option) *testServer {
	t.Helper()
	server := mock.New(opts...)
	base, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	next := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(func() {
		next.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testServer{t: t, server: server, next: next, base: base}
}

// result is what a caller saw.
type result struct {
	status     int
	header     http.Header
	body       string
	err        error // no response, or a body that ended early
	violations []contract.Violation
}

func (g *testServer) request(userID, messageID string) *http.Request {
	g.t.Helper()
	return g.requestOn(mock.DemoConnection, userID, messageID)
}

func (g *testServer) requestOn(connection, userID, messageID string) *http.Request {
	g.t.Helper()
	body := strings.NewReader(`{"withUserId":"` + userID + `"}`)
	target := g.base + "/v2/access/chats/" + userID + "/messages/" + messageID
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodDelete, target, body)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", mock.DemoKey)
	req.Header.Set("x-connection-id", connection)
	return req
}

func setBody(req *http.Request, body string) {
	req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(body)), nil, int64(len(body))
}

// try sends the request and collects the violations of the contract.
func (g *testServer) try(req *http.Request) result {
	g.t.Helper()
	var violations []contract.Violation
	r := send(req, contract.Transport(g.next, func(vs []contract.Violation) { violations = append(violations, vs...) }))
	r.violations = violations
	return r
}

// tryUnchecked sends the request without the contract's checks, for faults by the thousand.
func (g *testServer) tryUnchecked(req *http.Request) result {
	g.t.Helper()
	return send(req, g.next)
}

// send follows no redirect.
func send(req *http.Request, over http.RoundTripper) (r result) {
	client := &http.Client{
		Timeout:       time.Minute,
		Transport:     over,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		r.err = err
		return r
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	r.status, r.header, r.body, r.err = resp.StatusCode, resp.Header, string(body), err
	return r
}

// do sends the request and fails the test unless the exchange honors the contract.
func (g *testServer) do(req *http.Request) result {
	g.t.Helper()
	r := g.try(req)
	if r.err != nil {
		g.t.Fatal(r.err)
	}
	for _, v := range r.violations {
		g.t.Errorf("contract: %s\n%s", v, r.body)
	}
	return r
}

func (g *testServer) unsend(userID, messageID string) result {
	g.t.Helper()
	return g.do(g.request(userID, messageID))
}

// wantProblem asserts an error in the documented shape.
func (r result) wantProblem(t testing.TB, status int, errorType string) {
	t.Helper()
	var body struct{ Error, Type, RequestID string }
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("status %d, no error in JSON: %v\n%s", r.status, err, r.body)
	}
	if r.status != status || body.Type != errorType {
		t.Errorf("status %d %q, want %d %q", r.status, body.Type, status, errorType)
	}
	if body.Error == "" || body.RequestID == "" || body.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("text %q, request id %q in the body and %q in the header", body.Error, body.RequestID, r.header.Get("X-Request-Id"))
	}
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("media type %q", got)
	}
}

// wantUnsent asserts the plain response.
func (r result) wantUnsent(t testing.TB) {
	t.Helper()
	if r.status != http.StatusOK || !strings.HasPrefix(r.body, `{"success":true,`) {
		t.Errorf("status %d %.60q, want a 200 with success first", r.status, r.body)
	}
}

// parsed decodes JSON with its numbers as they stand.
func parsed(t testing.TB, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return object
}
