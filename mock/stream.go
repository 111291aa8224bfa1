package mock

import (
	"context"
	"errors"
	"net/http"
	"sync"
)

// window is how much of a body is written ahead of its reader.
const window = 64 << 10

var errReaderLeft = errors.New("mock: the reader has left")

// stream carries a response's body from the handler to the caller. It differs from io.Pipe in
// that a handler need not wait for its reader, up to window bytes, and that both ends give up
// with the caller's context.
type stream struct {
	ctx   context.Context // the caller's
	leave context.CancelFunc
	data  chan struct{} // there may be something to read
	room  chan struct{} // there may be room to write

	mu     sync.Mutex
	buf    []byte
	ended  error // what the reader gets once buf is empty
	closed bool  // by the reader
}

func newStream(ctx context.Context, leave context.CancelFunc) *stream {
	return &stream{ctx: ctx, leave: leave, data: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *stream) Write(p []byte) (n int, err error) {
	for {
		k, closed := s.put(p[n:])
		n += k
		if closed {
			return n, errReaderLeft
		}
		if n == len(p) {
			return n, nil
		}
		select {
		case <-s.room:
		case <-s.ctx.Done():
			return n, context.Cause(s.ctx)
		}
	}
}

func (s *stream) put(p []byte) (n int, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, true
	}
	n = min(len(p), window-len(s.buf))
	s.buf = append(s.buf, p[:n]...)
	wake(s.data)
	return n, false
}

// end says that nothing more is written, and why.
func (s *stream) end(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = reason
	wake(s.data)
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if err := context.Cause(s.ctx); err != nil {
			return 0, err
		}
		n, err, done := s.get(p)
		if done {
			return n, err
		}
		select {
		case <-s.data:
		case <-s.ctx.Done():
		}
	}
}

func (s *stream) get(p []byte) (n int, err error, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, http.ErrBodyReadAfterClose, true
	case len(s.buf) > 0:
		n = copy(p, s.buf)
		s.buf = s.buf[n:]
		wake(s.room)
		return n, nil, true
	case s.ended != nil:
		return 0, s.ended, true
	}
	return 0, nil, len(p) == 0
}

// Close tells the handler that its client has left.
func (s *stream) Close() error {
	s.mu.Lock()
	s.closed, s.buf = true, nil
	s.mu.Unlock()
	wake(s.room)
	s.leave()
	return nil
}
