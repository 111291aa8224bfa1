package contract

import (
	"errors"
	"io"
	"sync"
)

// recorder keeps what passes by of a body, up to the limit.
type recorder struct {
	length  int64 // how long the message says that the body is; 0 or less: it does not say
	mu      sync.Mutex
	data    []byte
	tooLong bool
	ended   bool
	err     error
}

func (r *recorder) add(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tooLong {
		return
	}
	if len(r.data)+len(p) > maxBody {
		r.tooLong, r.data = true, nil
		return
	}
	r.data = append(r.data, p...)
}

func (r *recorder) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.ended, r.err = true, err
	}
}

// body is what is known once nobody reads on. Who knows the length does not ask for the end,
// and neither does a JSON decoder behind the value, so as many bytes as announced, or a whole
// value, count as a whole body; less is no ground to judge on.
func (r *recorder) body() body {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := body{data: r.data, tooLong: r.tooLong, err: r.err}
	whole := r.ended || r.tooLong || r.length > 0 && int64(len(r.data)) >= r.length
	if !whole {
		_, _, err := decode(r.data)
		b.unseen = err != nil
	}
	return b
}

// tee is a body that is recorded while it is read. Once it ends, or is closed, it calls done.
type tee struct {
	io.ReadCloser
	seen *recorder
	done func()
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.seen.add(p[:n])
	if err != nil {
		if errors.Is(err, io.EOF) {
			t.seen.end(nil)
		} else {
			t.seen.end(err)
		}
		t.done()
	}
	return n, err
}

func (t *tee) Close() error {
	err := t.ReadCloser.Close()
	t.done()
	return err
}
