package contract

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxBody is how many bytes of a body are read into memory.
const maxBody = 8 << 20

// errSent is returned for the body of a request that was sent already.
var errSent = errors.New("body was read before")

// body is the part of a message's body that was read.
type body struct {
	data []byte // one byte more than maxBody if it is longer
	err  error  // reading ended with this
}

func readBody(r io.Reader) body {
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	return body{data, err}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// readAndPutBack reads a body. The next reader gets what was read, its error included, and the rest.
func readAndPutBack(source *io.ReadCloser) body {
	if *source == nil || *source == http.NoBody {
		return body{}
	}
	original := *source
	b, rest := readBody(original), io.Reader(original)
	if b.err != nil {
		rest = failing{b.err}
	}
	*source = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b.data), rest), original}
	return b
}

func readRequest(req *http.Request) body {
	if req.GetBody != nil {
		if again, err := req.GetBody(); err == nil {
			defer func() { _ = again.Close() }()
			return readBody(again)
		}
	}
	b := readAndPutBack(&req.Body)
	if req.Body != nil && len(b.data) == 0 && b.err == nil && req.ContentLength > 0 {
		b.err = errSent
	}
	return b
}

// inflated decompresses gzip. A body that is not gzip stays as it is: `curl -i --compressed`
// prints the original header and a plain body.
func (b body) inflated(header http.Header) body {
	if b.err != nil || len(b.data) > maxBody || !strings.EqualFold(header.Get("Content-Encoding"), "gzip") {
		return b
	}
	zipped, err := gzip.NewReader(bytes.NewReader(b.data))
	if err != nil {
		return b
	}
	return readBody(zipped)
}

// hasNoBody reports whether HTTP allows no body.
func hasNoBody(method string, status int) bool {
	return method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// checkBody checks a whole body by the media types that the contract lists for it.
func checkBody(side Side, content openapi3.Content, header http.Header, b body, required bool) []Violation {
	if len(content) == 0 {
		return nil
	}
	types := slices.Sorted(maps.Keys(content))
	want := strings.Join(types, " or ")
	if errors.Is(b.err, errSent) {
		return []Violation{unreadable(side, "a body that was read before", "one that is checked before it is sent, or by Transport")}
	}
	b = b.inflated(header)
	if len(b.data) > maxBody {
		return []Violation{unreadable(side, fmt.Sprintf("more than %d MiB", maxBody>>20), "a body within this limit")}
	}
	if b.err == nil && len(bytes.TrimSpace(b.data)) == 0 {
		if !required {
			return nil
		}
		return []Violation{{Side: side, Kind: "missing", Found: "nothing", Want: "a body of " + want}}
	}
	var vs []Violation
	schema, listed := jsonSchema(content, header)
	if !listed {
		v := Violation{Side: side, Pointer: "header:Content-Type", Kind: "string", Found: "another media type", Want: want}
		if header.Get("Content-Type") == "" {
			v.Kind, v.Found = "missing", "nothing"
		}
		vs = []Violation{v}
		if !json.Valid(b.data) { // otherwise the type may be all that is wrong
			return vs
		}
	}
	switch {
	case schema == nil:
		return vs
	case b.err != nil:
		return append(vs, unreadable(side, fmt.Sprintf("a body that broke off after %d bytes", len(b.data)), "a whole body"))
	}
	return append(vs, checkJSON(side, schema.Value, b.data)...)
}

// jsonSchema returns what describes a body of JSON, and reports whether the contract lists its media
// type. If it does not, the schema is that of the first type of JSON.
func jsonSchema(content openapi3.Content, header http.Header) (schema *openapi3.SchemaRef, listed bool) {
	mediaType := header.Get("Content-Type")
	media, types := content.Get(mediaType), slices.Sorted(maps.Keys(content))
	for _, name := range types {
		// kin-openapi finds no type by a name with parameters, and none by a range of suffixes.
		if found, _ := path.Match(essence(name), essence(mediaType)); found && media == nil {
			media = content[name]
		}
	}
	listed = media != nil
	for _, name := range types {
		if media == nil && isJSON(name) {
			mediaType, media = name, content[name]
		}
	}
	if media != nil && isJSON(mediaType) {
		schema = media.Schema
	}
	return schema, listed
}

// essence is a media type without parameters.
func essence(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

func isJSON(mediaType string) bool {
	mediaType = essence(mediaType)
	return strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
}
