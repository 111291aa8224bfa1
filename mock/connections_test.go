package mock_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// A request with several flaws is refused for the first in the order of checks; each row
// fixes one and meets the next.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.GetBody, r.ContentLength = io.NopCloser(strings.NewReader(text)), nil, int64(len(text))
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	steps := []struct {
		name   string
		fix    []func(*http.Request)
		status int
		kind   string
		part   string // of the text
	}{
		{"no key", []func(*http.Request){header("apiKey", ""), header("x-connection-id", ""), body(`{}`)}, 401, "UNAUTHORIZED", "key"},
		{"unknown key", []func(*http.Request){header("apiKey", "sk_sandbox_other")}, 401, "UNAUTHORIZED", "key"},
		{"no connection", []func(*http.Request){header("apiKey", "writer")}, 401, "SESSION_NOT_PROVIDED", "onnection"},
		{"unknown connection", []func(*http.Request){header("x-connection-id", "conn_other")}, 401, "SESSION_NOT_PROVIDED", "onnection"},
		{"expired", []func(*http.Request){header("x-connection-id", "conn_expired")}, 401, "SESSION_EXPIRED", "expired"},
		{"rules outdated", []func(*http.Request){header("x-connection-id", "conn_outdated")}, 401, "RULES_OUTDATED", "rules"},
		{"bucket empty", []func(*http.Request){header("x-connection-id", "conn_empty")}, 429, "RATE_LIMIT_EXCEEDED", "limit"},
		{"connection only reads", []func(*http.Request){header("x-connection-id", "conn_reads")}, 403, "FORBIDDEN", "messages:write"},
		{"contract", []func(*http.Request){header("x-connection-id", "conn_good")}, 400, "BAD_REQUEST", "withUserId"},
		{"message", []func(*http.Request){body(`{"withUserId":"7"}`), header("x-connection-id", "conn_good_too")},
			404, "RESOURCE_NOT_FOUND", "essage"},
	}
	g := overPipe(t,
		mock.WithKeys("writer", ""), mock.WithRateLimit(1, 1),
		mock.WithMessages(mock.Message{UserID: "7", MessageID: "1"}, mock.Message{UserID: "7", MessageID: "2"}),
		mock.WithConnections(
			mock.Connection{ID: "conn_expired", State: mock.Expired, ReadOnly: true},
			mock.Connection{ID: "conn_outdated", State: mock.RulesOutdated, ReadOnly: true},
			mock.Connection{ID: "conn_empty", ReadOnly: true},
			// One for each row: a connection has one token.
			mock.Connection{ID: "conn_reads", ReadOnly: true},
			mock.Connection{ID: "conn_good"}, mock.Connection{ID: "conn_good_too"}, mock.Connection{}, // which has no id
		))
	empty := g.requestOn("conn_empty", "7", "2")
	empty.Header.Set("apiKey", "writer")
	g.do(empty).wantProblem(t, http.StatusForbidden, "FORBIDDEN") // takes the one token

	var fixes []func(*http.Request)
	for _, step := range steps {
		fixes = append(fixes, step.fix...)
		req := g.request("7", "9")
		for _, fix := range fixes {
			fix(req)
		}
		r := g.try(req)
		p := r.wantProblem(t, step.status, step.kind)
		if !strings.Contains(p.Error, step.part) {
			t.Errorf("%s: text %q does not say %q", step.name, p.Error, step.part)
		}
		if want := map[bool]string{true: "refresh_session"}[step.kind == "SESSION_EXPIRED"]; p.ActionRequired != want {
			t.Errorf("%s: actionRequired %q, want %q", step.name, p.ActionRequired, want)
		}
		for _, v := range r.violations {
			if v.Side != "request" {
				t.Errorf("%s: %s", step.name, v)
			}
		}
	}
	if n := g.server.Counts().Unsent; n != 0 {
		t.Errorf("%d messages unsent by refused requests", n)
	}
}

// A request that violates the contract gets a 400 with the reason, which quotes nothing of it.
func TestContractViolationsAreRefused(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, target, contentType, body, says string }{
		{"empty body", "", "application/json", "", "body"},
		{"not JSON", "", "application/json", "secret", ""},
		{"no withUserId", "", "application/json", `{"other":"secret"}`, "/withUserId"},
		{"withUserId null", "", "application/json", `{"withUserId":null}`, "/withUserId"},
		{"wrong media type", "", "text/plain", `{"withUserId":"7"}`, "Content-Type"},
		{"user id with a blank", "/v2/access/chats/a%20secret/messages/9", "application/json", `{"withUserId":"7"}`, "userId"},
		{"message id with a slash", "/v2/access/chats/7/messages/a%2Fsecret", "application/json", `{"withUserId":"7"}`, "messageId"},
		{"message id too long", "/v2/access/chats/7/messages/" + strings.Repeat("9", 65), "application/json", `{"withUserId":"7"}`, "messageId"},
		{"body too large", "", "application/json", `{"withUserId":"7"` + strings.Repeat(" ", 64<<10) + "}", "65536"},
	}
	g := overPipe(t)
	for _, row := range rows {
		target := g.base + "/v2/access/chats/7/messages/9"
		if row.target != "" {
			target = g.base + row.target
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, target, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = g.request("7", "9").Header
		req.Header.Set("Content-Type", row.contentType)
		r := g.try(req)
		p := r.wantProblem(t, http.StatusBadRequest, "BAD_REQUEST")
		if !strings.Contains(p.Error, row.says) || strings.Contains(p.Error, "secret") || len(p.Error) > 500 {
			t.Errorf("%s: error %q", row.name, p.Error)
		}
	}
	if n := g.server.Counts().Unsent; n != 0 {
		t.Errorf("%d messages unsent by bad requests", n)
	}
	for _, body := range []string{`{"withUserId":7}`, ` { "withUserId" : "x" , "more": [] } `, `{"withUserId":"<string>"}`} {
		req := g.request("7", "1"+strings.Repeat("0", len(body)))
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(body)), nil, int64(len(body))
		g.do(req).wantUnsent(t)
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	t.Parallel()
	rows := []struct{ method, target string }{
		{http.MethodDelete, "//"},
		{http.MethodDelete, "/v2/access/chats/7/messages/9/"},
		{http.MethodDelete, "/v2/access/chats//messages/9"},
		{http.MethodDelete, "//v2/access/chats/7/messages/9"},
		{http.MethodDelete, "/v2/access/chats/../messages/9"},
		{http.MethodDelete, "/v2/access/chats/7/messages/.."},
		{http.MethodDelete, "/v2/access/messages/9"},
		{http.MethodDelete, "/V2/access/chats/7/messages/9"},
		{"PURGE", "/v2/access/chats/7/messages/9"}, // no method that the contract may come to have
	}
	g := overPipe(t)
	for _, row := range rows {
		req := g.request("7", "9")
		req.Method = row.method
		req.URL.Path = row.target
		r := g.try(req)
		r.wantProblem(t, http.StatusNotFound, "ROUTE_NOT_FOUND")
		for _, v := range r.violations {
			if v.Side != "request" && v.Pointer != "operation" { // of several operations, none is meant
				t.Errorf("%s %s: %s", row.method, row.target, v)
			}
		}
	}
	head := g.request("7", "9")
	head.Method, head.URL.Path = http.MethodHead, "/v2/elsewhere"
	if r := g.try(head); r.status != http.StatusNotFound || r.body != "" || r.err != nil {
		t.Errorf("HEAD: %d %q %v", r.status, r.body, r.err)
	}
	if !g.server.Exists("7", "9") {
		t.Error("a request on another route took the message")
	}
}

// fill sends requests until one is refused, and returns how many were let through and the
// refusal.
func (g *testServer) fill(first int) (int, result) {
	g.t.Helper()
	for n := 0; ; n++ {
		if r := g.tryUnchecked(g.request("7", strconv.Itoa(first+n))); r.status != http.StatusOK {
			return n, r
		}
	}
}

func TestRateLimitAsDocumented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t)
		n, r := g.fill(1000)
		if n != 90 {
			t.Errorf("%d requests at once, want 90", n)
		}
		r.wantProblem(t, http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED")
		if got := r.header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q, want 1", got)
		}
		if !g.server.Exists("7", "1090") {
			t.Error("a request that was limited took its message")
		}
		for i, row := range []struct {
			wait time.Duration
			want int
		}{{time.Second - 1, 0}, {1, 1}, {time.Minute, 60}, {time.Hour, 90}} {
			time.Sleep(row.wait) //nolint:forbidigo // virtual
			if n, _ := g.fill(10_000 * (i + 1)); n != row.want {
				t.Errorf("%d requests after another %v, want %d", n, row.wait, row.want)
			}
		}
	})
}

func TestRateLimitHeadersCountDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, mock.WithRateLimit(30, 3))
		wantLimit(t, g.unsend("7", "1"), "2", "2")
		g.server.SetConnection(mock.Connection{ID: mock.DemoConnection}) // which keeps its bucket
		wantLimit(t, g.unsend("7", "1"), "1", "4")                       // a 404 takes a token, too
		time.Sleep(500 * time.Millisecond)                               //nolint:forbidigo // virtual
		wantLimit(t, g.unsend("7", "2"), "0", "6")                       // 5.5 s, rounded up
		r := g.unsend("7", "3")
		wantLimit(t, r, "0", "6")
		if got := r.header.Get("Retry-After"); got != "2" { // 1.5 s, rounded up
			t.Errorf("Retry-After %q, want 2", got)
		}
		if got := r.header.Get("X-RateLimit-Limit"); got != "3" {
			t.Errorf("X-RateLimit-Limit %q, want 3", got)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // virtual
		g.unsend("7", "3").wantUnsent(t)
		if got := g.server.Counts().Limited; got != 1 {
			t.Errorf("%d limited, want 1", got)
		}
		wantLimit(t, overPipe(t, mock.WithoutRateLimit()).unsend("7", "1"), "", "")
	})
}

func wantLimit(t *testing.T, r result, remaining, reset string) {
	t.Helper()
	if got := r.header.Get("X-RateLimit-Remaining"); got != remaining {
		t.Errorf("X-RateLimit-Remaining %q, want %q", got, remaining)
	}
	if got := r.header.Get("X-RateLimit-Reset"); got != reset {
		t.Errorf("X-RateLimit-Reset %q, want %q", got, reset)
	}
}
