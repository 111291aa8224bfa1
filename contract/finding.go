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
	"go.yaml.in/yaml/v4"
)

// Finding is something that responses have and openapi.yaml does not. It can be printed: it holds
// no value that came over the wire but the type of an error.
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
	// YAML is what the contract would have to say, indented as it has to be. Put it below Line, or
	// in place of the entry on Line if it begins with the same name. If there is no such edit, it
	// is a comment that says why.
	YAML string

	how string // YAML is put there
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

// Findings returns what the contract would have to say to describe every response that was added,
// in the order of the lines. It is empty if nothing is left to say.
func (d *Drift) Findings() []Finding {
	if d.err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := newWriter(d.v)
	for _, o := range d.places {
		w.place(o)
	}
	for key, o := range d.statuses {
		w.status(key.op, key.status, o)
	}
	slices.SortFunc(w.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Member, b.Member), slices.Compare(a.Kinds, b.Kinds))
	})
	return w.findings
}

// writer writes findings about a document.
type writer struct {
	ids      map[string]string     // of operations, by method and path
	entries  map[position]docEntry // of mappings, and items of lists, which are their own keys
	named    map[string]bool       // words in capitals, in descriptions and as values of type
	findings []Finding
}

type position struct{ line, column int }

// docEntry is an entry of a mapping of the document.
type docEntry struct {
	key, value *yaml.Node
	path       []string
}

var capitals = regexp.MustCompile(`[A-Z][A-Z0-9_]+`)

func newWriter(v *Validator) *writer {
	w := &writer{ids: map[string]string{}, entries: map[position]docEntry{}, named: map[string]bool{}}
	for _, op := range v.operations {
		w.ids[strings.ToLower(op.method)+op.path] = op.id()
	}
	var root yaml.Node
	_ = yaml.Unmarshal(v.document, &root) // which New has read
	w.read(&root, nil)
	return w
}

func (w *writer) read(node *yaml.Node, path []string) {
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode {
			w.read(child, path)
			w.entries[position{child.Line, child.Column}] = docEntry{child, child, path} // and not its first key
		} else if i%2 == 1 {
			key := node.Content[i-1]
			inner := append(slices.Clone(path), key.Value)
			w.entries[position{key.Line, key.Column}] = docEntry{key, child, inner}
			if key.Value == "description" || key.Value == "type" {
				for _, word := range capitals.FindAllString(child.Value, -1) {
					w.named[word] = true
				}
			}
			w.read(child, inner)
		}
	}
}

// find returns the entry of a schema, or of something inside it.
func (w *writer) find(origin *openapi3.Origin, inside ...string) docEntry {
	e := w.entries[position{origin.Key.Line, origin.Key.Column}]
	if strings.Contains(origin.Key.Name, "/") { // the media type of the schema
		inside = append([]string{"schema"}, inside...)
	}
	for _, name := range inside {
		for i := 0; i < len(e.value.Content); i += 2 {
			if key := e.value.Content[i]; key.Value == name {
				e = docEntry{key, e.value.Content[i+1], append(slices.Clone(e.path), name)}
				break
			}
		}
	}
	return e
}

// about begins a finding about an entry, or about a member of it.
func (w *writer) about(e docEntry, member string, kinds map[string]int) Finding {
	f := Finding{Kinds: sortedKinds(kinds), Line: e.key.Line}
	for _, n := range kinds {
		f.Count += n
	}
	path := e.path
	if f.Schema = path[2]; path[0] == "paths" {
		f.Schema, path = w.ids[path[2]+path[1]]+" "+path[4], path[2:]
	}
	for i := 3; i < len(path); i++ {
		switch {
		case path[i] == "items":
			f.Member += "[]"
		case path[i] == "additionalProperties":
			f.Member += ".*"
		case path[i] == "properties" && i+1 < len(path):
			i++
			f.Member += "." + path[i]
		}
	}
	f.Member = strings.Trim(f.Member+"."+member, ".")
	return f
}

// below adds a finding whose YAML belongs into the mapping, or the list, of an entry.
func (w *writer) below(f Finding, e docEntry, value any) {
	if f.Line = e.key.Line; e.value.Style&yaml.FlowStyle != 0 || len(e.value.Content) == 0 {
		w.byHand(f, "Write this in block style first, a line for each member.")
		return
	}
	f.YAML, f.how = render(value, e.value.Column), "add below"
	w.findings = append(w.findings, f)
}

// inPlace adds a finding whose YAML replaces an entry.
func (w *writer) inPlace(f Finding, e docEntry, value *yaml.Node) {
	f.Line, f.YAML, f.how = e.key.Line, render(nodeOf(e.key, value), e.key.Column), "write in its place"
	w.findings = append(w.findings, f)
}

// byHand adds a finding without an edit.
func (w *writer) byHand(f Finding, why string) {
	f.YAML, f.how = "# "+why, "by hand"
	w.findings = append(w.findings, f)
}

func (w *writer) place(o *observed) {
	e, refused := w.find(o.at[0].Origin), maps.Clone(o.refused)
	if n := refused["missing"]; n > 0 {
		w.byHand(w.about(e, "", map[string]int{"missing": n}), "It is required. If nobody relies on it, it need not be.")
		delete(refused, "missing")
	}
	w.types(o.at[0], o.types)
	if len(refused) > 0 {
		w.refused(o.at[0], e, refused)
	}
	i := slices.IndexFunc(o.at, func(s *openapi3.Schema) bool { return s.Properties != nil })
	if len(o.members) == 0 {
		return
	}
	e = w.find(o.at[i].Origin, "properties")
	if o.isMap() {
		w.byHand(w.about(e, "*", map[string]int{"map": len(o.members)}), "These look like the keys of a map, which is what additionalProperties is for.")
		return
	}
	taken := map[string]bool{}
	for name := range o.at[i].Properties {
		taken[goName(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		switch f := w.about(e, name, o.members[name].kinds); {
		case name == "*":
			w.byHand(f, "These do not look like names, and are not shown: look at the response.")
		case taken[goName(name)]:
			w.byHand(f, "Another member would have its name in Go: give it one in gen/overlay.yaml.")
		default:
			taken[goName(name)] = true
			w.below(f, e, map[string]*entry{name: o.members[name].entry(true)})
		}
	}
}

// goName is what names that are the same in Go have in common.
func goName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// refused adds a finding about kinds of values that a schema does not admit.
func (w *writer) refused(schema *openapi3.Schema, e docEntry, kinds map[string]int) {
	f := w.about(e, "", kinds)
	has := func(kind string) bool { return kinds[kind] > 0 || schema.Type.Is(kind) }
	isNull := slices.Equal(f.Kinds, []string{"null"})
	switch {
	case len(schema.AllOf)+len(schema.OneOf) > 0:
		w.byHand(f, "Several schemas describe this, each of which has to admit it.")
	case !isNull && (has("object") || has("array") || e.key.Value == "items"):
		w.byHand(f, "Objects and arrays beside other kinds, and items of several kinds, need a schema of their own.")
	case len(schema.AnyOf) > 0:
		branches := make([]*entry, len(f.Kinds))
		for i, kind := range f.Kinds {
			branches[i] = entryOf(kind)
		}
		w.below(f, w.find(schema.Origin, "anyOf"), branches)
	case !isNull:
		w.inPlace(f, e, widened(e.value, schema, f.Kinds))
	case w.find(schema.Origin, "nullable").key != e.key:
		w.byHand(f, "It says that it is not nullable.")
	default:
		w.below(f, e, &entry{Nullable: true})
	}
}

// widened returns a schema that admits further kinds. Its type in Go does not change: others use
// it, so that this is for a person to decide.
func widened(node *yaml.Node, schema *openapi3.Schema, kinds []string) *yaml.Node {
	before, whole := nodeOf(), nodeOf()
	for i := 0; i < len(node.Content); i += 2 {
		to := before
		if name := node.Content[i].Value; name == "description" || strings.HasPrefix(name, "x-") {
			to = whole
		}
		to.Content = append(to.Content, node.Content[i:i+2]...)
	}
	branches := []*yaml.Node{before}
	for _, kind := range kinds {
		branches = append(branches, encoded(entryOf(kind)))
	}
	whole.Content = append(whole.Content, encoded(map[string]any{"anyOf": branches}).Content...)
	if name := goTypes[strings.Join(schema.Type.Slice(), "")+schema.Format]; name != "" && schema.Extensions["x-go-type"] == nil {
		whole.Content = append(whole.Content, encoded(map[string]string{"x-go-type": name}).Content...)
	}
	return whole
}

// goTypes are the types that plain values have in Go, by their type and format in the contract.
var goTypes = map[string]string{
	"boolean": "bool", "string": "string", "number": "float32", "numberfloat": "float32", "numberdouble": "float64",
	"integer": "int", "integerint32": "int32", "integerint64": "int64",
}

// entry is a schema or a response, with its members in the order in which the document has them.
type entry struct {
	Ref          string            `yaml:"$ref,omitempty"`
	Type         string            `yaml:"type,omitempty"`
	Format       string            `yaml:"format,omitempty"`
	Nullable     bool              `yaml:"nullable,omitempty"`
	Description  string            `yaml:"description,omitempty"`
	Undocumented bool              `yaml:"x-undocumented,omitempty"`
	Properties   map[string]*entry `yaml:"properties,omitempty"`
	Values       *entry            `yaml:"additionalProperties,omitempty"`
	Items        *entry            `yaml:"items,omitempty"`
	Content      map[string]any    `yaml:"content,omitempty"`
}

// entryOf describes the values of a kind.
func entryOf(kind string) *entry {
	switch kind {
	case "null":
		return &entry{Type: "string", Nullable: true}
	case "integer":
		return &entry{Type: kind, Format: "int64"}
	case "number":
		return &entry{Type: kind, Format: "double"}
	}
	return &entry{Type: kind}
}

// entry describes a member that the contract does not name. The outermost is marked.
func (o *observed) entry(marked bool) *entry {
	e, kinds := &entry{}, slices.DeleteFunc(sortedKinds(o.kinds), func(kind string) bool { return kind == "null" })
	if len(kinds) == 1 { // otherwise it may be anything
		e = entryOf(kinds[0])
		e.Nullable = o.kinds["null"] > 0
	}
	e.Description, e.Undocumented = "Not documented.", marked
	switch {
	case e.Type == "array":
		e.Items = &entry{}
		if o.items != nil && o.items.kinds["null"] == 0 {
			e.Items = o.items.entry(false)
		}
	case e.Type == "object" && (o.isMap() || o.members["*"] != nil):
		e.Values = &entry{Description: "Not documented."}
	case e.Type == "object" && len(o.members) > 0:
		e.Properties = map[string]*entry{}
		for name, member := range o.members {
			e.Properties[name] = member.entry(false)
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
	kinds := map[string]int{}
	for _, member := range o.members {
		for kind, n := range member.kinds {
			kinds[kind] += n
		}
	}
	names := len(o.members)
	return names >= many && slices.Equal(slices.Collect(maps.Values(kinds)), []int{names})
}

// status adds a finding about a status that an operation does not list.
func (w *writer) status(op *operation, status int, o *observed) {
	f := Finding{Schema: op.id(), Member: strconv.Itoa(status), Kinds: []string{"status"}, Count: o.kinds["status"]}
	response := &entry{Description: strings.TrimSpace(http.StatusText(status) + " (not documented)."), Undocumented: true}
	if fallback := op.Responses.Default(); status >= http.StatusBadRequest && fallback != nil && fallback.Ref != "" {
		response = &entry{Ref: fallback.Ref}
	} else if o.kinds["body"] > 0 {
		response.Content = map[string]any{"application/json": map[string]any{"schema": entry{}}}
	}
	w.below(f, w.find(op.Origin, "responses"), map[string]any{f.Member: response})
}

// types adds a finding about types of errors that no example or description names.
func (w *writer) types(schema *openapi3.Schema, words map[string]int) {
	words = maps.Clone(words)
	maps.DeleteFunc(words, func(word string, _ int) bool { return w.named[word] })
	if len(words) == 0 {
		return
	}
	e := w.find(schema.Origin)
	f := w.about(e, "", words)
	text := "Also seen: `" + strings.Join(f.Kinds, "`, `") + "`."
	if schema.Description == "" {
		w.below(f, e, entry{Description: text})
		return
	}
	description := &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.LiteralStyle, Value: strings.TrimSpace(schema.Description) + "\n" + text + "\n"}
	w.inPlace(f, w.find(schema.Origin, "description"), description)
}

func nodeOf(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: content}
}

func encoded(value any) *yaml.Node {
	node := &yaml.Node{}
	_ = node.Encode(value) // of plain types
	return node
}

// render writes a value from a column on, the first being 1.
func render(value any, column int) string {
	text, _ := yaml.Dump(value, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithCompactSeqIndent(false)) // of plain types
	indent := strings.Repeat(" ", column-1)
	return indent + strings.ReplaceAll(string(bytes.TrimSpace(text)), "\n", "\n"+indent)
}
