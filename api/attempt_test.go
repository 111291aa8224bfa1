package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// connectionSeen tells the tracing of a request that a connection was asked for, and whether
// one was had, as net/http's transport does.
func connectionSeen(req *http.Request, got bool) {
	trace := httptrace.ContextClientTrace(req.Context())
	if trace == nil {
		return
	}
	trace.GetConn("api-next.ofauth.com:443")
	if got {
		trace.GotConn(httptrace.GotConnInfo{})
	}
}

// handshakeSeen tells the tracing of a request that a certificate was refused.
func handshakeSeen(req *http.Request) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.TLSHandshakeDone(tls.ConnectionState{}, x509.UnknownAuthorityError{})
	}
}

// remote is a TLS alert as crypto/tls hands it over from TCP.
func remote(text string) error {
	return &net.OpError{Op: "remote error", Err: errors.New(text)}
}

// TestNoAnswer is every way in which an attempt can end without one.
func TestNoAnswer(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		err   error
		trace func(*http.Request)
		retry bool
		maybe bool
	}{
		"connection refused":            {dial, nil, true, false},
		"no route":                      {&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, nil, true, false},
		"no such host":                  {&net.DNSError{Err: "no such host", Name: "api-next.ofauth.com", IsNotFound: true}, nil, true, false},
		"proxy refuses":                 {&net.OpError{Op: "proxyconnect", Err: errors.New("Forbidden")}, nil, true, false},
		"no connection, traced":         {errors.New("proxy says no"), func(r *http.Request) { connectionSeen(r, false) }, true, false},
		"no connection in time, traced": {os.ErrDeadlineExceeded, func(r *http.Request) { connectionSeen(r, false) }, true, false},
		"dial error on a connection":    {dial, func(r *http.Request) { connectionSeen(r, true) }, true, true},
		"reset":                         {&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, nil, true, true},
		"reset, traced":                 {syscall.ECONNRESET, func(r *http.Request) { connectionSeen(r, true) }, true, true},
		"write failed":                  {&net.OpError{Op: "write", Err: syscall.EPIPE}, nil, true, true},
		"end of file":                   {io.EOF, nil, true, true},
		"unexpected end of file":        {io.ErrUnexpectedEOF, nil, true, true},
		"anything":                      {errors.New("malformed HTTP response"), nil, true, true},
		"timeout":                       {os.ErrDeadlineExceeded, nil, true, true},
		"untrusted certificate":         {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, nil, false, false},
		"unknown authority":             {x509.UnknownAuthorityError{}, nil, false, false},
		"another host's certificate":    {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api-next.ofauth.com"}, nil, false, false},
		"expired certificate":           {x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}, nil, false, false},
		"plain http server":             {http.ErrSchemeMismatch, nil, false, false},
		"client certificate required":   {tls.AlertError(116), nil, true, true},
		"bad client certificate":        {tls.AlertError(42), nil, true, true},
		"another alert":                 {tls.AlertError(80), nil, true, true},
		"an alert of other things":      {tls.AlertError(20), nil, true, true},
		"a certificate of another dial": {io.EOF, func(r *http.Request) { handshakeSeen(r); connectionSeen(r, true) }, true, true},
		"a handshake refused":           {io.EOF, func(r *http.Request) { connectionSeen(r, false); handshakeSeen(r) }, false, false},
		"certificate required, on TCP":  {remote("tls: certificate required"), func(r *http.Request) { connectionSeen(r, true) }, true, true},
		"unknown authority, on TCP":     {fmt.Errorf("readLoop: %w", remote("tls: unknown certificate authority")), nil, true, true},
		"another alert, on TCP":         {remote("tls: internal error"), func(r *http.Request) { connectionSeen(r, true) }, true, true},
		"no alert's text":               {remote("tls: certificate of merit"), nil, true, true},
		"no alert on a connection":      {x509.UnknownAuthorityError{}, func(r *http.Request) { connectionSeen(r, true) }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClient(t, judged(t, roundTrip(func(req *http.Request) (*http.Response, error) {
					requests++
					if c.trace != nil {
						c.trace(req)
					}
					return nil, c.err
				})))
				started := time.Now()
				_, err := unsend(t.Context(), t, client)
				e := apiError(t, err)
				want, took := 1, time.Duration(0)
				if c.retry {
					want, took = 3, 1500*time.Millisecond
				}
				if requests != want || e.Attempts != want || time.Since(started) != took {
					t.Errorf("%d requests, %d attempts, %v", requests, e.Attempts, time.Since(started))
				}
				if e.MaybeUnsent != c.maybe || e.StatusCode != 0 || !errors.Is(err, c.err) || len(matches(err)) != 0 {
					t.Errorf("MaybeUnsent %v, status %d, is %v: %v", e.MaybeUnsent, e.StatusCode, matches(err), err)
				}
			})
		})
	}
}

// TestDoubtOfEarlierAttempts: the last attempt was not even connected, and the first may have
// unsent the message; and the other way about.
func TestDoubtOfEarlierAttempts(t *testing.T) {
	lost, refused := io.EOF, error(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	for name, c := range map[string]struct {
		attempts []error
		outcome  api.Outcome
		maybe    bool
	}{
		"lost, then refused twice":   {[]error{lost, refused, refused}, 0, true},
		"refused twice, then lost":   {[]error{refused, refused, lost}, 0, true},
		"refused thrice":             {[]error{refused, refused, refused}, 0, false},
		"lost, then gone":            {[]error{lost}, api.AlreadyGone, true},
		"lost, refused, then gone":   {[]error{lost, refused}, api.AlreadyGone, true},
		"refused, then gone":         {[]error{refused}, 0, false},
		"lost, then a bad cert":      {[]error{lost, x509.UnknownAuthorityError{}}, 0, true},
		"refused, then a bad cert":   {[]error{refused, x509.UnknownAuthorityError{}}, 0, false},
		"refused twice, then gone":   {[]error{refused, refused}, 0, false},
		"lost and refused, and gone": {[]error{refused, lost}, api.AlreadyGone, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock()
				server.Remove(userID, messageID)
				attempts := c.attempts
				client := newClient(t, judged(t, roundTripOn(server, func(*http.Request) error {
					if len(attempts) == 0 {
						return nil
					}
					err := attempts[0]
					attempts = attempts[1:]
					return err
				})))
				result, err := unsend(t.Context(), t, client)
				if c.outcome != 0 {
					if err != nil || result.Outcome != c.outcome {
						t.Errorf("%v, %v", result, err)
					}
					return
				}
				if e := apiError(t, err); e.MaybeUnsent != c.maybe {
					t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
				}
			})
		})
	}
}

// roundTripOn asks the server unless before has an error.
func roundTripOn(server *mock.Server, before func(*http.Request) error) http.RoundTripper {
	next := server.Client().Transport
	return doer(func(req *http.Request) (*http.Response, error) {
		if err := before(req); err != nil {
			_ = req.Body.Close()
			return nil, err
		}
		return next.RoundTrip(req)
	})
}

// doer is a transport made of a function, which reads the body itself.
type doer func(*http.Request) (*http.Response, error)

func (f doer) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestAttemptsHaveTheirOwnTimeout: each waits as long, and the next begins anew.
func TestAttemptsHaveTheirOwnTimeout(t *testing.T) {
	late := mock.Fault{Delay: time.Hour}
	for name, c := range map[string]struct {
		faults  []mock.Fault
		outcome api.Outcome
		took    time.Duration
	}{
		"late once":            {[]mock.Fault{late}, api.Unsent, 3500 * time.Millisecond},
		"late once, unsent":    {[]mock.Fault{acted(late)}, api.AlreadyGone, 3500 * time.Millisecond},
		"late thrice":          {thrice(late), 0, 10500 * time.Millisecond},
		"slow body, unsent":    {thrice(mock.Fault{Kind: mock.Slow, Delay: time.Second, Body: `{"success":true}`}), api.AlreadyGone, 3500 * time.Millisecond},
		"slow behind success":  {[]mock.Fault{{Kind: mock.Slow, Delay: 199 * time.Millisecond, Body: `{"success":true,"queue":null}`}}, api.Unsent, 3 * time.Second},
		"just in time":         {[]mock.Fault{{Delay: 3*time.Second - 1}}, api.Unsent, 3*time.Second - 1},
		"late body of a 503":   {thrice(mock.Fault{Status: 503, Kind: mock.Slow, Delay: time.Second}), 0, 10500 * time.Millisecond},
		"late body of a 403":   {[]mock.Fault{{Status: 403, Kind: mock.Slow, Delay: time.Second}}, 0, 3 * time.Second},
		"late, then something": {[]mock.Fault{late, {Status: 403}}, 0, 3500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				server.Next(c.faults...)
				client := newClient(t, judgedRequests(t, server.Client().Transport), api.WithTimeout(3*time.Second))
				started := time.Now()
				result, err := unsend(t.Context(), t, client)
				if took := time.Since(started); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.outcome != 0 {
					if err != nil || result.Outcome != c.outcome {
						t.Errorf("%v, %v", result, err)
					}
					return
				}
				e := apiError(t, err)
				if status := c.faults[len(c.faults)-1].Status; e.StatusCode != status && e.StatusCode != 200 {
					t.Errorf("status %d, want %d", e.StatusCode, status)
				}
				if onlyRefused := slices.Equal(c.faults, []mock.Fault{{Status: 403, Kind: mock.Slow, Delay: time.Second}}); e.MaybeUnsent == onlyRefused {
					t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
				}
				if e.StatusCode != 403 && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("context.DeadlineExceeded cannot be reached: %v", err)
				}
			})
		})
	}
}

func TestDefaultTimeoutIs30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock()
		server.Next(mock.Fault{Delay: time.Hour})
		started := time.Now()
		_, err := unsend(t.Context(), t, mockClient(t, server, api.WithRetries(0)))
		if e := apiError(t, err); time.Since(started) != 30*time.Second || !e.MaybeUnsent || e.Message != "no answer within 30s" {
			t.Errorf("%v after %v", err, time.Since(started))
		}
	})
}
