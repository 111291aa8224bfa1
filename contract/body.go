package contract

import (
	"bytes"
	"io"
	"net/http"
)

// maxBody is how much of a body is read into memory, in bytes. A longer body is a violation.
const maxBody = 8 << 20

// body is what was read of a message's body.
type body struct {
	data    []byte
	tooLong bool  // there is more than maxBody
	err     error // reading ended with this
	unseen  bool  // the end was not seen, and nothing can be said of what was
}

// take reads a body up to the limit and puts what was read back in front of the rest,
// an error of reading included.
func take(source *io.ReadCloser) body {
	if *source == nil || *source == http.NoBody {
		return body{}
	}
	original := *source
	data, err := io.ReadAll(io.LimitReader(original, maxBody+1))
	taken := body{data: data, err: err, tooLong: len(data) > maxBody}
	var rest io.Reader = original
	if err != nil {
		rest = failing{err}
	}
	*source = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), rest), original}
	return taken
}

// failing replays the error that a body ended with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
