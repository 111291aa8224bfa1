package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Conn is one connection of a server that speaks HTTP/2 by hand.
type http2Conn struct {
	service *service
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer     // what the encoder writes
	open    map[uint32]reply // streams without a response
	failed  bool             // to write
}

// identity is a certificate for 127.0.0.1, which is valid in virtual time too.
var identity = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.TLS.Certificates[0], roots
})

// serveHTTP2 responds to the requests of a connection by their scenarios.
func (s *service) serveHTTP2(raw *conn) {
	certificate, _ := identity()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	conn := tls.Server(raw, config)
	if conn.HandshakeContext(context.Background()) != nil {
		return
	}
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	c := &http2Conn{service: s, framer: http2.NewFramer(conn, conn), open: map[uint32]reply{}}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.encoder = hpack.NewEncoder(&c.block)
	c.wrote(c.framer.WriteSettings())
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil || !c.take(raw, frame) {
			return
		}
	}
}

// take handles a frame, and reports whether the connection is kept.
func (c *http2Conn) take(conn io.Closer, frame http2.Frame) (kept bool) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.wrote(c.framer.WriteSettingsAck())
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			c.wrote(c.framer.WritePing(true, f.Data))
		}
	case *http2.MetaHeadersFrame:
		r := c.service.arrive(f.PseudoValue("path"))
		c.open[f.StreamID] = r
		if r.fault.kind == resetEarly {
			delete(c.open, f.StreamID)
			r.think()
			c.wrote(c.framer.WriteRSTStream(f.StreamID, http2.ErrCode(r.fault.code)))
			settle()
			r.rest()
		}
	case *http2.DataFrame:
		r, open := c.open[f.StreamID]
		if !open || !f.StreamEnded() {
			return true
		}
		delete(c.open, f.StreamID)
		r.think()
		if kept = c.respond(f.StreamID, r); !kept {
			_ = conn.Close()
		}
		settle()
		r.rest()
		return kept
	case *http2.RSTStreamFrame:
		delete(c.open, f.StreamID)
	}
	return true
}

// respond applies the fault of a stream, and reports whether the connection is kept.
func (c *http2Conn) respond(id uint32, r reply) (kept bool) {
	code := http2.ErrCode(r.fault.code)
	last := uint32(max(0, int(id)+r.fault.last)) //nolint:gosec // small numbers
	switch r.fault.kind {
	case closed:
		return false
	case reset:
		c.wrote(c.framer.WriteRSTStream(id, code))
	case stalled:
	case garbage:
		c.wrote(c.framer.WriteRawFrame(http2.FrameData, 0xff, 0, []byte("garbage")))
		return false
	case cutBody:
		c.send(id, r, min(len(r.body), r.fault.cut), false)
		return false
	case interim:
		for range 1 + r.fault.cut%4 {
			c.header(id, 103, "", false)
		}
		c.whole(id, r)
	case staleAfter:
		c.whole(id, r)
		return false
	case resetInside:
		c.send(id, r, min(len(r.body), r.fault.cut), false)
		c.wrote(c.framer.WriteRSTStream(id, code))
	case resetBehind:
		c.send(id, r, len(r.body), true)
		c.wrote(c.framer.WriteRSTStream(id, code))
	case goAway, goAwayClosed, goAwayAnswered:
		c.wrote(c.framer.WriteGoAway(last, code, []byte("debug data of message "+fmt.Sprint(id))))
		settle()
		if r.fault.kind == goAwayAnswered {
			c.send(id, r, len(r.body), true)
		}
		clear(c.open)
		return r.fault.kind != goAwayClosed
	default:
		c.whole(id, r)
	}
	return true
}

// whole sends a response that certainly arrives.
func (c *http2Conn) whole(id uint32, r reply) {
	c.send(id, r, len(r.body), true)
	if !c.failed {
		r.heard()
	}
}

// send sends a response with so many bytes of its body, and ends the stream or does not.
func (c *http2Conn) send(id uint32, r reply, n int, end bool) {
	c.header(id, r.status, r.header, end && n == 0)
	if n > 0 {
		c.wrote(c.framer.WriteData(id, end, []byte(r.body[:n])))
	}
	settle()
}

func (c *http2Conn) header(id uint32, status int, lines string, end bool) {
	c.block.Reset()
	field := func(name, value string) { _ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	field(":status", fmt.Sprint(status))
	field("content-type", "application/json")
	if name, value, ok := strings.Cut(strings.TrimSpace(lines), ": "); ok {
		field(strings.ToLower(name), value)
	}
	c.wrote(c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: end}))
	settle()
}

func (c *http2Conn) wrote(err error) { c.failed = c.failed || err != nil }
