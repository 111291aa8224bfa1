package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unsend-go/unsend/gen"
)

// maxBody is how much of a body is read.
const maxBody = 8 << 20

var errTooLarge = errors.New("the body is larger than 8 MiB")

// attempt is one request and what came back.
type attempt struct {
	status    int // 0 where no answer came
	header    http.Header
	body      []byte
	err       error // why no answer came, or why its body ends early
	unwritten bool  // no answer came, and provably no request was written
	tls       bool  // no answer came, for TLS or a certificate was refused
	took      time.Duration
}

// send makes one attempt. It returns always; what went wrong is in the attempt.
func (c *Client) send(ctx context.Context, userID, messageID string, body gen.UnsendRequest, connection string) (a attempt) {
	started := time.Now()
	defer func() { a.took = time.Since(started) }()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var conn connecting
	ctx = httptrace.WithClientTrace(ctx, conn.trace())
	resp, err := c.generated.UnsendChatMessage(ctx, userID, messageID, body, onConnection(connection))
	if err != nil {
		return attempt{err: c.veil(err), unwritten: conn.failed(err), tls: conn.refused(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	a = attempt{status: resp.StatusCode, header: resp.Header}
	if a.status >= 200 { // a 101 has no body, but an open connection
		a.body, a.err = readBody(resp.Body, resp.ContentLength)
		a.err = c.veil(a.err)
	}
	return a
}

// largeBody is what an announced length may take in memory before it is there, and a buffer
// may keep when it is done.
const largeBody = 1 << 20

// buffers take in bodies of unknown size; each caller gets a copy of its own.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody reads at most maxBody bytes, and returns what it has read with any error.
func readBody(r io.Reader, size int64) ([]byte, error) {
	if size > 0 && size <= largeBody {
		return fill(bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)), r)
	}
	buf := buffers.Get().(*bytes.Buffer)
	body, err := fill(buf, r)
	body = bytes.Clone(body)
	if buf.Cap() <= largeBody {
		buf.Reset()
		buffers.Put(buf)
	}
	return body, err
}

func fill(buf *bytes.Buffer, r io.Reader) ([]byte, error) {
	n, err := buf.ReadFrom(io.LimitReader(r, maxBody+1))
	if n > maxBody {
		return buf.Bytes()[:maxBody], errTooLarge
	}
	return buf.Bytes(), err
}

// connecting watches how far an attempt came. Its hooks run on other goroutines, which may
// outlive the attempt.
type connecting struct {
	wanted, got atomic.Bool
	handshake   atomic.Pointer[error]
}

func (c *connecting) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { c.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.got.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				c.handshake.Store(&err)
			}
		},
	}
}

// failed says whether the attempt provably wrote no request: its transport asked for a
// connection and got none. A transport that tells nothing is believed by its error.
func (c *connecting) failed(err error) bool {
	if c.wanted.Load() {
		return !c.got.Load()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return is[*net.DNSError](err) || ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// refused says whether either side refused the other's certificate or TLS configuration,
// which no retry changes.
func (c *connecting) refused(err error) bool {
	if alert, ok := alerted(err); ok && aboutCertificate(alert) {
		return true
	}
	if handshake := c.handshake.Load(); c.got.Load() || handshake != nil {
		return !c.got.Load() && !broken(*handshake)
	}
	return errors.Is(err, http.ErrSchemeMismatch) ||
		is[*tls.CertificateVerificationError](err) || is[x509.UnknownAuthorityError](err) ||
		is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// aboutCertificate tells the alerts of RFC 8446, section 6.2, by which a server refuses a
// client's certificate. In TLS 1.3 they come after the handshake.
func aboutCertificate(alert tls.AlertError) bool {
	const noCertificate, accessDenied, certificateRequired = 41, 49, 116
	return alert >= noCertificate && alert <= accessDenied || alert == certificateRequired
}

// alerted finds the TLS alert by which the other side ended a connection. Those of TCP have a
// type that crypto/tls keeps to itself, and the texts of [tls.AlertError].
func alerted(err error) (tls.AlertError, bool) {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		for alert := range tls.AlertError(math.MaxUint8) {
			if op.Err.Error() == alert.Error() {
				return alert, true
			}
		}
	}
	return errors.AsType[tls.AlertError](err)
}

// broken says whether a handshake ended with the connection rather than with a refusal.
func broken(err error) bool {
	_, refusal := alerted(err)
	return !refusal && (is[net.Error](err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled))
}

// retryAfter is how long the answer asks to wait.
func (a *attempt) retryAfter() time.Duration {
	return parseRetryAfter(a.header.Get("Retry-After"), time.Now())
}
