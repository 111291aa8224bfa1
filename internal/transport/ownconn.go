package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// errDoomed ends a request before any of it is written: net/http takes another connection.
var errDoomed = errors.New("the connection is not used again")

// ownConn is a connection of a [Transport], below TLS.
type ownConn struct {
	net.Conn

	mu     sync.Mutex
	writes int
	doomed bool
}

// ownConnOf returns the ownConn that conn is or encrypts; nil if there is none.
func ownConnOf(conn net.Conn) *ownConn {
	for secure, ok := conn.(*tls.Conn); ok; secure, ok = conn.(*tls.Conn) { // twice through a proxy over TLS
		conn = secure.NetConn()
	}
	own, _ := conn.(*ownConn) // nil if it is another
	return own
}

// Write refuses what would be the start of another request on a doomed connection.
func (c *ownConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if c.doomed {
		c.mu.Unlock()
		return 0, errDoomed
	}
	c.writes++
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *ownConn) written() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

// doom keeps other requests off the connection. It closes the connection at once, unless more was
// written than the caller's own writes: another request is out, and gets its response.
func (c *ownConn) doom(writes int) {
	c.mu.Lock()
	c.doomed = true
	idle := c.writes <= writes
	c.mu.Unlock()
	if idle {
		_ = c.Close()
	}
}
