package main

import (
	"encoding"
	"encoding/json"
	"go/token"
	"reflect"
	"strings"
)

// form is how a type is read.
type form int

const (
	other  form = iota // by encoding/json
	scalar             // by a function for its kind
	custom             // by its own UnmarshalJSON
	object             // member by member
	list               // element by element
)

// formOf says how a type is read. Generated code can name the types of home and Go's own;
// whatever encoding/json treats in a way of its own is left to it.
func formOf(t reflect.Type, home string) form {
	named := t.PkgPath() == home && token.IsExported(t.Name()) && !strings.Contains(t.Name(), "[")
	switch at := reflect.PointerTo(t); {
	case at.Implements(reflect.TypeFor[json.Unmarshaler]()):
		if named {
			return custom
		}
		return other
	case at.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return other
	case t.Kind() == reflect.Slice:
		element := t.Elem()
		if element.Kind() == reflect.Uint8 { // base64
			return other
		}
		switch formOf(element, home) {
		case scalar, custom, object:
			return list
		default:
			return other
		}
	case t.Kind() == reflect.Struct:
		if _, plain := membersOf(t); named && plain {
			return object
		}
		return other
	case reader(t.Kind()) != "" && (named || t.PkgPath() == ""):
		return scalar
	}
	return other
}

// reader names the function that reads a kind, "" where there is none.
func reader(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "text"
	case reflect.Float32:
		return "single"
	case reflect.Float64:
		return "double"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	default:
		return ""
	}
}

// member is a field and the name that it has in JSON.
type member struct {
	name  string
	field reflect.StructField
}

// membersOf returns the members of a struct, and whether it is plain: encoding/json has
// rules of its own for embedded structs, options, and names that clash or are not ASCII.
func membersOf(t reflect.Type) (members []member, plain bool) {
	names := map[string]bool{}
	for field := range t.Fields() {
		tag := field.Tag.Get("json")
		if field.Anonymous {
			return nil, false
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = field.Name
		}
		if names[name] || !isPlain(name) || strings.Contains(","+options+",", ",string,") {
			return nil, false
		}
		names[name] = true
		members = append(members, member{name, field})
	}
	return members, true
}

// isPlain says whether encoding/json takes a name as it stands.
func isPlain(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}
