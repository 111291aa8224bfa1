package transport

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

// MaxBody is how much of a body is read, in bytes.
const MaxBody = 8 << 20

// ErrTooLarge is a body of more than MaxBody.
var ErrTooLarge = errors.New("the body is larger than 8 MiB")

// largeBody is how much memory an announced length may take before the body arrived, and a
// buffer may keep afterwards.
const largeBody = 1 << 20

// buffers receive bodies of unknown size; each caller gets a copy of its own.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// ReadBody reads at most MaxBody bytes, and returns what it has read with any error.
func ReadBody(r io.Reader, size int64) ([]byte, error) {
	if size > 0 && size <= largeBody {
		return fill(make([]byte, 0, size+1), r) // one more, to read its end
	}
	buf := buffers.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	body, err := fill((*buf)[:0], r)
	if cap(body) > largeBody {
		return bytes.Clone(body), err
	}
	*buf = body
	defer buffers.Put(buf)
	return bytes.Clone(body), err
}

func fill(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, max(bytes.MinRead, len(b)))
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
