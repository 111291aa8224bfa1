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

// Three bytes of JSON can make a hundred of memory, each value can be a violation, and a
// violation's pointer is as long as its place is deep.
const (
	maxValues = 50_000 // objects and arrays counted too
	maxDepth  = 100
)

// checkJSON checks one JSON value by its schema.
func checkJSON(side Side, schema *openapi3.Schema, data []byte) []Violation {
	d := decoder{side: side, root: placeOf(schema.NewRef())}
	value, found, want := d.decodeBody(data)
	if found != "" {
		return []Violation{unreadable(side, found, want)}
	}
	direction := openapi3.VisitAsRequest()
	if side == Response {
		direction = openapi3.VisitAsResponse()
	}
	d.schemaErrors(schema.VisitJSON(value, openapi3.MultiErrors(), direction))
	return sortAndDedupe(d.found)
}

// decodeBody decodes a whole body. If it cannot, it describes what it found and what it wanted.
func (d *decoder) decodeBody(data []byte) (value any, found, want string) {
	if !utf8.Valid(data) {
		return nil, "bytes that are not UTF-8", "JSON"
	}
	// A text cut inside an emoji ends in half a surrogate pair, which encoding/json reads.
	d.in = jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	value, err := d.decode(d.root)
	switch syntax, _ := errors.AsType[*jsontext.SyntacticError](err); {
	case errors.Is(err, errLimit):
		return nil, err.Error(), "JSON within this limit"
	case syntax != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Sprintf("text that is not JSON, from byte %d on", syntax.ByteOffset), "JSON"
	case err != nil:
		return nil, "JSON cut short after " + count(len(data), "byte"), "whole JSON"
	}
	if _, err := d.in.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, "text after the JSON value", "one JSON value"
	}
	return value, "", ""
}

// decoder decodes a body beside its schema, and reports what kin-openapi cannot see in decoded
// values: duplicate members, and how an integer is written. It also counts values, to stop before a
// body costs too much.
type decoder struct {
	in     *jsontext.Decoder
	values int

	side  Side
	root  place
	found []Violation
}

var errLimit = errors.New("JSON")

// decode decodes one value at this place.
func (d *decoder) decode(at place) (any, error) {
	if d.values++; d.values > maxValues {
		return nil, fmt.Errorf("%w of more than %d values", errLimit, maxValues)
	}
	token, err := d.in.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.in.StackDepth() > maxDepth {
		return nil, fmt.Errorf("%w nested deeper than %d levels", errLimit, maxDepth)
	}
	switch token.Kind() {
	case '{':
		return d.object(at)
	case '[':
		return d.array(at)
	case '"':
		return token.String(), nil
	case '0':
		number := json.Number(token.String())
		if at.refusesNumber(string(number)) {
			_, found := describeValue(number)
			d.report("number", found, describeSchema(at[0]))
		}
		return number, nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil //nolint:nilnil // JSON's null
}

func (d *decoder) array(at place) (any, error) {
	items, list := at.item(), []any{}
	for d.in.PeekKind() != ']' {
		value, err := d.decode(items)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := d.in.ReadToken()
	return list, err
}

func (d *decoder) object(at place) (any, error) {
	members := map[string]any{}
	for d.in.PeekKind() != '}' {
		token, err := d.in.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		member, _ := at.member(name)
		if _, twice := members[name]; twice && member != nil {
			d.report("text", "a member that occurs more than once", describeSchema(member[0])+", once")
		}
		if members[name], err = d.decode(member); err != nil {
			return nil, err
		}
	}
	_, err := d.in.ReadToken()
	return members, err
}

// report adds a violation at the place of the token that was read last.
func (d *decoder) report(kind, found, want string) {
	pointer, _ := d.root.find(slices.Collect(d.in.StackPointer().Tokens()))
	d.found = append(d.found, Violation{Side: d.side, Pointer: pointer, Kind: kind, Found: found, Want: want})
}

// schemaErrors flattens what VisitJSON returned. A violated union is one violation, without those of
// its branches; each part of an allOf reports its own.
func (d *decoder) schemaErrors(err error) {
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand, every branch of it
	case openapi3.MultiError:
		d.found = slices.Grow(d.found, len(e))
		for _, inner := range e {
			d.schemaErrors(inner)
		}
	case *openapi3.SchemaError:
		if parts, ok := errors.AsType[openapi3.MultiError](e.Origin); ok && e.SchemaField == "allOf" {
			d.schemaErrors(parts)
			return
		}
		d.schemaError(e)
	case nil:
	default:
		d.found = append(d.found, unreadable(d.side, "a value that cannot be checked", describeSchema(d.root[0])))
	}
}

func (d *decoder) schemaError(err *openapi3.SchemaError) {
	pointer, at := d.root.find(err.JSONPointer())
	v := Violation{Side: d.side, Pointer: pointer, Want: describeSchema(err.Schema)}
	v.Kind, v.Found = describeValue(err.Value)
	switch err.SchemaField {
	case "required":
		v.Kind, v.Found, v.Want = "missing", "nothing", "a value"
		if at != nil {
			v.Want = describeSchema(at[0])
		}
	case "type", "nullable", "enum", "pattern", "minLength", "maxLength", "oneOf", "anyOf":
	default: // what describeSchema has no words for
		v.Want += ", within its " + err.SchemaField
	}
	d.found = append(d.found, v)
}

// place has all schemas that describe one place inside a body: allOf and unions join several.
// Places that the contract does not describe have none.
type place []*openapi3.Schema

func placeOf(refs ...*openapi3.SchemaRef) place {
	return joined(refs, func(s *openapi3.Schema) openapi3.SchemaRefs { return slices.Concat(s.AllOf, s.OneOf, s.AnyOf) })
}

// joined returns schemas with those that they join, in any number of steps.
func joined(refs openapi3.SchemaRefs, parts func(*openapi3.Schema) openapi3.SchemaRefs) place {
	var p place
	for ; len(refs) > 0; refs = refs[1:] {
		if schema := refs[0].Value; !slices.Contains(p, schema) { // a branch may join its union by allOf
			p = append(p, schema)
			refs = append(slices.Clip(refs), parts(schema)...)
		}
	}
	return p
}

// item returns the schemas of an array's items.
func (p place) item() place {
	var refs openapi3.SchemaRefs
	for _, schema := range p {
		if schema.Items != nil {
			refs = append(refs, schema.Items)
		}
	}
	return placeOf(refs...)
}

// member returns the schemas of an object's member, and reports whether the contract names it
// rather than describing all further members.
func (p place) member(name string) (member place, named bool) {
	var refs openapi3.SchemaRefs
	for _, schema := range p {
		if ref := schema.Properties[name]; ref != nil {
			refs, named = append(refs, ref), true
		} else if ref := schema.AdditionalProperties.Schema; ref != nil {
			refs = append(refs, ref)
		}
	}
	return placeOf(refs...), named
}

// find writes a path inside a body as a JSON pointer (RFC 6901), and returns the schemas of that
// place. A name that the contract does not have is the sender's, and becomes an asterisk.
func (p place) find(path []string) (pointer string, at place) {
	var to jsontext.Pointer
	for _, step := range path {
		next, named := p.member(step)
		if items := p.item(); !named && items != nil && isIndex(step) {
			next = items
		} else if !named {
			step = "*"
		}
		p, to = next, to.AppendToken(step)
	}
	return string(to), p
}

// refusesNumber reports whether the contract requires an integer and the literal is not written as
// one. kin-openapi reads numbers as floats, so it admits 1.0 and rounds past 53 bits; OpenAPI
// 3.0 defines an integer as a number without a fraction or exponent, and a Go program cannot
// decode anything else into one.
func (p place) refusesNumber(literal string) bool {
	isWhole := !strings.ContainsAny(literal, ".eE")
	_, err := strconv.ParseInt(literal, 10, 64)
	refused := false
	for _, schema := range p {
		isInteger := schema.Type.Is(openapi3.TypeInteger)
		if schema.Type.Is(openapi3.TypeNumber) || isInteger && isWhole && (err == nil || schema.Format != "int64") {
			return false
		}
		refused = refused || isInteger
	}
	return refused
}
