package contract

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// inflate undoes gzip, up to the limit of a body: a client that asks for it by itself, and
// every server's handler, sees bodies as they are on the wire. A body that only claims to be
// gzip stays as it is: `curl -i --compressed` prints the header of the wire and the body plain.
func inflate(header http.Header, b body) body {
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
