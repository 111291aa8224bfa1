package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
)

var (
	// errReplay ends net/http's attempt to send a request again by itself.
	errReplay = errors.New("the connection failed after the request may have been written " +
		"(an HTTP/2 reset, refusal or GOAWAY, or a transport that retries by itself)")
	// errStale ends an attempt whose connection had gone stale twice over.
	errStale = errors.New("the connection had been closed before the request was written")
)

// Kind is how a transport may treat a request.
type Kind int

// Kinds.
const (
	Other    Kind = iota // a caller's, which may send a request again
	Standard             // net/http's own, whose replays follow known rules
	Own                  // a [Transport]
)

// ConnTrace follows one attempt through net/http. It reports what was written, and keeps the attempt to
// one request on the wire. Its hooks run on other goroutines, which may outlive the attempt.
type ConnTrace struct {
	Kind Kind // of the transport that sends the request

	hooks httptrace.ClientTrace

	mu        sync.Mutex
	requested int      // connections
	conns     int      // connections obtained
	unwritten int      // of these, those on which provably nothing was written
	own       *ownConn // the last one, if it is of a [Transport]
	writes    int      // on it, before this request
	begun     bool     // writing to the last one: a header field was encoded; not traced on an own transport
	http2     bool     // it speaks HTTP/2: the field had a name such as :method
	handshake error    // of TLS, the last that failed
}

// Follow returns req with ctx and traced. A request with a body, unless it is a GET or HEAD, is kept to
// one on the wire: net/http calls GetBody to send a request again, and that returns the body only if
// nothing was written because a kept connection had been closed. The request then goes out on another
// connection, once.
func (c *ConnTrace) Follow(ctx context.Context, req *http.Request) *http.Request {
	c.hooks = httptrace.ClientTrace{GetConn: c.getConn, GotConn: c.gotConn, TLSHandshakeDone: c.handshakeDone}
	if c.Kind == Standard {
		c.hooks.WroteHeaderField = c.wroteHeaderField
	}
	traced := req.WithContext(httptrace.WithClientTrace(ctx, &c.hooks))
	safe := req.Method == http.MethodGet || req.Method == http.MethodHead
	if again := req.GetBody; again != nil && !safe {
		traced.GetBody = func() (io.ReadCloser, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if !c.movedOn() {
				return nil, errReplay
			}
			if c.unwritten = c.conns; c.unwritten > 1 {
				return nil, errStale
			}
			return again()
		}
	}
	return traced
}

func (c *ConnTrace) getConn(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requested++
	if c.movedOn() {
		c.unwritten = c.conns
	}
}

func (c *ConnTrace) gotConn(info httptrace.GotConnInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns++
	c.own, c.begun, c.http2 = ownConnOf(info.Conn), false, false
	if c.own != nil {
		c.writes = c.own.written()
	}
}

func (c *ConnTrace) wroteHeaderField(name string, _ []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = true
	c.http2 = c.http2 || strings.HasPrefix(name, ":")
}

func (c *ConnTrace) handshakeDone(_ tls.ConnectionState, err error) {
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.handshake = err
	}
}

// movedOn reports whether a transport that requests another connection has provably written nothing on
// the one that it had. A connection of our own counts its writes. Over HTTP/1.1 net/http sends a
// DELETE again for no other reason. Over HTTP/2 it also does so on the peer's word (REFUSED_STREAM,
// GOAWAY, some resets), which is not trusted: nothing was written only if no header was encoded.
func (c *ConnTrace) movedOn() bool {
	if c.own != nil && c.own.written() == c.writes {
		return true
	}
	return c.Kind != Other && c.conns > 0 && (!c.http2 || !c.begun)
}

// Ending is how an attempt ended.
type Ending struct {
	// SentTwice is true if a transport of the caller's may have sent the request more than once: it
	// requested, or got, more connections than one on which something was written. Whatever the last
	// response is, an earlier request may have had its effect.
	SentTwice bool
	// Unwritten is true if there is no response and provably no request was written: the attempt got
	// no connection, or each that it got had been closed before. If a transport of the caller's
	// reported nothing to the trace, its error has to be a refusal, or one of a dial or of a name.
	Unwritten bool
	// Refused is true if nothing was written because either side refused the other's certificate or
	// TLS configuration, or [Guard] the request: no retry changes that.
	Refused bool
	// Err is why there is no response: the transport's error, [http.ErrSchemeMismatch] if one in plain
	// HTTP was read as TLS, or a [ProxyError].
	Err error
}

// End returns how an attempt ended whose transport returned err, nil with a response.
func (c *ConnTrace) End(ctx context.Context, err error) Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := Ending{SentTwice: c.Kind == Other && max(c.conns, c.requested)-c.unwritten > 1, Err: err}
	if err == nil {
		return end
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(record.RecordHeader[:]) == "HTTP/" {
		end.Err = http.ErrSchemeMismatch
	}
	if c.conns > c.unwritten {
		end.Unwritten = c.conns == c.unwritten+1 && c.neverBegun(ctx, err)
		return end
	}
	if c.requested > 0 {
		end.Err = explainProxy(end.Err)
	}
	if c.handshake != nil {
		end.Refused = !broken(c.handshake)
	} else {
		end.Refused = is[*RefusedError](err) || errors.Is(end.Err, http.ErrSchemeMismatch) || IsCertificate(err)
	}
	op, ok := errors.AsType[*net.OpError](err)
	dial := ok && (op.Op == "dial" || op.Op == "proxyconnect") || is[*net.DNSError](err)
	end.Unwritten = c.requested > 0 || c.Kind == Own || end.Refused || dial
	return end
}

// neverBegun reports whether the last connection failed before a header was encoded. For a canceled
// request that is not known: over HTTP/2 net/http does not wait for its writer.
func (c *ConnTrace) neverBegun(ctx context.Context, err error) bool {
	late, ok := errors.AsType[net.Error](err)
	begun := c.begun || c.Kind == Own && (c.own == nil || c.own.written() != c.writes)
	return c.Kind != Other && !begun && ctx.Err() == nil && !errors.Is(err, context.Canceled) && (!ok || !late.Timeout())
}

// explainProxy returns err, or a [ProxyError] if err has the text that net/http makes of a proxy's
// refusal to connect, which is the reason phrase of its status.
func explainProxy(err error) error {
	inner := err
	for next := err; next != nil; next = errors.Unwrap(next) {
		inner = next
	}
	for status := 400; status <= 599; status++ {
		if text := http.StatusText(status); text != "" && inner.Error() == text {
			return &ProxyError{StatusCode: status}
		}
	}
	return err
}

// IsCertificate reports whether err refuses the peer's certificate.
func IsCertificate(err error) bool {
	return is[*tls.CertificateVerificationError](err) || is[x509.UnknownAuthorityError](err) ||
		is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err)
}

// Drop keeps other requests off the attempt's connection, if it is of a [Transport]: bytes that follow
// the response would be taken for the response to another request.
func (c *ConnTrace) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own != nil && !c.http2 {
		c.own.doom(c.writes + 1)
	}
}

// broken reports whether a handshake ended with the connection, or with an internal error of the
// peer's, rather than with a refusal.
func broken(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if ok && op.Op == "remote error" { // an alert, whose type crypto/tls does not export over TCP
		const internalError = 80 // such as that of a load balancer that restarts
		return op.Err.Error() == tls.AlertError(internalError).Error()
	}
	return is[net.Error](err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
