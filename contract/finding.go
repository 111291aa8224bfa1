package contract

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// Finding is something that responses have and openapi.yaml does not describe. It can be printed:
// of the responses it holds names, counts and the types of errors, and no other value.
type Finding struct {
	// Schema names the schema in components, such as "Queue". A schema elsewhere is named by its
	// operation and status, and a status by its operation.
	Schema string
	// Member is the path of a member inside the schema, such as "media[].id". Members whose names
	// do not look like identifiers, or like the keys of a map, are "*". A status is a member too.
	Member string
	// Kinds are the kinds of values that the contract does not admit, or of a member that it does
	// not name: "null", "boolean", "integer", "number", "string", "array" and "object". A required
	// member that is missing is "missing". For the type of an error they are the types.
	Kinds []string
	// Count is how often it was seen.
	Count int
	// Line is the line of openapi.yaml that YAML belongs to. The first is 1.
	Line int
	// YAML describes it, indented for its place. Put it below Line, or in place of the entry on
	// Line if both begin with the same name. If no lines can be suggested, it is a comment that
	// gives the reason.
	YAML string

	how string // YAML is applied
}

// String returns what was seen, and YAML on lines of its own.
func (f Finding) String() string {
	times := "once"
	if f.Count != 1 {
		times = strconv.Itoa(f.Count) + " times"
	}
	return fmt.Sprintf("openapi.yaml:%d: %s: %s, seen %s; %s:\n%s",
		f.Line, strings.Trim(f.Schema+"."+f.Member, "."), strings.Join(f.Kinds, ", "), times, cmp.Or(f.how, "edit"), f.YAML)
}

// Findings returns everything in the responses that the contract does not describe, in the order
// of its lines. It is empty if the contract describes them all.
func (d *Drift) Findings() []Finding {
	if d.err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := &writer{schemas: d.v.schemas, words: map[string]bool{}}
	_ = yaml.Unmarshal(d.v.document, &w.root) // which New has read
	for _, word := range anyType.FindAll(d.v.document, -1) {
		w.words[string(word)] = true
	}
	for _, o := range d.places {
		w.place(o)
	}
	for key, o := range d.statuses {
		w.status(key, o)
	}
	slices.SortFunc(w.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Member, b.Member),
			slices.Compare(a.Kinds, b.Kinds))
	})
	return w.findings
}

// anyType finds what may be types of errors.
var anyType = regexp.MustCompile(`\b[A-Z][A-Z0-9_]+\b`)

// writer writes findings about a document.
type writer struct {
	root     yaml.Node
	schemas  map[*openapi3.Schema]jsontext.Pointer
	words    map[string]bool // of the document, that may be types of errors
	findings []Finding
}

// find returns the entry of a schema, or of something inside it.
func (w *writer) find(schema *openapi3.Schema, inside ...string) entry {
	e := find(w.root.Content[0], w.schemas[schema])
	for _, name := range inside {
		e = e.child(name)
	}
	return e
}

// add adds a finding about an entry.
func (w *writer) add(f Finding, e entry, how, text string) {
	f.Line, f.how, f.YAML = e.key.Line, how, text
	w.findings = append(w.findings, f)
}

// byHand adds a finding without an edit.
func (w *writer) byHand(f Finding, e entry, why string) { w.add(f, e, "edit by hand", "# "+why) }

// below adds a finding whose YAML belongs into the mapping, or the list, of an entry.
func (w *writer) below(f Finding, e entry, value any) {
	if column := e.column(); column > 0 {
		w.add(f, e, "add below", render(value, column))
	} else {
		w.byHand(f, e, noBlock)
	}
}

// inPlace adds a finding whose YAML replaces an entry.
func (w *writer) inPlace(f Finding, e entry, value any) {
	if e.inBraces || e.isShared() {
		w.byHand(f, e, noBlock)
	} else {
		var whole yaml.Node
		_ = whole.Encode(map[string]any{"": value}) // of plain types and nodes
		whole.Content[0] = &yaml.Node{Kind: yaml.ScalarNode, Value: e.key.Value, Style: e.key.Style}
		w.add(f, e, "write in its place", render(&whole, e.key.Column))
	}
}

const noBlock = "Write this in block style first, a line for each member and no anchor."

// about begins a finding about a place, or about a member there.
func (o *observed) about(member string, kinds map[string]int) Finding {
	f := Finding{Schema: o.schema, Member: strings.Trim(o.member+"."+member, "."), Kinds: sortedKinds(kinds)}
	for _, n := range kinds {
		f.Count += n
	}
	return f
}

// place adds the findings about a place.
func (w *writer) place(o *observed) {
	if o.missing > 0 {
		f := o.about("", map[string]int{"missing": o.missing})
		w.byHand(f, w.find(o.at[0]), "It is required. If nobody relies on it, it need not be.")
	}
	if len(o.kinds) > 0 {
		w.kinds(o)
	}
	if len(o.members) > 0 {
		w.members(o)
	}
	types := maps.Clone(o.types)
	maps.DeleteFunc(types, func(word string, _ int) bool { return w.words[word] })
	if len(types) > 0 {
		w.types(o, types)
	}
}

// members adds findings about members that the contract does not name.
func (w *writer) members(o *observed) {
	e := w.find(o.at[0], "properties")
	if o.isMap() {
		f := o.about("*", map[string]int{"map": len(o.members)})
		w.byHand(f, e, "These look like the keys of a map, which is what additionalProperties is for.")
		return
	}
	taken := goNames(o.at[0].Properties)
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		switch f := o.about(name, o.members[name].kinds); {
		case name == "*":
			w.byHand(f, e, "These do not look like names, and are not shown: look at the response.")
		case taken[goName(name)]:
			w.byHand(f, e, "Another member would have its name in Go: give it one in gen/overlay.yaml.")
		default:
			taken[goName(name)] = true
			w.below(f, e, map[string]*draft{name: o.members[name].draft(true)})
		}
	}
}

// goName is the same for names that have the same name in Go.
func goName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func goNames[T any](members map[string]T) map[string]bool {
	names := map[string]bool{}
	for name := range members {
		names[goName(name)] = true
	}
	return names
}

// kinds adds a finding about kinds of values that a schema does not admit.
func (w *writer) kinds(o *observed) {
	schema, e, f := o.at[0], w.find(o.at[0]), o.about("", o.kinds)
	has := func(kind string) bool { return o.kinds[kind] > 0 || schema.Type.Is(kind) }
	isNull := slices.Equal(f.Kinds, []string{"null"})
	switch {
	case len(schema.AllOf)+len(schema.OneOf) > 0:
		w.byHand(f, e, "Several schemas describe this, each of which has to admit it.")
	case len(schema.Enum) > 0:
		w.byHand(f, e, "Its enum has to list it as well.")
	case !isNull && (has("object") || has("array") || e.key.Value == "items"):
		w.byHand(f, e, "Objects and arrays beside other kinds, and items of several kinds, need a schema of their own.")
	case len(schema.AnyOf) > 0:
		w.below(f, w.find(schema, "anyOf"), branches(f.Kinds))
	case !isNull && goType(schema) == "":
		w.byHand(f, e, "Its type in Go would change: give it an x-go-type.")
	case !isNull:
		w.inPlace(f, e, widened(e.value, schema, f.Kinds))
	case !e.child("nullable").isMissing():
		w.byHand(f, e, "It says that it is not nullable.")
	default:
		w.below(f, e, &draft{Nullable: true})
	}
}

// widened returns a schema that admits further kinds. Its type in Go does not change: others use
// it, so that this is for a person to decide.
func widened(node *yaml.Node, schema *openapi3.Schema, kinds []string) *yaml.Node {
	before, whole := &yaml.Node{Kind: yaml.MappingNode}, &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(node.Content); i += 2 {
		to := before
		if name := node.Content[i].Value; name == "description" || strings.HasPrefix(name, "x-") {
			to = whole
		}
		to.Content = append(to.Content, node.Content[i:i+2]...)
	}
	added := &draft{AnyOf: branches(kinds, before)}
	if schema.Extensions["x-go-type"] == nil {
		added.GoType = goType(schema)
	}
	var fields yaml.Node
	_ = fields.Encode(added) // of plain types
	whole.Content = append(whole.Content, fields.Content...)
	return whole
}

// goType returns the type of plain values in Go; "" if it is not known.
func goType(schema *openapi3.Schema) string {
	if own, found := schema.Extensions["x-go-type"]; found {
		return fmt.Sprint(own)
	}
	return map[string]string{
		"boolean": "bool", "string": "string", "number": "float32", "numberfloat": "float32", "numberdouble": "float64",
		"integer": "int", "integerint32": "int32", "integerint64": "int64",
	}[strings.Join(schema.Type.Slice(), "")+schema.Format]
}

// types adds a finding about types of errors that the document does not name.
func (w *writer) types(o *observed, words map[string]int) {
	f, before := o.about("", words), w.find(o.at[0], "description")
	text := "Also seen: " + quoted(f.Kinds) + "."
	if before.isMissing() {
		w.below(f, w.find(o.at[0]), draft{Description: text})
		return
	}
	w.inPlace(f, before, strings.TrimSpace(before.value.Value)+"\n"+text+"\n")
}

func quoted(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

// status adds a finding about a status that an operation does not list.
func (w *writer) status(key unlisted, o *observed) {
	response := &draft{Description: strings.TrimSpace(http.StatusText(key.status) + " (not documented)."), Undocumented: true}
	if fallback := key.op.Responses.Default(); key.status >= http.StatusBadRequest && fallback != nil && fallback.Ref != "" {
		response = &draft{Ref: fallback.Ref}
	} else if o.kinds["body"] > 0 {
		response.Content = map[string]any{"application/json": map[string]any{"schema": draft{}}}
	}
	f := o.about("", map[string]int{"status": o.kinds["status"]})
	w.below(f, find(w.root.Content[0], key.op.pointer()+"/responses"), map[string]any{o.member: response})
}

// draft is a schema or a response to be written, with its members in the order of the document's.
type draft struct {
	Ref          string            `yaml:"$ref,omitempty"`
	Type         string            `yaml:"type,omitempty"`
	Format       string            `yaml:"format,omitempty"`
	Nullable     bool              `yaml:"nullable,omitempty"`
	Description  string            `yaml:"description,omitempty"`
	Undocumented bool              `yaml:"x-undocumented,omitempty"`
	Properties   map[string]*draft `yaml:"properties,omitempty"`
	Values       *draft            `yaml:"additionalProperties,omitempty"`
	Items        *draft            `yaml:"items,omitempty"`
	Content      map[string]any    `yaml:"content,omitempty"`
	AnyOf        []any             `yaml:"anyOf,omitempty"`
	GoType       string            `yaml:"x-go-type,omitempty"`
}

// draftOf describes the values of a kind.
func draftOf(kind string) *draft {
	if kind == "null" {
		return &draft{Type: "string", Nullable: true}
	}
	return &draft{Type: kind, Format: map[string]string{"integer": "int64", "number": "double"}[kind]}
}

// branches appends the drafts of some kinds to others.
func branches(kinds []string, others ...any) []any {
	for _, kind := range kinds {
		others = append(others, draftOf(kind))
	}
	return others
}

// draft describes a member that the contract does not name. The outermost is marked.
func (o *observed) draft(marked bool) *draft {
	e, kinds := &draft{}, slices.DeleteFunc(sortedKinds(o.kinds), func(kind string) bool { return kind == "null" })
	if len(kinds) == 1 { // otherwise it may be anything
		e = draftOf(kinds[0])
		e.Nullable = o.kinds["null"] > 0
	}
	e.Description, e.Undocumented = "Not documented.", marked
	if len(o.types) > 0 {
		e.Description += " Seen: " + quoted(slices.Sorted(maps.Keys(o.types))) + "."
	}
	switch {
	case e.Type == "array":
		e.Items = &draft{}
		if o.items != nil && o.items.kinds["null"] == 0 {
			e.Items = o.items.draft(false)
		}
	case e.Type == "object" && (o.isMap() || o.members["*"] != nil || len(goNames(o.members)) < len(o.members)):
		e.Values = &draft{Description: "Not documented."}
	case e.Type == "object" && len(o.members) > 0:
		e.Properties = map[string]*draft{}
		for name, member := range o.members {
			e.Properties[name] = member.draft(false)
		}
	}
	return e
}

// sortedKinds returns the kinds of values. A number may be an integer.
func sortedKinds(kinds map[string]int) []string {
	list := slices.Sorted(maps.Keys(kinds))
	return slices.DeleteFunc(list, func(kind string) bool { return kind == "integer" && kinds["number"] > 0 })
}

// isMap reports whether the members look like the keys of a map: many names, each seen once, with
// values of one kind.
func (o *observed) isMap() bool {
	const many = 9
	kinds, n := map[string]bool{}, 0
	for _, member := range o.members {
		for kind, times := range member.kinds {
			kinds[kind] = true
			n += times
		}
	}
	return len(o.members) >= many && len(kinds) == 1 && n == len(o.members)
}

// render writes a value from a column on, the first being 1.
func render(value any, column int) string {
	text, _ := yaml.Dump(value, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithCompactSeqIndent(false)) // of plain types
	indent := strings.Repeat(" ", column-1)
	return indent + strings.ReplaceAll(string(bytes.TrimSpace(text)), "\n", "\n"+indent)
}
