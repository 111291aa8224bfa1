package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// Watch sees how far an attempt came. Its hooks run on other goroutines, which may
// outlive the attempt.
type Watch struct {
	wanted, got atomic.Bool
	handshake   atomic.Pointer[error]
}

// Trace returns a context in which a request is watched.
func (w *Watch) Trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				w.handshake.Store(&err)
			}
		},
	})
}

// Unwritten says whether an attempt that ended with err provably wrote no request: its
// transport asked for a connection and got none. A transport that tells nothing is believed
// by its error.
func (w *Watch) Unwritten(err error) bool {
	if w.wanted.Load() {
		return !w.got.Load()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return is[*net.DNSError](err) || ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// Refused says whether an attempt ended with err because either side refused the other's
// certificate or TLS configuration, which no retry changes.
func (w *Watch) Refused(err error) bool {
	if alert, ok := alerted(err); ok && aboutCertificate(alert) {
		return true
	}
	if handshake := w.handshake.Load(); w.got.Load() || handshake != nil {
		return !w.got.Load() && !broken(*handshake)
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
