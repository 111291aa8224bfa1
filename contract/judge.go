package contract

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// judgeBody judges a whole body by the media types that the contract lists for it. schemas
// may be nil, where the contract says nothing of a body.
func judgeBody(side Side, content openapi3.Content, contentType string, b body, required bool) []Violation {
	if len(content) == 0 || b.unseen {
		return nil
	}
	whole := Violation{Side: side, Want: "a body of " + mediaTypes(content)}
	switch {
	case b.tooLong:
		whole.Kind, whole.Found, whole.Want = "text", fmt.Sprintf("more than %d MiB", maxBody>>20), "a body within this limit"
		return append(judgeType(side, content, contentType), whole)
	case b.err != nil:
		whole.Kind, whole.Found = "text", fmt.Sprintf("a body that broke off after %d bytes", len(b.data))
		return append(judgeType(side, content, contentType), whole)
	case len(strings.TrimSpace(string(b.data))) == 0:
		if !required {
			return nil
		}
		whole.Kind, whole.Found = "missing", "nothing"
		return []Violation{whole}
	}

	wrongType := judgeType(side, content, contentType)
	media := content.Get(contentType)
	if media == nil {
		media = content.Get("application/json")
	}
	if media == nil || media.Schema == nil {
		return wrongType
	}
	if i := notUTF8(b.data); i >= 0 {
		whole.Kind, whole.Found = "text", fmt.Sprintf("bytes that are not UTF-8, from byte %d on", i)
		return orWrongType(wrongType, whole)
	}
	value, repeated, err := decode(b.data)
	if err != nil {
		whole.Kind, whole.Found = "text", notJSON(b.data, err)
		return orWrongType(wrongType, whole)
	}
	return append(wrongType, judgeValue(side, media.Schema.Value, value, repeated)...)
}

// orWrongType leaves it at the wrong media type, where there is one: what is not JSON and does
// not claim to be departs once.
func orWrongType(wrongType []Violation, whole Violation) []Violation {
	if len(wrongType) > 0 {
		return wrongType
	}
	return []Violation{whole}
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
	names := make([]string, 0, len(content))
	for name := range content {
		names = append(names, name)
	}
	return strings.Join(names, " or ")
}
