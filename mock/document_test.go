package mock

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/internal/spec"
)

// An operation without an example gets a 501, whatever else is in the document.
func TestOperationsWithoutExamples(t *testing.T) {
	t.Parallel()
	text, err := spec.JSON(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	const added = `{"operationId":"getChatMessage","responses":{"200":{"description":"d"},"default":{"description":"d","content":{` +
		`"application/json":{"example":{"error":"e","requestId":"r"}}}}}}`
	text = edit(text, "paths./v2/access/chats/{userId}/messages/{messageId}.get", added)
	// Paths that a ServeMux cannot hold, alone or beside the others, cost nobody the mock.
	text = edit(text, "paths./v2/files/{name}:raw", `{"get":`+added+`}`)
	text = edit(text, "paths./v2/access/{what}/7/messages/9", `{"delete":`+added+`}`)
	post := strings.Replace(added, "getChatMessage", "writeChat", 1)
	text = edit(text, "paths./v2/access/chats/{userId}", `{"summary":"s","parameters":[],"post":`+post+`}`)
	server := New()
	server.mux, server.document.operations = http.NewServeMux(), readOperations(parseObject(text))
	if err := server.route(); err != nil {
		t.Fatal(err)
	}

	rows := []struct {
		method, path string
		status       int
		says         string
	}{
		{http.MethodGet, "/v2/access/chats/7/messages/9", http.StatusNotImplemented, `"error":"Not implemented by the mock: getChatMessage"`},
		{http.MethodPost, "/v2/access/chats/7", http.StatusNotImplemented, `"error":"Not implemented by the mock: writeChat"`},
		{http.MethodGet, "/v2/files/a:raw", http.StatusNotFound, `"type":"ROUTE_NOT_FOUND"`},
		{http.MethodPut, "/v2/access/chats/7", http.StatusNotFound, `"type":"ROUTE_NOT_FOUND"`},
		{http.MethodDelete, "/v2/access/chats/7/messages/9", http.StatusUnauthorized, `"type":"UNAUTHORIZED"`},
	}
	for _, row := range rows {
		req := httptest.NewRequestWithContext(t.Context(), row.method, row.path, nil)
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, req)
		if rec.Code != row.status || !strings.Contains(rec.Body.String(), row.says) || !strings.Contains(rec.Body.String(), `"requestId":"req_`) {
			t.Errorf("%s %s: status %d %s", row.method, row.path, rec.Code, rec.Body)
		}
	}
}

// Examples are found under names of any kind, inline or by reference; without one, an error still
// has its documented shape.
func TestExamplesAreFoundByReference(t *testing.T) {
	t.Parallel()
	const document = `{"paths":{"/a":{"$ref":"#/components/pathItems/a~1b"}},"components":{
		"pathItems":{"a/b":{"delete":{"operationId":"x","responses":{
			"200":{"content":{"application/json":{"examples":{
				"no":{"value":{"success":false,"queue":{}}},"one":{"$ref":"#/components/examples/Any"}}}}},
			"401":{"$ref":"#/components/responses/R"},"5XX":{"$ref":"#/components/responses/R"},
			"402":{"content":{"application/json":{"schema":{"example":{"error":"own"}}}}},
			"418":{"$ref":"#/components/responses/nowhere"}}}}},
		"examples":{"Any":{"value":{"queue":{"id":1},"success":true}}},
		"responses":{"R":{"content":{"application/json":{"example":{"error":"only","type":"T"}}}}}}}`
	list := readOperations(parseObject([]byte(document)))
	if len(list) != 1 || list[0].method != http.MethodDelete || list[0].id != "x" || list[0].path != "/a" {
		t.Fatalf("operations %+v", list)
	}
	op := list[0]
	for _, row := range []struct {
		name string
		got  object
		want string
	}{
		{"success", op.success(), `{"queue":{"id":1},"success":true}`},
		{"only example", op.failure(401, ""), `{"error":"only","type":"T"}`},
		{"a schema's own example", op.failure(402, ""), `{"error":"own"}`},
		{"another type", op.failure(401, "U"), `{"error":"only","type":"U"}`},
		{"no example", op.failure(418, "U"), `{"error":"Error","type":"U"}`},
		{"a range", op.failure(503, ""), `{"error":"only","type":"T"}`},
		{"undocumented status, no default", op.failure(409, "U"), `{"error":"Error","type":"U"}`},
		{"no example of a success", operation{}.success(), `{"success":true}`},
	} {
		if got := string(row.got.json()); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, path, value, want string }{
		{"replaces in place", `{"a":1,"b":2}`, "a", "3", `{"a":3,"b":2}`},
		{"adds at the end", `{"a":1}`, "b", "2", `{"a":1,"b":2}`},
		{"leaves out", `{"a":1,"b":2}`, "a", "", `{"b":2}`},
		{"leaves out the last", `{"a":1}`, "a", "", `{}`},
		{"goes deep", `{"a":{"b":{"c":1}}}`, "a.b.c", "2", `{"a":{"b":{"c":2}}}`},
		{"each of a list", `{"a":[{"b":1},{"b":2},3]}`, "a[].b", "0", `{"a":[{"b":0},{"b":0},3]}`},
		{"nothing on the way", `{"a":1}`, "b.c", "2", `{"a":1}`},
		{"no list", `{"a":{"b":1}}`, "a[].b", "2", `{"a":{"b":1}}`},
		{"no object", `[1]`, "a", "2", `[1]`},
		{"names are quoted", `{"a\"<b":1}`, "c", "2", `{"a\"<b":1,"c":2}`},
	} {
		if got := string(edit([]byte(row.text), row.path, row.value)); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestURLsCanBeUsedAsPrinted(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ asked, want string }{
		{"127.0.0.1:0", "http://127.0.0.1:"},
		{"0.0.0.0:0", "http://127.0.0.1:"},
		{":0", "http://127.0.0.1:"},
		{"[::1]:0", "http://[::1]:"},
		{"localhost:0", "http://127.0.0.1:"},
	} {
		server := New()
		url, err := server.StartAddr(row.asked)
		if err != nil {
			if strings.Contains(row.asked, "::") {
				continue // a machine without IPv6
			}
			t.Fatal(err)
		}
		if !strings.HasPrefix(url, row.want) {
			t.Errorf("%s is printed as %s, want %s…", row.asked, url, row.want)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
}
