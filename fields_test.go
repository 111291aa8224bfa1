package unsend_test

import (
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/unsend-go/unsend/internal/spec"
)

// field is one line of testdata/fields.tsv: what is published and seen of one property.
type field struct {
	path, example, published, presence, wire string
}

// documentedFields reads testdata/fields.tsv, which holds every property of the 200 body.
func documentedFields(t *testing.T) []field {
	t.Helper()
	data, err := os.ReadFile("testdata/fields.tsv")
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	var fields []field
	for line := range strings.SplitSeq(lines, "\n") {
		columns := strings.Split(line+strings.Repeat("\t", 4), "\t")
		fields = append(fields, field{columns[0], columns[1], columns[2], columns[3], columns[4]})
	}
	if len(fields) != 112 {
		t.Fatalf("testdata/fields.tsv has %d properties, want 112", len(fields))
	}
	return fields
}

// contractFields walks the schema of the 200 body and returns its properties by path, written
// as in the table: "queue.media[].id".
func contractFields(t *testing.T) map[string]*openapi3.Schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	properties := map[string]*openapi3.Schema{}
	var walk func(path string, schema *openapi3.Schema)
	walk = func(path string, schema *openapi3.Schema) {
		if schema.Items != nil {
			walk(path+"[]", schema.Items.Value)
		}
		for name, ref := range schema.Properties {
			child := strings.TrimPrefix(path+"."+name, ".")
			properties[child] = ref.Value
			walk(child, ref.Value)
		}
	}
	walk("", doc.Components.Schemas["UnsendResponse"].Value)
	return properties
}

func TestContractHasExactlyTheDocumentedFields(t *testing.T) {
	properties := contractFields(t)
	for _, f := range documentedFields(t) {
		schema, ok := properties[f.path]
		if !ok {
			t.Errorf("%s: not in the contract", f.path)
			continue
		}
		if strings.TrimSpace(schema.Description) == "" {
			t.Errorf("%s: has no description", f.path)
		}
		delete(properties, f.path)
	}
	for path := range properties {
		t.Errorf("%s: in the contract, and not documented", path)
	}
}

func TestContractTypesAgreeWithTheDocumentation(t *testing.T) {
	// Ids, counts, sizes and seconds are all documented as 123; none of them is a fraction.
	types := map[string]string{
		`true`: "boolean", `123`: "integer", `"<string>"`: "string", `"photo"`: "string", `{…}`: "object", `[…]`: "array",
	}
	// These two are unions: one is seen as a number too, of the other nothing is known.
	unions := map[string][]any{
		"queue.price":        {"<string>", "19.99", 0.0, 19.99},
		"queue.releaseForms": {"<unknown>", nil, []any{}, map[string]any{}, 1.0, true},
	}
	properties := contractFields(t)
	for _, f := range documentedFields(t) {
		schema := properties[f.path]
		if schema == nil {
			t.Errorf("%s: not in the contract", f.path)
			continue
		}
		if values, isUnion := unions[f.path]; isUnion {
			for _, value := range values {
				if err := schema.VisitJSON(value); err != nil {
					t.Errorf("%s: does not admit %v: %v", f.path, value, err)
				}
			}
			continue
		}
		want := types[f.example]
		if f.example == "(not shown)" {
			want = f.published
		}
		if !schema.Type.Is(want) {
			t.Errorf("%s: is %v, want %s as the example %s", f.path, schema.Type, want, f.example)
		}
		if values, isEnum := publishedEnum(f); isEnum != (len(schema.Enum) > 0) || isEnum && !sameValues(schema.Enum, values) {
			t.Errorf("%s: admits %v, want %q", f.path, schema.Enum, values)
		}
	}
}

// publishedEnum reads a published type such as 'photo' | 'video'.
func publishedEnum(f field) (values []string, ok bool) {
	if !strings.HasPrefix(f.published, "'") {
		return nil, false
	}
	for part := range strings.SplitSeq(f.published, "|") {
		values = append(values, strings.Trim(part, " '"))
	}
	return values, true
}

func sameValues(enum []any, want []string) bool {
	if len(enum) != len(want) {
		return false
	}
	for i := range enum {
		if enum[i] != want[i] {
			return false
		}
	}
	return true
}

func TestContractAdmitsNullExactlyWhereItIsPublishedOrSeen(t *testing.T) {
	properties := contractFields(t)
	for _, f := range documentedFields(t) {
		schema := properties[f.path]
		if schema == nil {
			t.Errorf("%s: not in the contract", f.path)
			continue
		}
		want := strings.Contains(f.published, "null") || strings.Contains(f.wire, "null")
		if f.path == "queue" {
			want = true // it is optional, and a snapshot that could not be taken may well be null
		}
		if got := schema.VisitJSON(nil) == nil; got != want {
			t.Errorf("%s: admits null: %t, want %t (published %q, seen %q)", f.path, got, want, f.published, f.wire)
		}
	}
}

func TestContractRequiresOnlyWhatACallerCanRelyOn(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"UnsendRequest": "withUserId", "UnsendResponse": "success", "Queue": "id", "Error": "error"}
	for name, ref := range doc.Components.Schemas {
		if got := strings.Join(ref.Value.Required, " "); got != want[name] {
			t.Errorf("%s requires %q, want %q", name, got, want[name])
		}
	}
}
