package contract

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// judgeBody judges a whole body by the media types that the contract lists for it.
func judgeBody(side Side, content openapi3.Content, header http.Header, b body, required bool) []Violation {
	if len(content) == 0 || b.unseen {
		return nil
	}
	if b.err == nil && !b.tooLong && len(bytes.TrimSpace(b.data)) == 0 {
		if !required {
			return nil
		}
		return []Violation{{Side: side, Kind: "missing", Found: "nothing", Want: "a body of " + mediaTypes(content)}}
	}
	contentType := header.Get("Content-Type")
	vs := judgeType(side, content, contentType)
	media := content.Get(contentType)
	if media == nil {
		media = content.Get("application/json")
	}
	if media == nil || media.Schema == nil {
		return vs
	}
	value, repeated, unread := read(side, header, b)
	if unread != nil {
		// What is no JSON and does not claim to be departs once.
		if len(vs) == 0 || b.err != nil || b.tooLong {
			vs = append(vs, *unread)
		}
		return vs
	}
	return append(vs, judgeValue(side, media.Schema.Value, value, repeated)...)
}

// read decodes a body, or says why it cannot be.
func read(side Side, header http.Header, b body) (value any, repeated [][]string, unread *Violation) {
	fault := func(found, want string) *Violation {
		return &Violation{Side: side, Kind: "text", Found: found, Want: want}
	}
	plain := inflate(header, b)
	switch {
	case plain.tooLong:
		return nil, nil, fault(fmt.Sprintf("more than %d MiB", maxBody>>20), "a body within this limit")
	case plain.err != nil:
		return nil, nil, fault(fmt.Sprintf("a body that broke off after %d bytes", len(plain.data)), "a whole body")
	}
	value, repeated, err := decode(plain.data)
	if err != nil {
		return nil, nil, fault(notJSON(plain.data, err))
	}
	return value, repeated, nil
}

func judgeValue(side Side, schema *openapi3.Schema, value any, repeated [][]string) []Violation {
	direction := openapi3.VisitAsRequest()
	if side == Response {
		direction = openapi3.VisitAsResponse()
	}
	all := faults(schema, schema.VisitJSON(value, openapi3.MultiErrors(), direction))
	all = append(all, inexact(schema, value, nil)...)
	var vs []Violation
	for _, f := range all {
		vs = append(vs, f.violation(side, value))
	}
	for _, path := range repeated {
		if known := schemaAt(schema, path); known != nil {
			vs = append(vs, Violation{
				Side: side, Pointer: jsonPointer(path), Kind: "text",
				Found: "a member that stands more than once", Want: describe(known) + ", once",
			})
		}
	}
	return vs
}

func judgeType(side Side, content openapi3.Content, contentType string) []Violation {
	if content.Get(contentType) != nil {
		return nil
	}
	v := Violation{Side: side, Pointer: "header:Content-Type", Kind: "missing", Found: "nothing", Want: mediaTypes(content)}
	if contentType != "" {
		v.Kind, v.Found = "string", "another media type"
	}
	return []Violation{v}
}

func mediaTypes(content openapi3.Content) string {
	return strings.Join(slices.Sorted(maps.Keys(content)), " or ")
}
