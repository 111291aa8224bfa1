package wire

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// network connects clients to one server, in memory.
type network struct {
	serve func(*conn)

	mu      sync.Mutex
	open    map[*conn]bool // server's ends
	serving sync.WaitGroup
}

func newNetwork(serve func(*conn)) *network { return &network{serve: serve, open: map[*conn]bool{}} }

// scenarioKey is the context key of the scenario for which a connection is dialed.
type scenarioKey struct{}

// dial connects, unless the scenario has refusals left.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if sc, ok := ctx.Value(scenarioKey{}).(*scenario); ok && sc.refusals > 0 {
		sc.refusals--
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	up, down := newFlow(), newFlow()
	client, server := &conn{in: down, out: up}, &conn{in: up, out: down}
	n.open[server] = true
	n.serving.Go(func() {
		n.serve(server)
		_ = server.Close()
		n.mu.Lock()
		delete(n.open, server)
		n.mu.Unlock()
	})
	return client, nil
}

// close ends all connections, and returns when the server has ended.
func (n *network) close() {
	n.mu.Lock()
	for conn := range n.open {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.serving.Wait()
}

// conn is one end of a connection. As the kernel's, it takes in what is written and not yet read.
type conn struct {
	net.Conn // for the methods that nobody calls

	in, out *flow
}

// flow is one direction of a connection.
type flow struct {
	mu    sync.Mutex
	moved *sync.Cond
	buf   []byte
	err   error // of reads, when buf is empty
	deaf  bool  // the next write fails; until then nothing shows
	takes int   // bytes of that write
}

func newFlow() *flow {
	f := &flow{}
	f.moved = sync.NewCond(&f.mu)
	return f
}

func (f *flow) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.moved.Broadcast()
}

func (c *conn) Read(b []byte) (int, error) {
	f := c.in
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.buf) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		f.moved.Wait()
	}
	n := copy(b, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

func (c *conn) Write(b []byte) (int, error) {
	f := c.out
	f.mu.Lock()
	defer f.mu.Unlock()
	broken := &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	switch {
	case f.deaf:
		f.err = io.EOF
		f.moved.Broadcast()
		return min(f.takes, len(b)), broken
	case f.err != nil:
		return 0, broken
	}
	f.buf = append(f.buf, b...)
	f.moved.Broadcast()
	return len(b), nil
}

func (c *conn) Close() error {
	c.in.end(net.ErrClosed)
	c.out.end(io.EOF)
	return nil
}

// reset closes the connection as TCP's RST does.
func (c *conn) reset() {
	c.out.end(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET})
	_ = c.Close()
}

// goDeaf makes the peer's next write fail behind so many bytes.
func (c *conn) goDeaf(takes int) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.deaf, c.in.takes = true, takes
}

func (c *conn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *conn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
