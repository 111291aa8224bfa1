package mock

import (
	"net/http"
	"testing"
)

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
	all := readOperations(parseObject([]byte(document)))
	op := all["x"]
	if len(all) != 1 || op.method != http.MethodDelete || op.path != "/a" {
		t.Fatalf("operations %+v", all)
	}
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
