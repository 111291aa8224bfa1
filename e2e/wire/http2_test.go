package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unsend-go/unsend/api"
)

// http2Conn is one connection of a server that speaks HTTP/2 by hand.
type http2Conn struct {
	service *service
	conn    *tls.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer           // what the encoder writes
	open    map[uint32]*openStream // not yet answered
	said    []*message             // of the answers that were sent
	drained bool                   // a GOAWAY was sent: no answer to a later request counts
}

type openStream struct {
	message *message
	reply   reply
}

// identity makes a certificate for 127.0.0.1, signed by itself.
func identity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// startHTTP2 serves a service over HTTP/2, and returns what makes clients of it.
func startHTTP2(t *testing.T, s *service) (client func(opts ...api.Option) *api.Client, settle func()) {
	t.Helper()
	certificate, roots := identity(t)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	address, stop := listen(t, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.HandshakeContext(t.Context()) == nil {
			s.serveHTTP2(secure)
		}
	})
	return func(opts ...api.Option) *api.Client {
		return newClient(t, "https://"+address, func(std *http.Transport) {
			std.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		}, opts...)
	}, stop
}

// TestScenariosOverHTTP2 runs scenarios against a server of HTTP/2 that misbehaves.
func TestScenariosOverHTTP2(t *testing.T) {
	t.Parallel()
	runAll(t, scenarios(t, 1200), http2Faults(), func(t *testing.T, s *service) (func() *api.Client, func()) {
		t.Helper()
		client, stop := startHTTP2(t, s)
		return func() *api.Client { return client() }, stop
	})
}

// serveHTTP2 answers the requests of a connection as their scenarios say.
func (s *service) serveHTTP2(conn *tls.Conn) {
	defer func() { _ = conn.Close() }()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	c := &http2Conn{service: s, conn: conn, framer: http2.NewFramer(conn, conn), open: map[uint32]*openStream{}}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.encoder = hpack.NewEncoder(&c.block)
	_ = c.framer.WriteSettings()
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			break
		}
		if !c.take(frame) {
			// net/http may end the whole connection before it hands over what it was sent.
			for _, m := range c.said {
				s.doubt(m)
			}
			break
		}
	}
	c.abandon(0)
}

// take handles a frame, and reports whether the connection is kept.
func (c *http2Conn) take(frame http2.Frame) (kept bool) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = c.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.framer.WritePing(true, f.Data)
		}
	case *http2.MetaHeadersFrame:
		m, r := c.service.arrive(f.PseudoValue("path"))
		c.open[f.StreamID] = &openStream{m, r}
		if c.drained {
			c.service.doubt(m)
		}
		if r.fault.kind == resetEarly {
			delete(c.open, f.StreamID)
			_ = c.framer.WriteRSTStream(f.StreamID, http2.ErrCode(r.fault.code))
		}
	case *http2.DataFrame:
		stream := c.open[f.StreamID]
		if stream != nil && f.StreamEnded() {
			delete(c.open, f.StreamID)
			c.said = append(c.said, stream.message)
			return c.answer(f.StreamID, stream.reply)
		}
	case *http2.RSTStreamFrame:
		delete(c.open, f.StreamID)
	}
	return true
}

// abandon ends all open streams but one with the connection: their messages' answers are lost.
func (c *http2Conn) abandon(but uint32) {
	for id, stream := range c.open {
		if id != but {
			c.service.doubt(stream.message)
		}
	}
	clear(c.open)
}

// answer does with a stream what its fault says, and reports whether the connection is kept.
func (c *http2Conn) answer(id uint32, r reply) (kept bool) {
	code := http2.ErrCode(r.fault.code)
	last := uint32(max(0, int(id)+r.fault.last)) //nolint:gosec // small numbers
	switch r.fault.kind {
	case closed:
		return false
	case reset:
		_ = c.framer.WriteRSTStream(id, code)
	case stalled:
	case garbage:
		_ = c.framer.WriteRawFrame(http2.FrameData, 0xff, 0, []byte("garbage"))
		return false
	case cutBody:
		c.say(id, r, min(len(r.body), r.fault.cut), false)
		return false
	case interim:
		for range 1 + r.fault.cut%4 {
			c.header(id, 103, "", false)
		}
		c.say(id, r, len(r.body), true)
	case staleAfter:
		c.say(id, r, len(r.body), true)
		if len(c.open) == 0 {
			return false
		}
	case resetInside:
		c.say(id, r, min(len(r.body), r.fault.cut), false)
		_ = c.framer.WriteRSTStream(id, code)
	case resetBehind:
		c.say(id, r, len(r.body), true)
		_ = c.framer.WriteRSTStream(id, code)
	case goAway, goAwayClosed, goAwayAnswered:
		_ = c.framer.WriteGoAway(last, code, []byte("debug data of message "+fmt.Sprint(id)))
		if r.fault.kind == goAwayAnswered {
			c.say(id, r, len(r.body), true)
		}
		c.abandon(id)
		c.drained = true
		return r.fault.kind != goAwayClosed
	default:
		c.say(id, r, len(r.body), true)
	}
	return true
}

// say sends an answer with so many bytes of its body, and ends the stream or does not.
func (c *http2Conn) say(id uint32, r reply, n int, end bool) {
	c.header(id, r.status, r.header, end && n == 0)
	if n > 0 {
		_ = c.framer.WriteData(id, end, []byte(r.body[:n]))
	}
}

func (c *http2Conn) header(id uint32, status int, lines string, end bool) {
	c.block.Reset()
	field := func(name, value string) { _ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	field(":status", fmt.Sprint(status))
	field("content-type", "application/json")
	if name, value, ok := strings.Cut(strings.TrimSpace(lines), ": "); ok {
		field(strings.ToLower(name), value)
	}
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: end})
}
