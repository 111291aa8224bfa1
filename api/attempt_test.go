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
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"sync/atomic"
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
	trace.GetConn("api-next.ofauth.com:443")
	if got {
		trace.GotConn(httptrace.GotConnInfo{})
	}
}

// TestNoAnswer has the ways in which an attempt can end without one. What a trace concludes from
// a transport's steps is the matter of internal/transport.
func TestNoAnswer(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	remote := func(text string) error { return &net.OpError{Op: "remote error", Err: errors.New(text)} }
	for name, c := range map[string]struct {
		err   error
		trace string // "none" where a connection was asked for and not had, "had" where it was
		final bool   // it is not retried
		maybe bool
	}{
		"connection refused":           {err: dial},
		"no such host":                 {err: &net.DNSError{Err: "no such host", Name: "api-next.ofauth.com", IsNotFound: true}},
		"no connection in time":        {err: os.ErrDeadlineExceeded, trace: "none"},
		"dial error on a connection":   {err: dial, trace: "had", maybe: true},
		"reset":                        {err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, maybe: true},
		"write failed":                 {err: &net.OpError{Op: "write", Err: syscall.EPIPE}, maybe: true},
		"end of file":                  {err: io.EOF, maybe: true},
		"anything":                     {err: errors.New("malformed HTTP response"), maybe: true},
		"timeout":                      {err: os.ErrDeadlineExceeded, maybe: true},
		"untrusted certificate":        {err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, final: true},
		"another host's certificate":   {err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api-next.ofauth.com"}, final: true},
		"expired certificate":          {err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}, final: true},
		"plain http server":            {err: http.ErrSchemeMismatch, final: true},
		"a certificate of another":     {err: x509.UnknownAuthorityError{}, trace: "had", maybe: true},
		"client certificate required":  {err: tls.AlertError(116), maybe: true},
		"certificate required, on TCP": {err: remote("tls: certificate required"), trace: "had", maybe: true},
		"unknown authority, on TCP":    {err: fmt.Errorf("readLoop: %w", remote("tls: unknown certificate authority")), maybe: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClient(t, validated(t, roundTrip(func(req *http.Request) (*http.Response, error) {
					requests++
					if c.trace != "" {
						connectionSeen(req, c.trace == "had")
					}
					return nil, c.err
				})))
				started := time.Now()
				_, err := unsend(t.Context(), t, client)
				e := apiError(t, err)
				want, took := 3, 1500*time.Millisecond
				if c.final {
					want, took = 1, 0
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

// TestAttemptsHaveTheirOwnTimeout: each waits as long, and the next begins anew.
func TestAttemptsHaveTheirOwnTimeout(t *testing.T) {
	late, slow := mock.Fault{Delay: time.Hour}, mock.Fault{Status: 503, Kind: mock.Slow, Delay: time.Second}
	for name, c := range map[string]struct {
		faults  []mock.Fault
		took    time.Duration
		outcome api.Outcome // 0: an error, with the rest
		status  int
		certain bool // the message was not unsent
	}{
		"late once":           {faults: []mock.Fault{late}, took: 3500 * time.Millisecond, outcome: api.Unsent},
		"late once, unsent":   {faults: []mock.Fault{acted(late)}, took: 3500 * time.Millisecond, outcome: api.AlreadyGone},
		"late thrice":         {faults: []mock.Fault{late, late, late}, took: 10500 * time.Millisecond},
		"slow behind success": {faults: []mock.Fault{{Kind: mock.Slow, Delay: 199 * time.Millisecond, Body: `{"success":true,"queue":null}`}}, took: 3 * time.Second, outcome: api.Unsent},
		"just in time":        {faults: []mock.Fault{{Delay: 3*time.Second - 1}}, took: 3*time.Second - 1, outcome: api.Unsent},
		"late body of a 503":  {faults: []mock.Fault{slow, slow, slow}, took: 10500 * time.Millisecond, status: 503},
		"late body of a 403":  {faults: []mock.Fault{{Status: 403, Kind: mock.Slow, Delay: time.Second}}, took: 3 * time.Second, status: 403, certain: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				server.Next(c.faults...)
				client := newClient(t, validatedRequests(t, server.Client().Transport), api.WithTimeout(3*time.Second))
				started := time.Now()
				result, err := unsend(t.Context(), t, client)
				if took := time.Since(started); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.outcome != "" {
					if err != nil || result.Outcome != c.outcome {
						t.Errorf("%v, %v", result, err)
					}
					return
				}
				if e := apiError(t, err); e.StatusCode != c.status || e.MaybeUnsent == c.certain || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v: status %d, MaybeUnsent %v", err, e.StatusCode, e.MaybeUnsent)
				}
			})
		})
	}
}

// TestTimeouts: 30 seconds, or as long as the client or the call has it (P8).
func TestTimeouts(t *testing.T) {
	minute, second := api.WithTimeout(time.Minute), api.WithTimeout(time.Second)
	for want, c := range map[time.Duration]struct {
		opts []api.Option
		call []api.CallOption
	}{
		30 * time.Second: {}, time.Minute: {opts: []api.Option{minute}}, time.Second: {opts: []api.Option{minute}, call: []api.CallOption{second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := newMock()
			server.Next(mock.Fault{Delay: time.Hour})
			started := time.Now()
			_, err := unsend(t.Context(), t, mockClient(t, server, c.opts...), append(c.call, api.WithRetries(0))...)
			if e := apiError(t, err); time.Since(started) != want || !e.MaybeUnsent || e.Message != fmt.Sprint("no response within ", want) {
				t.Errorf("%v after %v, want %v", err, time.Since(started), want)
			}
		})
	}
}

// retryingTransport is one of the caller's, that sends again what failed.
type retryingTransport struct{ next http.RoundTripper }

func (r retryingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	again := req.Clone(req.Context())
	resp, err := r.next.RoundTrip(req)
	if err == nil && resp.StatusCode < 500 {
		return resp, nil
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	again.Body = http.NoBody
	again.ContentLength = 0
	return r.next.RoundTrip(again)
}

// TestCallersTransportThatRetries: it hides a first answer, after which the message may be gone
// whatever the second one says.
func TestCallersTransportThatRetries(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		unsent api.Outcome
	}{
		"the message is gone":     {404, `{"error":"No","type":"RESOURCE_NOT_FOUND"}`, api.AlreadyGone},
		"the key is not accepted": {401, `{"error":"No","type":"UNAUTHORIZED"}`, ""},
		"the message is refused":  {200, `{"success":false}`, ""},
		"the message was unsent":  {200, `{"success":true}`, api.Unsent},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) == 1 {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			client := newClient(t, retryingTransport{server.Client().Transport}, api.WithBaseURL(server.URL), api.WithRetries(0))
			result, err := unsend(t.Context(), t, client)
			if c.unsent != "" {
				if err != nil || result.Outcome != c.unsent || result.Attempts != 1 {
					t.Errorf("%+v, %v", result, err)
				}
				return
			}
			if e := apiError(t, err); !e.MaybeUnsent || e.Attempts != 1 {
				t.Errorf("%v: MaybeUnsent %v", err, e.MaybeUnsent)
			}
		})
	}
}
