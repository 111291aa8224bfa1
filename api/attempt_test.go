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
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// connectionSeen traces that a connection was requested, and got, as net/http's transport does.
func connectionSeen(req *http.Request, got bool) {
	trace := httptrace.ContextClientTrace(req.Context())
	trace.GetConn("api-next.ofauth.com:443")
	if got {
		trace.GotConn(httptrace.GotConnInfo{})
	}
}

// TestNoResponse has the errors of attempts without one. What a trace concludes from a transport's
// steps is tested in internal/transport.
func TestNoResponse(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	remote := func(text string) error { return &net.OpError{Op: "remote error", Err: errors.New(text)} }
	for name, c := range map[string]struct {
		err   error
		trace string // "none" if a connection was requested and not got, "had" if it was
		final bool   // not retried
		maybe bool
	}{
		"connection refused":           {err: dial},
		"no such host":                 {err: &net.DNSError{Err: "no such host", Name: "api-next.ofauth.com", IsNotFound: true}},
		"no connection in time":        {err: os.ErrDeadlineExceeded, trace: "none"},
		"dial error on a connection":   {err: dial, trace: "had", maybe: true},
		"reset":                        {err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, maybe: true},
		"end of file":                  {err: io.EOF, maybe: true},
		"anything":                     {err: errors.New("malformed HTTP response"), maybe: true},
		"timeout":                      {err: os.ErrDeadlineExceeded, maybe: true},
		"untrusted certificate":        {err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, final: true},
		"plain http server":            {err: http.ErrSchemeMismatch, final: true},
		"a certificate of another":     {err: x509.UnknownAuthorityError{}, trace: "had", maybe: true},
		"certificate required, on TCP": {err: remote("tls: certificate required"), trace: "had", maybe: true},
		"unknown authority, on TCP":    {err: fmt.Errorf("readLoop: %w", remote("tls: unknown certificate authority")), maybe: true},
		"an error of this package":     {err: &api.Error{StatusCode: 429, Err: api.ErrRateLimited}, maybe: true},
		"sentinels of this package":    {err: errors.Join(api.ErrConfig, api.ErrStopped, api.ErrUnexpectedResponse), maybe: true},
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

// TestTimeouts: each attempt has as long as the client or the call has it, 30 seconds if neither does (P8).
func TestTimeouts(t *testing.T) {
	const second, ms = time.Second, time.Millisecond
	late, slow, slow403 := mock.Fault{Delay: time.Hour}, mock.Fault{Status: 503, Kind: mock.Slow, Delay: second},
		mock.Fault{Status: 403, Kind: mock.Slow, Delay: second}
	behind := mock.Fault{Kind: mock.Slow, Delay: 199 * ms, Body: `{"success":true,"queue":null}`}
	for name, c := range map[string]struct {
		faults  []mock.Fault
		client  time.Duration // its timeout, and the call's; 0: none is given
		call    time.Duration
		caller  time.Duration // that of the http.Client given
		took    time.Duration
		outcome api.Outcome // "": an error, with the rest
		status  int
		certain bool // the message was not unsent
	}{
		"late once":           {faults: []mock.Fault{late}, client: 3 * second, took: 3500 * ms, outcome: api.Unsent},
		"late once, unsent":   {faults: []mock.Fault{acted(late)}, client: 3 * second, took: 3500 * ms, outcome: api.AlreadyGone},
		"late thrice":         {faults: []mock.Fault{late, late, late}, client: 3 * second, took: 10500 * ms},
		"slow behind success": {faults: []mock.Fault{behind}, client: 3 * second, took: 3 * second, outcome: api.Unsent},
		"just in time":        {faults: []mock.Fault{{Delay: 3*second - 1}}, client: 3 * second, took: 3*second - 1, outcome: api.Unsent},
		"late body of a 503":  {faults: []mock.Fault{slow, slow, slow}, client: 3 * second, took: 10500 * ms, status: 503},
		"late body of a 403":  {faults: []mock.Fault{slow403}, client: 3 * second, took: 3 * second, status: 403, certain: true},
		"none given":          {faults: []mock.Fault{late, late, late}, took: 91500 * ms},
		"the call's":          {faults: []mock.Fault{late, late, late}, client: time.Minute, call: second, took: 4500 * ms},
		"the http.Client's":   {faults: []mock.Fault{late, late, late}, caller: second, took: 4500 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(mock.WithoutRateLimit())
				server.Next(c.faults...)
				next := &http.Client{Transport: validatedRequests(t, server.Client().Transport), Timeout: c.caller}
				opts := []api.Option{api.WithHTTPClient(next)}
				if c.client > 0 {
					opts = append(opts, api.WithTimeout(c.client))
				}
				var call []api.CallOption
				if c.call > 0 {
					call = append(call, api.WithTimeout(c.call))
				}
				started := time.Now()
				result, err := unsend(t.Context(), t, newClient(t, nil, opts...), call...)
				if took := time.Since(started); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.outcome != "" {
					if err != nil || result.Outcome != c.outcome {
						t.Errorf("%v, %v", result, err)
					}
					return
				}
				e := apiError(t, err)
				late := errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, io.ErrUnexpectedEOF) && (&url.Error{Err: err}).Timeout()
				if e.StatusCode != c.status || e.MaybeUnsent == c.certain || !late {
					t.Errorf("%v: status %d, MaybeUnsent %v", err, e.StatusCode, e.MaybeUnsent)
				}
				if c.status == 0 && !strings.HasPrefix(e.Message, "no response within ") {
					t.Errorf("the message is %q", e.Message)
				}
			})
		})
	}
}

// TestCallersTransportThatRetries: it hides a first response, so the message may be gone whatever the
// second one reports (X7).
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
			client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				for range 2 {
					connectionSeen(req, true)
				}
				return newResponse(req, c.status, nil, strings.NewReader(c.body)), nil
			}), api.WithRetries(0))
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

// delayed is a body that arrives after a delay.
type delayed struct {
	io.Reader
	delay time.Duration
}

func (d *delayed) Read(p []byte) (int, error) {
	<-time.After(d.delay) // virtual
	d.delay = 0
	return d.Reader.Read(p)
}

// TestErrorBodiesAreReadAFewAtATime: in an outage thousands may arrive at once, each with 64 KiB. 16
// are read at a time; slow ones delay the others for five seconds at most.
func TestErrorBodiesAreReadAFewAtATime(t *testing.T) {
	for _, c := range []struct {
		status      int
		delay, took time.Duration
	}{
		{400, 10 * time.Millisecond, 190 * time.Millisecond},
		{400, 10 * time.Second, 15 * time.Second},
		{200, 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				body := strings.NewReader(`{"error":"No","type":"BAD_REQUEST"}`)
				return newResponse(req, c.status, nil, &delayed{body, c.delay}), nil
			}), api.WithoutRateLimit())
			started := time.Now()
			var wg sync.WaitGroup
			for range 300 {
				wg.Go(func() {
					if _, err := client.Unsend(t.Context(), userID, messageID); err == nil {
						t.Error("the call succeeds")
					}
				})
			}
			wg.Wait()
			if got := time.Since(started); got != c.took {
				t.Errorf("bodies of a %d that take %v took %v, want %v", c.status, c.delay, got, c.took)
			}
		})
	}
}

// TestPanicsPass: a panic of a caller's transport leaves nothing behind, such as the turn of a body.
func TestPanicsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			resp := newResponse(req, 400, nil, strings.NewReader("{}"))
			if broken {
				resp.Body = struct{ io.ReadCloser }{} // its methods panic
			}
			return resp, nil
		}), api.WithoutRateLimit())
		for range 20 {
			func() {
				defer func() { _ = recover() }()
				_, _ = client.Unsend(t.Context(), userID, messageID)
			}()
		}
		broken = false
		started := time.Now()
		_, err := unsend(t.Context(), t, client)
		if took := time.Since(started); took != 0 || apiError(t, err).StatusCode != 400 {
			t.Errorf("%v after %v, want it at once", err, took)
		}
	})
}

// filler is a JSON string's content of n bytes.
func filler(n int) string { return strings.Repeat("x", n) }

// TestReadSuccess has bodies, whole and cut. If the values of a repeated success differ, there is none.
func TestReadSuccess(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	for name, c := range map[string]struct {
		body        string
		success, ok bool
	}{
		"last":                    {body: `{"queue":{"id":1},"more":[1,{"success":false}],"success":true}`, success: true, ok: true},
		"twice false":             {body: `{"success":false,"x":1,"success":false}`, ok: true},
		"another in a text":       {body: `{"success":true,"queue":{"text":"\"success\":false"}}`, success: true, ok: true},
		"cut in the snapshot":     {body: `{"success":true,"queue":{"id":1,"text":"<p>`, success: true, ok: true},
		"before nonsense":         {body: `{"success":true,<<<,"success":false}`, success: true, ok: true},
		"before a deep snapshot":  {body: `{"success":true,"queue":` + deep, success: true, ok: true},
		"both, far apart":         {body: `{"success":true,"text":"` + filler(1<<20) + `","success":false}`},
		"both behind a snapshot":  {body: `{"queue":{"id":1},"success":false,"more":[],"success":true}`},
		"null, then true":         {body: `{"success":null,"success":true}`},
		"true, then cut":          {body: `{"success":true,"success":fal`},
		"only in a text":          {body: `{"text":"\"success\":true"}`},
		"as an object":            {body: `{"success":{"success":true}}`},
		"without a colon":         {body: `{"success" true}`},
		"without a name":          {body: `{true}`},
		"without an object":       {body: `"success":true`},
		"as items of a list":      {body: `["success",true,"x"]`},
		"cut in the value":        {body: `{"success":tru`},
		"a digit behind true":     {body: `{"queue":{},"success":true1}`},
		"a list's end behind":     {body: `{"success":true]`},
		"a text behind true":      {body: `{"success":true"x"}`},
		"behind a second comma":   {body: `{"a":1,,"success":true}`},
		"behind what is no JSON":  {body: `{"a":nul,"success":true}`},
		"behind a deep snapshot":  {body: `{"queue":` + deep + strings.Repeat("]", 100_000) + `,"success":true}`},
		"behind a BOM":            {body: "\ufeff" + `{"success":true}`},
		"an unfinished long name": {body: `{"` + filler(1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			success, ok := api.ReadSuccess([]byte(c.body))
			if success != c.success || ok != c.ok {
				t.Errorf("success is %t, %t; want %t, %t", success, ok, c.success, c.ok)
			}
		})
	}
}
