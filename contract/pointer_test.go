package contract

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestJSONPointer(t *testing.T) {
	for want, path := range map[string][]string{
		"":             nil,
		"/queue/id":    {"queue", "id"},
		"/media/10/id": {"media", "10", "id"},
		"/a~1b/~0/":    {"a/b", "~", ""},
	} {
		if got := jsonPointer(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestLookup(t *testing.T) {
	value := map[string]any{"a": []any{"x", nil}}
	for _, row := range []struct {
		path []string
		want bool
	}{
		{nil, true}, {[]string{"a"}, true}, {[]string{"a", "1"}, true},
		{[]string{"b"}, false}, {[]string{"a", "2"}, false}, {[]string{"a", "-1"}, false},
		{[]string{"a", "x"}, false}, {[]string{"a", "0", "y"}, false},
	} {
		if _, ok := lookup(value, row.path); ok != row.want {
			t.Errorf("%q: found %t, want %t", row.path, ok, row.want)
		}
	}
}

func TestSchemaAt(t *testing.T) {
	id := openapi3.NewStringSchema()
	item := openapi3.NewObjectSchema().WithProperty("id", id)
	root := openapi3.NewAllOfSchema(openapi3.NewObjectSchema().WithProperty("list", openapi3.NewArraySchema().WithItems(item)))
	for _, row := range []struct {
		path []string
		want *openapi3.Schema
	}{
		{nil, root}, {[]string{"list", "7"}, item}, {[]string{"list", "0", "id"}, id},
		{[]string{"list", "id"}, nil}, {[]string{"other"}, nil}, {[]string{"list", "0", "id", "x"}, nil},
	} {
		if got := schemaAt(root, row.path); got != row.want {
			t.Errorf("%q: got %v", row.path, got)
		}
	}
}
