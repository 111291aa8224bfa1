package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxValues is how many JSON values a body may hold, objects and arrays counted too. Three
	// bytes can make a hundred of memory, and each value can be a violation.
	maxValues = 50_000
	// maxDepth is that of encoding/json, so that nothing passes which a Go program cannot read.
	maxDepth = 10_000
	// maxKnownDepth is how deep a schema that contains itself is followed: a violation's pointer
	// is as long as its place is deep, and there can be one at each level.
	maxKnownDepth = 100
)

// notJSON is the error of data that is not JSON within the limits. It quotes none of it.
type notJSON struct{ found, want string }

func (e notJSON) Error() string { return e.found }

// checkJSON checks one JSON value by its schema. Its error is a notJSON.
func checkJSON(side Side, schema *openapi3.Schema, data []byte) ([]Violation, error) {
	w := walker{side: side, root: newNode(schema.NewRef())}
	if err := w.walk(data); err != nil {
		return nil, err
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, notJSON{"text that is not JSON", "JSON"}
	}
	direction := openapi3.VisitAsRequest()
	if side == Response {
		direction = openapi3.VisitAsResponse()
	}
	// Without their details, errors do not print the values they hold.
	err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.DisableSchemaErrorDetails(), direction)
	w.schemaErrors(err)
	return w.found, nil
}

// walker reads a body token by token, beside its schema, for what kin-openapi cannot see in
// decoded values: members that stand twice, and how an integer is written. It also counts, so
// that what would cost too much is never decoded. Names are compared only where the schema
// knows them, so no depth or number of unknown members makes it slow.
type walker struct {
	side  Side
	root  *node // nil: only whether data is JSON within the limits
	json  *jsontext.Decoder
	found []Violation

	values, depth int
}

func (w *walker) walk(data []byte) error {
	if !utf8.Valid(data) {
		return notJSON{"bytes that are not UTF-8", "JSON"}
	}
	// A text cut inside an emoji ends in half a surrogate pair, which encoding/json reads.
	w.json = jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := w.value(w.root)
	if err == nil {
		if _, err := w.json.ReadToken(); !errors.Is(err, io.EOF) {
			return notJSON{"something behind the JSON value", "one JSON value"}
		}
		return nil
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return notJSON{fmt.Sprintf("text that is not JSON, from byte %d on", syntax.ByteOffset), "JSON"}
	}
	if limit, ok := errors.AsType[notJSON](err); ok {
		return limit
	}
	return notJSON{"JSON cut short after " + count(len(data), "byte"), "whole JSON"}
}

// value reads one value, which stands at this place.
func (w *walker) value(at *node) error {
	const want = "JSON within this limit"
	if w.values++; w.values > maxValues {
		return notJSON{fmt.Sprintf("JSON of more than %d values", maxValues), want}
	}
	kind := w.json.PeekKind()
	if kind != '{' && kind != '[' {
		token, err := w.json.ReadToken()
		if err == nil && kind == '0' && at.isNonIntegral(token.String()) {
			_, found := describeValue(json.Number(token.String()))
			w.report("number", found, at.want)
		}
		return err
	}
	limit := maxDepth
	if at != nil { // and so all around it
		limit = maxKnownDepth
	}
	if w.depth++; w.depth > limit {
		return notJSON{fmt.Sprintf("JSON nested deeper than %d levels", limit), want}
	}
	if _, err := w.json.ReadToken(); err != nil {
		return err
	}
	if err := w.children(kind, at); err != nil {
		return err
	}
	w.depth--
	_, err := w.json.ReadToken()
	return err
}

// children reads what stands between a value's brackets.
func (w *walker) children(kind jsontext.Kind, at *node) error {
	if kind == '[' {
		for w.json.PeekKind() != ']' {
			if err := w.value(at.item()); err != nil {
				return err
			}
		}
		return nil
	}
	times := map[string]int{}
	for w.json.PeekKind() != '}' {
		token, err := w.json.ReadToken()
		if err != nil {
			return err
		}
		var member *node
		if at != nil {
			name := token.String()
			if member, _ = at.member(name); member != nil {
				times[name]++
			}
			if times[name] == 2 {
				w.report("text", "a member that stands more than once", member.want+", once")
			}
		}
		if err := w.value(member); err != nil {
			return err
		}
	}
	return nil
}

// schemaErrors flattens what the schema's VisitJSON returned. A union's branches are
// not looked into: its own place departs. What each part of an allOf says stands for itself.
func (w *walker) schemaErrors(err error) {
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand, every branch of it
	case nil:
	case openapi3.MultiError:
		w.found = slices.Grow(w.found, len(e))
		for _, inner := range e {
			w.schemaErrors(inner)
		}
	case *openapi3.SchemaError:
		if parts, ok := errors.AsType[openapi3.MultiError](e.Origin); ok && e.SchemaField == "allOf" {
			w.schemaErrors(parts)
			return
		}
		w.found = append(w.found, w.schemaError(e))
	default:
		w.found = append(w.found, unread(w.side, "a value that cannot be checked", w.root.want))
	}
}

func (w *walker) schemaError(err *openapi3.SchemaError) Violation {
	path := err.JSONPointer()
	pointer, at := w.root.find(path)
	v := Violation{Side: w.side, Pointer: pointer, Kind: "missing", Found: "nothing", Want: "a value"}
	if at != nil {
		v.Want = at.want
	}
	switch err.SchemaField {
	case "required":
		return v
	case "discriminator": // the error has the member's value and the object's place
		v.Kind, v.Found = "object", "an object of no listed kind"
	default:
		v.Kind, v.Found = describeValue(err.Value)
	}
	if at == nil || err.Schema != at.schemas[0] { // a part of an allOf
		v.Want = describeSchema(err.Schema)
	}
	if !isDescribed(err.SchemaField) {
		v.Want += ", within its " + err.SchemaField
	}
	return v
}

// report adds a violation at the place of the token that was read last.
func (w *walker) report(kind, found, want string) {
	pointer, _ := w.root.find(slices.Collect(w.json.StackPointer().Tokens()))
	w.found = append(w.found, Violation{Side: w.side, Pointer: pointer, Kind: kind, Found: found, Want: want})
}

// isNonIntegral reports whether the contract asks for an integer and the literal is none to the
// letter. kin-openapi reads numbers as floats, so it admits 1.0 and rounds past 53 bits; OpenAPI
// 3.0 defines an integer as a number without a fraction or exponent, and a Go program cannot
// decode anything else into one.
func (n *node) isNonIntegral(literal string) bool {
	if n == nil {
		return false
	}
	asked := false
	for _, schema := range n.schemas {
		switch {
		case schema.Type.Is(openapi3.TypeNumber):
			return false
		case !schema.Type.Is(openapi3.TypeInteger):
		case isInteger(literal, schema.Format):
			return false
		default:
			asked = true
		}
	}
	return asked
}

func isInteger(literal, format string) bool {
	if strings.ContainsAny(literal, ".eE") {
		return false
	}
	var err error
	switch format {
	case "int64":
		_, err = strconv.ParseInt(literal, 10, 64)
	case "int32":
		_, err = strconv.ParseInt(literal, 10, 32)
	}
	return err == nil
}

// node is a place inside a body, with all schemas that describe it: allOf and unions join
// several. Places that the contract does not know are nil. Nodes are made when they are first
// asked for, since a schema may contain itself.
type node struct {
	schemas []*openapi3.Schema
	want    string
	members map[string]*node // that the contract names
	items   *node
}

func newNode(refs ...*openapi3.SchemaRef) *node {
	if len(refs) == 0 {
		return nil
	}
	n := &node{members: map[string]*node{}, want: describeSchema(refs[0].Value)}
	n.add(refs)
	return n
}

func (n *node) add(refs openapi3.SchemaRefs) {
	for _, ref := range refs {
		if !slices.Contains(n.schemas, ref.Value) { // a union's branch may join its parent by allOf
			n.schemas = append(n.schemas, ref.Value)
			n.add(slices.Concat(ref.Value.AllOf, ref.Value.OneOf, ref.Value.AnyOf))
		}
	}
}

// item returns what the contract says of an array's items.
func (n *node) item() *node {
	if n == nil {
		return nil
	}
	if n.items == nil {
		var refs openapi3.SchemaRefs
		for _, schema := range n.schemas {
			if schema.Items != nil {
				refs = append(refs, schema.Items)
			}
		}
		n.items = newNode(refs...)
	}
	return n.items
}

// member returns what the contract says of an object's member, and whether it names it: it
// may describe all further members too.
func (n *node) member(name string) (child *node, named bool) {
	if n == nil {
		return nil, false
	}
	if child, named = n.members[name]; named {
		return child, true
	}
	var refs openapi3.SchemaRefs
	for _, schema := range n.schemas {
		if ref := schema.Properties[name]; ref != nil {
			refs, named = append(refs, ref), true
		} else if ref := schema.AdditionalProperties.Schema; ref != nil {
			refs = append(refs, ref)
		}
	}
	child = newNode(refs...)
	if named {
		n.members[name] = child
	}
	return child, named
}

// find writes a path inside a body as a JSON pointer (RFC 6901), and returns what the contract
// says of that place. A name that is not the contract's own came over the wire, and becomes an
// asterisk.
func (n *node) find(path []string) (pointer string, at *node) {
	var to jsontext.Pointer
	for _, step := range path {
		child, named := n.member(step)
		if !named {
			if _, err := strconv.ParseUint(step, 10, 16); err == nil && n.item() != nil {
				child = n.item()
			} else {
				step = "*"
			}
		}
		n, to = child, to.AppendToken(step)
	}
	return string(to), n
}
