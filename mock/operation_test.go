package mock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

func own(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/own.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func listRequest(g *testServer) *http.Request {
	req := g.request("7", "9")
	req.Method, req.URL.Path = http.MethodGet, "/list/7"
	setBody(req, "")
	return req
}

func TestWithOperation(t *testing.T) {
	t.Parallel()
	calls := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Own", "yes")
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]string{"chat": r.PathValue("chat"), "body": string(body), "type": "OWN"})
	})
	g := overPipe(t, mock.WithDocument(own(t)), mock.WithOperation("GET /list/{chat}", handler))
	stranger := listRequest(g)
	stranger.Header.Del("x-connection-id")
	g.tryUnchecked(stranger).wantProblem(t, http.StatusUnauthorized, "SESSION_NOT_PROVIDED")
	r := g.tryUnchecked(listRequest(g))
	if r.status != http.StatusAccepted || strings.TrimSpace(r.body) != `{"body":"","chat":"7","type":"OWN"}` {
		t.Errorf("%d %s, want the handler's response", r.status, r.body)
	}
	if r.header.Get("X-Own") != "yes" || r.header.Get("X-RateLimit-Limit") != "90" {
		t.Errorf("%v, want the headers of the handler and those of the mock", r.header)
	}
	for _, row := range []struct {
		fault mock.Fault
		runs  int
		want  int
	}{
		{mock.Fault{Kind: mock.Slow}, 1, http.StatusAccepted},
		{mock.Fault{Status: 429}, 0, http.StatusTooManyRequests},
		{mock.Fault{Status: 500}, 0, http.StatusInternalServerError},
		{mock.Fault{Status: 500, Acted: true}, 1, http.StatusInternalServerError},
		{mock.Fault{Kind: mock.Truncated}, 0, http.StatusOK},
		{mock.Fault{Kind: mock.Oversized}, 1, http.StatusAccepted},
	} {
		before := calls
		g.server.Next(row.fault)
		if r := g.tryUnchecked(listRequest(g)); r.status != row.want || calls-before != row.runs {
			t.Errorf("%v: %d after %d calls, want %d after %d", row.fault, r.status, calls-before, row.want, row.runs)
		}
	}
	overlapping := overPipe(t, mock.WithDocument(own(t)),
		mock.WithOperation("GET /a/7/{chat}", handler), mock.WithOperation("GET /redirect", handler))
	overlapping.server.Next(mock.Fault{Kind: mock.Truncated, RetryAfter: "5"}) // of an operation without an example
	redirect := listRequest(overlapping)
	redirect.URL.Path = "/redirect"
	if r := overlapping.tryUnchecked(redirect); r.status != http.StatusOK || r.err == nil {
		t.Errorf("%d %s, want a body that is cut", r.status, r.body)
	}
	req := listRequest(overlapping)
	req.URL.Path = "/a/7/8"
	if r := overlapping.tryUnchecked(req); !strings.Contains(r.body, `"chat":"8"`) {
		t.Errorf("%d %s, want the handler's response", r.status, r.body)
	}
}

// Start names what cannot be served; a request that can reach it gets a 501.
func TestStartNamesWhatCannotBeServed(t *testing.T) {
	t.Parallel()
	handler := http.NotFoundHandler()
	for _, row := range []struct {
		name   string
		option mock.Option
		says   string
	}{
		{"no such operation", mock.WithOperation("GET /v2/access/nothing", handler), `no operation "GET /v2/access/nothing"`},
		{"another method", mock.WithOperation("POST /v2/access/chats/{userId}/messages/{messageId}", handler), "no operation"},
		{"no pattern", mock.WithOperation("GET /v2/{", handler), `"GET /v2/{" is not a pattern`},
		{"no document", mock.WithDocument([]byte("a: [")), "WithDocument"},
		{"an empty document", mock.WithDocument([]byte{}), "WithDocument"},
		{"a text", mock.WithDocument([]byte("openapi")), "WithDocument"},
		{"a merge", mock.WithDocument(bytes.Replace(own(t), []byte("{title: Own,"), []byte("{<<: {title: Own},"), 1)), "WithDocument: write"},
	} {
		server := mock.New(row.option)
		if _, err := server.Start(); err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
			_ = server.Close()
			t.Errorf("%s: %v, want one line with %s", row.name, err, row.says)
		}
	}
	g := overPipe(t, mock.WithOperation("GET /v2/access/nothing", handler))
	req := listRequest(g)
	req.URL.Path = "/v2/access/nothing"
	g.tryUnchecked(req).wantProblem(t, http.StatusNotImplemented, "NOT_IMPLEMENTED")
	g.unsend("7", "9").wantUnsent(t)
}

// What many operations refer to is read once: the time to read a document grows with its length.
func TestLargeDocumentsAreReadOnce(t *testing.T) {
	var paths, schemas strings.Builder
	for i := range 300 {
		schema := fmt.Sprintf("{schema: {$ref: '#/components/schemas/S%d'}}", i)
		fmt.Fprintf(&paths, "  /p%d: {get: {responses: {'200': {description: x, content: {application/json: %s}}}}}\n", i, schema)
		fmt.Fprintf(&schemas, "    S%d: {type: object, description: %s}\n", i, strings.Repeat("x", 4000))
	}
	document := bytes.Replace(own(t), []byte("paths:\n"), []byte("paths:\n"+paths.String()), 1)
	document = bytes.Replace(document, []byte("components:\n"), []byte("components:\n  schemas:\n"+schemas.String()), 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mock.New(mock.WithDocument(document))
	runtime.ReadMemStats(&after)
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 250 {
		t.Errorf("%d MiB were allocated for a document of %d KiB", mib, len(document)>>10)
	}
}
