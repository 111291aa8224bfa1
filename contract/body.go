package contract

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// maxBody is how many bytes of a body are read into memory.
const maxBody = 8 << 20

// body is what was read of a message's body.
type body struct {
	data    []byte
	tooLong bool  // there is more than maxBody
	err     error // reading ended with this
	unseen  bool  // nothing can be said of it
}

// take reads a body up to the limit and puts what was read back in front of the rest, an error
// of reading included.
func take(source *io.ReadCloser) body {
	if *source == nil || *source == http.NoBody {
		return body{}
	}
	original := *source
	data, err := io.ReadAll(io.LimitReader(original, maxBody+1))
	rest := io.Reader(original)
	if err != nil {
		rest = failing{err}
	}
	*source = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), rest), original}
	return body{data: data, err: err, tooLong: len(data) > maxBody}
}

// failing replays the error that a body ended with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func takeRequest(req *http.Request) body {
	if req.GetBody != nil {
		if fresh, err := req.GetBody(); err == nil {
			b := take(&fresh)
			_ = fresh.Close()
			return b
		}
	}
	return take(&req.Body)
}

// inflate undoes gzip, up to the limit of a body. A body that only claims to be gzip stays as it
// is: `curl -i --compressed` prints the header of the wire and the body plain.
func (b body) inflate(header http.Header) body {
	if b.err != nil || b.tooLong || !strings.EqualFold(strings.TrimSpace(header.Get("Content-Encoding")), "gzip") {
		return b
	}
	zipped, err := gzip.NewReader(bytes.NewReader(b.data))
	if err != nil {
		return b
	}
	data, err := io.ReadAll(io.LimitReader(zipped, maxBody+1))
	return body{data: data, err: err, tooLong: len(data) > maxBody}
}

// checkBody checks a whole body by the media types that the contract lists for it.
func checkBody(side Side, content openapi3.Content, header http.Header, b body, required bool) []Violation {
	if len(content) == 0 || b.unseen {
		return nil
	}
	types := slices.Sorted(maps.Keys(content))
	want := strings.Join(types, " or ")
	if b.err == nil && !b.tooLong && len(bytes.TrimSpace(b.data)) == 0 {
		if !required {
			return nil
		}
		return []Violation{{Side: side, Kind: "missing", Found: "nothing", Want: "a body of " + want}}
	}
	var vs []Violation
	contentType := header.Get("Content-Type")
	media := content.Get(contentType)
	if media == nil {
		v := Violation{Side: side, Pointer: "header:Content-Type", Kind: "missing", Found: "nothing", Want: want}
		if contentType != "" {
			v.Kind, v.Found = "string", "another media type"
		}
		vs = append(vs, v)
		// What the body is can still be checked: the type may be all that is wrong with it.
		if i := slices.IndexFunc(types, isJSON); i >= 0 {
			contentType, media = types[i], content[types[i]]
		}
	}
	if media == nil || media.Schema == nil || !isJSON(contentType) {
		return vs
	}
	b = b.inflate(header)
	switch {
	case b.tooLong:
		return append(vs, unread(side, fmt.Sprintf("more than %d MiB", maxBody>>20), "a body within this limit"))
	case b.err != nil:
		return append(vs, unread(side, fmt.Sprintf("a body that broke off after %d bytes", len(b.data)), "a whole body"))
	}
	found, err := checkJSON(side, media.Schema.Value, b.data)
	switch reason, _ := errors.AsType[notJSON](err); {
	case err == nil:
		return append(vs, found...)
	case len(vs) > 0: // what is no JSON and does not claim to be departs once
		return vs
	default:
		return append(vs, unread(side, reason.found, reason.want))
	}
}

func isJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	return strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
}
