package mock_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/mock"
)

// longer is openapi.yaml with these operations on paths of their own.
func longer(t *testing.T, paths string) []byte {
	t.Helper()
	text, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(text, []byte("\npaths:\n"), []byte("\npaths:\n"+paths), 1)
}

const listMessages = `  /v2/access/test/{userId}/messages:
    get:
      operationId: listMessages
      security: [{apiKey: [], connectionId: []}]
      parameters:
        - {name: userId, in: path, required: true, schema: {$ref: '#/components/schemas/ID'}}
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200':
          description: The messages.
          content:
            application/json:
              schema: {type: object}
              example: {list: [{id: 9, text: hello}]}
        default: {$ref: '#/components/responses/OtherError'}
    put:
      operationId: sortMessages
      parameters: [{name: userId, in: path, required: true, schema: {$ref: '#/components/schemas/ID'}}]
      responses: {'204': {description: The messages are sorted.}}
`

func listRequest(g *testServer) *http.Request {
	req := g.request("7", "9")
	req.Method, req.URL.Path, req.Body, req.GetBody, req.ContentLength = http.MethodGet, "/v2/access/test/7/messages", nil, nil, 0
	return req
}

// An operation that nobody handles is served by its example, behind everything that unsend is behind.
func TestOperationsAreServedByTheirExamples(t *testing.T) {
	t.Parallel()
	g := overPipe(t, mock.WithDocument(longer(t, listMessages)), mock.WithRateLimit(1, 6))
	send := func(change func(*http.Request)) result {
		req := listRequest(g)
		change(req)
		return g.tryUnchecked(req)
	}
	asItIs := func(*http.Request) {}
	send(func(r *http.Request) { r.Header.Del("apiKey") }).wantProblem(t, http.StatusUnauthorized, "UNAUTHORIZED")
	send(func(r *http.Request) { r.URL.RawQuery = "limit=all" }).wantProblem(t, http.StatusBadRequest, "BAD_REQUEST")
	if r := send(asItIs); r.status != http.StatusOK || r.body != `{"list":[{"id":9,"text":"hello"}]}` {
		t.Errorf("%d %s, want the example", r.status, r.body)
	}
	send(func(r *http.Request) { r.Method = http.MethodPut }).wantStatus(t, http.StatusNoContent)
	g.server.Next(mock.Fault{Status: 503}, mock.Fault{Kind: mock.Drop, Acted: true}, mock.Fault{Set: "list[].text=5"})
	send(asItIs).wantStatus(t, http.StatusServiceUnavailable)
	if r := send(asItIs); r.err == nil {
		t.Errorf("%d %s, want a dropped connection", r.status, r.body)
	}
	if r := send(asItIs); r.body != `{"list":[{"id":9,"text":5}]}` {
		t.Errorf("%s, want the text set", r.body)
	}
	send(asItIs).wantProblem(t, http.StatusTooManyRequests, "RATE_LIMIT_EXCEEDED")
	e := g.server.Journal()[5]
	if e.Fault != "drop,acted" || e.Acted || e.UserID != "7" || e.ConnectionID != mock.DemoConnection {
		t.Errorf("journal %+v, want the fault and no message unsent", e)
	}
}

func (r result) wantStatus(t testing.TB, status int) {
	t.Helper()
	if r.status != status {
		t.Errorf("%d %.80s %v, want %d", r.status, r.body, r.err, status)
	}
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
	g := overPipe(t, mock.WithDocument(longer(t, listMessages)), mock.WithOperation("GET /v2/access/test/{chat}/messages", handler))
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
	g.unsend("7", "9").wantUnsent(t)
}

// Responses are served in whatever form their examples have, and without one if they have no body.
func TestExamplesOfAnyForm(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		responses         string // of YAML
		status            int
		contentType, body string
	}{
		"a type with parameters": {`{'200': {content: {application/json; v=1: {example: {a: 1}}}}}`, 200, "application/json; v=1", `{"a":1}`},
		"a list":                 {`{'200': {content: {'application/*': {example: [1, a]}}}}`, 200, "application/json", `[1,"a"]`},
		"any type":               {`{'200': {content: {'*/*': {schema: {example: 5}}}}}`, 200, "application/json", `5`},
		"a range of suffixes":    {`{2XX: {content: {application/*+json: {example: {a: 1}}}}}`, 200, "application/vnd.mock+json", `{"a":1}`},
		"a text":                 {`{'201': {content: {text/plain: {example: "a b"}}}}`, 201, "text/plain", "a b"},
		"a text in JSON":         {`{'201': {content: {application/json: {example: "a b"}}}}`, 201, "application/json", `"a b"`},
		"the second":             {`{'201': {content: {text/csv: {}}}, '202': {content: {text/csv: {example: "a,b"}}}}`, 202, "text/csv", "a,b"},
		"no body":                {`{'200': {}, '400': {content: {application/json: {example: {error: x}}}}}`, 200, "", ""},
		"the default alone":      {`{default: {content: {application/json: {example: {a: 1}}}}}`, 200, "application/json", `{"a":1}`},
		"the default of errors":  {`{'200': {content: {a/b: {}}}, default: {content: {a/b: {example: a}}}}`, 501, "application/json", ""},
		"a redirect alone":       {`{'302': {}}`, 501, "application/json", ""},
		"no example":             {`{'404': {$ref: '#/components/responses/NotFound'}}`, 501, "application/json", ""},
	} {
		responses := regexp.MustCompile(`('\d..'|2XX|default): {`).ReplaceAllString(row.responses, "$1: {description: x, ")
		g := overPipe(t, mock.WithDocument(longer(t, "  /test:\n    delete:\n      responses: "+responses+"\n")))
		req := g.request("7", "9")
		req.URL.Path = "/test"
		r := g.tryUnchecked(req)
		if r.status != row.status || r.header.Get("Content-Type") != row.contentType || row.status != 501 && r.body != row.body {
			t.Errorf("%s: %d %q %s, want %d %q %s", name, r.status, r.header.Get("Content-Type"), r.body, row.status, row.contentType, row.body)
		}
	}
}

// A request is of the operation that the contract finds for it, although a ServeMux could not hold
// these paths.
func TestPathsThatAreAlike(t *testing.T) {
	t.Parallel()
	paths := ""
	for _, path := range []string{"/v2/access/test/{id}/7", "/v2/access/test/7/{id}", "/v2/access/test/{id}:raw", "/v2/access/test/"} {
		paths += "  " + path + ":\n    get:\n      operationId: '" + path + `'
      responses: {'200': {description: x, content: {text/plain: {example: '` + path + "'}}}}\n"
		if strings.Contains(path, "{") {
			paths += "      parameters: [{name: id, in: path, required: true, schema: {$ref: '#/components/schemas/ID'}}]\n"
		}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "own "+r.PathValue("own")) })
	g := overPipe(t, mock.WithDocument(longer(t, paths)), mock.WithOperation("GET /v2/access/test/7/{own}", handler))
	for path, want := range map[string]string{
		"GET /v2/access/test/8/7":   "/v2/access/test/{id}/7",
		"GET /v2/access/test/7/8":   "own 8",
		"GET /v2/access/test/8:raw": "/v2/access/test/{id}:raw",
		"GET /v2/access/test/":      "/v2/access/test/",
		"GET /v2/access/test":       "ROUTE_NOT_FOUND",
		"HEAD /v2/access/test/7/8":  "",
		"PUT /v2/access/test/7/8":   "ROUTE_NOT_FOUND",
	} {
		req := g.request("7", "9")
		req.Method, req.URL.Path, _ = strings.Cut(path, " ")
		if r := g.tryUnchecked(req); !strings.Contains(r.body, want) || want == "" && r.status != http.StatusNotFound {
			t.Errorf("%s: %d %s, want %s", path, r.status, r.body, want)
		}
	}
	g.unsend("7", "9").wantUnsent(t)
}

// Who sends a key all the same is limited as its connection is.
func TestOperationsWithoutSecurity(t *testing.T) {
	t.Parallel()
	paths := ""
	for path, security := range map[string]string{"/none": "[]", "/optional": "[{apiKey: []}, {}]", "/own": "[{apiKey: []}]"} {
		paths += "  " + path + ":\n    delete: {security: " + security + ", responses: {'204': {description: x}}}\n"
	}
	g := overPipe(t, mock.WithDocument(longer(t, paths)), mock.WithRateLimit(1, 1))
	for _, row := range []struct {
		path   string
		key    bool
		status int
	}{
		{"/none", false, 204}, {"/optional", false, 204}, {"/own", false, 401},
		{"/none", true, 204}, {"/none", true, 429}, {"/none", false, 204},
	} {
		req := g.request("7", "9")
		req.URL.Path = row.path
		if !row.key {
			req.Header.Del("apiKey")
		}
		g.tryUnchecked(req).wantStatus(t, row.status)
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
		{"a merge", mock.WithDocument(longer(t, "  /x:\n    get:\n      <<: {responses: {'200': {description: x}}}\n")), "WithDocument: write"},
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
