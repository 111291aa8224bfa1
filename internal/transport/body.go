package transport

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// MaxBody is how much of a body is read, in bytes.
const MaxBody = 8 << 20

// ErrTooLarge is a body of more than MaxBody.
var ErrTooLarge = errors.New("the body is larger than 8 MiB")

// largeBody is what an announced length may take in memory before it is there, and a buffer
// may keep when it is done.
const largeBody = 1 << 20

// buffers take in bodies of unknown size; each caller gets a copy of its own.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// ReadBody reads at most MaxBody bytes, and returns what it has read with any error.
func ReadBody(r io.Reader, size int64) ([]byte, error) {
	if size > 0 && size <= largeBody {
		return fill(bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)), r)
	}
	buf := buffers.Get().(*bytes.Buffer) //nolint:errcheck // the pool holds nothing else
	body, err := fill(buf, r)
	body = bytes.Clone(body)
	if buf.Cap() <= largeBody {
		buf.Reset()
		buffers.Put(buf)
	}
	return body, err
}

func fill(buf *bytes.Buffer, r io.Reader) ([]byte, error) {
	n, err := buf.ReadFrom(io.LimitReader(r, MaxBody+1))
	if n > MaxBody {
		return buf.Bytes()[:MaxBody], ErrTooLarge
	}
	return buf.Bytes(), err
}
