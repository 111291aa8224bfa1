package contract_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"

	"github.com/unsend-go/unsend/internal/spec"
)

// field is one line of testdata/fields.tsv: what is published and seen of one property.
type field struct {
	path, example, published, presence, wire string
}

// documentedFields reads testdata/fields.tsv, which holds every property of the 200 body that
// the vendor's documentation has.
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
	return fields
}

// member is a property of the contract's 200 body.
type member struct {
	*openapi3.Schema
	undocumented bool // marked x-undocumented, or inside a member that is
}

// contractFields returns the properties of the 200 body by path, written as in the table:
// "queue.media[].id".
func contractFields(t *testing.T) map[string]member {
	t.Helper()
	members := map[string]member{}
	var walk func(path string, schema *openapi3.Schema, undocumented bool)
	walk = func(path string, schema *openapi3.Schema, undocumented bool) {
		if schema.Items != nil {
			walk(path+"[]", schema.Items.Value, undocumented)
		}
		for name, ref := range schema.Properties {
			child := strings.TrimPrefix(path+"."+name, ".")
			ours := undocumented || ref.Extensions["x-undocumented"] == true || ref.Value.Extensions["x-undocumented"] == true
			members[child] = member{ref.Value, ours}
			walk(child, ref.Value, ours)
		}
	}
	walk("", document(t).Components.Schemas["UnsendResponse"].Value, false)
	return members
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.Document)
	if err != nil {
		t.Fatal(err)
	}
	_ = doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error { // as New does
		ref.Value.Nullable = ref.Value.Nullable || ref.Value.IsEmpty()
		return nil
	})
	return doc
}

// TestContractHasTheDocumentedFields holds openapi.yaml to the documentation: what that has is
// there, and all else is marked as ours.
func TestContractHasTheDocumentedFields(t *testing.T) {
	members := contractFields(t)
	for path, m := range members {
		if strings.TrimSpace(m.Description) == "" {
			t.Errorf("%s: has no description", path)
		}
	}
	for _, f := range documentedFields(t) {
		m, ok := members[f.path]
		delete(members, f.path)
		switch {
		case !ok:
			t.Errorf("%s: not in the contract", f.path)
		case m.undocumented:
			t.Errorf("%s: is documented, and marked x-undocumented", f.path)
		}
	}
	for path, m := range members {
		if !m.undocumented {
			t.Errorf("%s: is not documented; mark it x-undocumented: true", path)
		}
	}
}

// TestContractAdmitsWhatIsDocumented: the contract may admit more, as is seen on the wire.
func TestContractAdmitsWhatIsDocumented(t *testing.T) {
	// Ids, counts, sizes and seconds are all documented as 123.
	values := map[string]any{`true`: true, `123`: 123.0, `"<string>"`: "<string>", `"photo"`: "photo", `(not shown)`: "<string>"}
	more := map[string][]any{
		"queue.price":        {"19.99", 0.0, 19.99},
		"queue.releaseForms": {"<unknown>", nil, []any{nil, 1.0}, map[string]any{}, 1.0, true},
	}
	members := contractFields(t)
	for _, f := range documentedFields(t) {
		m, ok := members[f.path]
		if !ok {
			continue // which is reported above
		}
		all := more[f.path]
		if value, isValue := values[f.example]; isValue {
			all = append(all, value)
		}
		if strings.Contains(f.published, "null") || strings.Contains(f.wire, "null") {
			all = append(all, nil)
		}
		for _, value := range all {
			if err := m.VisitJSON(value); err != nil {
				t.Errorf("%s: does not admit %v: %v", f.path, value, err)
			}
		}
		if kind := map[string]string{`{…}`: "object", `[…]`: "array"}[f.example]; kind != "" && !m.Type.Is(kind) {
			t.Errorf("%s: is %v, want %s", f.path, m.Type, kind)
		}
		named, _ := m.Extensions["x-extensible-enum"].([]any)
		for _, kind := range publishedKinds(f) {
			if !slices.Contains(named, any(kind)) {
				t.Errorf("%s: names %v, and %q is published", f.path, named, kind)
			}
		}
	}
}

// publishedKinds reads a published type such as 'photo' | 'video'. It is empty for any other.
func publishedKinds(f field) (kinds []string) {
	if strings.HasPrefix(f.published, "'") {
		for part := range strings.SplitSeq(f.published, "|") {
			kinds = append(kinds, strings.Trim(part, " '"))
		}
	}
	return kinds
}

// TestContractMarksWhatItAssumes: what is narrower or wider than the documentation is marked.
func TestContractMarksWhatItAssumes(t *testing.T) {
	about, members := document(t).Info.Description, contractFields(t)
	for _, heading := range []string{"## Rate limit", "## Errors and retries"} {
		if !strings.Contains(about, heading) {
			t.Errorf("the description has no section %q", heading)
		}
	}
	for _, f := range documentedFields(t) {
		m := members[f.path]
		isNarrowed := f.published == "number" && m.Schema != nil && m.Type.Is("integer")
		if isNarrowed && !strings.Contains(about, "**Assumption**: ids, counts") {
			t.Errorf("%s: is published as a number, and that it is an integer is not marked", f.path)
		}
	}
	if queue := members["queue"]; queue.Nullable && !strings.Contains(queue.Description, "**Assumption**") {
		t.Error("queue: null is not published, and not marked")
	}
	marked := slices.ContainsFunc(slices.Collect(maps.Values(members)), func(m member) bool { return m.undocumented })
	if promised := strings.Contains(about, "`x-undocumented`"); promised != marked {
		t.Errorf("x-undocumented is promised: %t, and used: %t", promised, marked)
	}
}

func TestContractRequiresOnlyWhatACallerCanRelyOn(t *testing.T) {
	schemas := document(t).Components.Schemas
	for name, want := range map[string]string{
		"UnsendRequest": "withUserId", "UnsendResponse": "success", "Queue": "id", "ErrorBody": "error",
	} {
		if got := strings.Join(schemas[name].Value.Required, " "); got != want {
			t.Errorf("%s requires %q, want %q", name, got, want)
		}
	}
	for path, m := range contractFields(t) {
		if path != "queue" && len(m.Required) > 0 {
			t.Errorf("%s requires %q, want nothing", path, m.Required)
		}
	}
}

// TestContractIsForOtherToolsToo keeps out what other generators cannot read, or make bad code of.
func TestContractIsForOtherToolsToo(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal(spec.Document, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		if node.Anchor != "" || node.Kind == yaml.AliasNode {
			t.Errorf("line %d: YAML anchors and aliases are refused by Java tools; reuse with $ref", node.Line)
			return
		}
		for _, child := range node.Content {
			walk(child)
		}
	}
	walk(&root)

	doc := document(t)
	if _, ok := doc.Components.Schemas["Error"]; ok {
		t.Error("a schema named Error shadows a built-in in JavaScript clients")
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody != nil && operation.RequestBody.Ref != "" {
				t.Errorf("%s %s: write the request's body in the operation; generators lose the media type of a $ref", method, path)
			}
			for status, response := range operation.Responses.Map() {
				if status[0] == '2' && response.Ref != "" {
					t.Errorf("%s %s: write the %s in the operation; generators lose the media type of a $ref", method, path, status)
				}
			}
		}
	}
	for path, m := range contractFields(t) {
		if m.Enum != nil {
			t.Errorf("%s: a closed enum costs strict clients the whole response; use x-extensible-enum", path)
		}
	}
	for name, ref := range doc.Components.Schemas {
		spelled := map[string]string{}
		for property, p := range ref.Value.Properties {
			plain := strings.ToLower(strings.ReplaceAll(property, "_", ""))
			if other, taken := spelled[plain]; taken {
				t.Errorf("%s: %s and %s have one name in many languages", name, property, other)
			}
			spelled[plain] = property
			isUnion := len(p.Value.AnyOf)+len(p.Value.OneOf)+len(p.Value.AllOf) > 0
			if _, isNamedInGo := p.Value.Extensions["x-go-type"]; isUnion && p.Ref == "" && !isNamedInGo {
				t.Errorf("%s.%s: give the union a name in components", name, property)
			}
		}
	}
}

// TestContractShowsAnExampleOfEverything holds the examples to what they are for: the request,
// the 200, in which every member is filled somewhere, and each error.
func TestContractShowsAnExampleOfEverything(t *testing.T) {
	doc := document(t)
	if err := doc.Validate(t.Context()); err != nil { // examples against their schemas too
		t.Error(err)
	}
	operation := doc.Paths.Find("/v2/access/chats/{userId}/messages/{messageId}").Delete
	media := map[string]*openapi3.MediaType{"request": operation.RequestBody.Value.Content["application/json"]}
	for status, response := range operation.Responses.Map() {
		if response.Value.Extensions["x-undocumented"] != true {
			media[status] = response.Value.Content["application/json"]
		}
	}
	for name, m := range media {
		if m == nil || m.Example == nil && len(m.Examples) == 0 {
			t.Errorf("%s: has no example", name)
		}
	}

	shown := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		shown[path] = true
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(path+"[]", item)
			}
		case map[string]any:
			for name, item := range v {
				walk(strings.TrimPrefix(path+"."+name, "."), item)
			}
		}
	}
	for _, example := range media["200"].Examples {
		walk("", example.Value.Value)
	}
	members := contractFields(t)
	for _, path := range slices.Sorted(maps.Keys(members)) {
		if !shown[path] && !members[path].undocumented {
			t.Errorf("%s: no example of the 200 has it", path)
		}
	}
}
