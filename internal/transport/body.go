package transport

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// MaxBody is how much of a body is read, in bytes.
const MaxBody = 8 << 20

// ErrTooLarge is a body of more than MaxBody.
var ErrTooLarge = errors.New("the body is larger than 8 MiB")

// ReadBody reads at most MaxBody bytes, and returns what it has read with any error. The size is
// what was announced; memory for more than 1 MiB is taken when the body arrives.
func ReadBody(r io.Reader, size int64) ([]byte, error) {
	b := make([]byte, 0, min(max(size+1, bytes.MinRead), 1<<20)) // one more, to read its end
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		n, err := r.Read(b[len(b):min(cap(b), MaxBody+1)])
		b = b[:len(b)+n]
		switch {
		case len(b) > MaxBody:
			return b[:MaxBody], ErrTooLarge
		case err == io.EOF: // a wrapped one is no end
			return b, nil
		case err != nil:
			return b, err
		}
	}
}
