package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestErrorsMadeByHand mean what their exported fields say: those of a caller's fake, or of one read
// from a database (P1, P2).
func TestErrorsMadeByHand(t *testing.T) {
	const missing = "RESOURCE_NOT_FOUND"
	const again, gateway, gone = "make the same call again", "check the base url", "a 404 then means that the message is gone"
	expired := api.Error{StatusCode: 401, Type: "SESSION_EXPIRED"}
	late := api.Error{Err: context.DeadlineExceeded, Scope: api.ScopeService, MaybeUnsent: true}
	for name, c := range map[string]struct {
		err       api.Error
		sentinels string
		retryable bool
		hint      string
	}{
		"a fake's session":       {expired, "ErrSessionExpired ErrUnauthorized", false, "have the creator connect again"},
		"a fake's not found":     {api.Error{StatusCode: 404, Type: missing, MaybeUnsent: true}, "ErrNotFound", false, "nothing to do"},
		"a fake's 403":           {api.Error{StatusCode: 403}, "ErrUnexpectedResponse", false, gateway},
		"the rate limit":         {api.Error{Err: api.ErrRateLimited}, "ErrRateLimited", true, "RetryAfter"},
		"a configuration":        {api.Error{Err: api.ErrConfig}, "ErrConfig", false, "correct the option"},
		"stopped":                {api.Error{Err: api.ErrStopped}, "ErrStopped", true, again},
		"stopped after a 429":    {api.Error{StatusCode: 429, Err: api.ErrStopped, Scope: api.ScopeClient}, "ErrStopped", true, again},
		"canceled":               {api.Error{Err: context.Canceled}, "", true, "make the same call again: it was ended"},
		"an attempt's timeout":   {late, "", true, gone},
		"lost":                   {api.Error{MaybeUnsent: true}, "", true, gone},
		"not written":            {api.Error{Scope: api.ScopeService}, "", true, "check the network"},
		"TLS":                    {api.Error{Scope: api.ScopeClient}, "", false, "certificates"},
		"open files":             {api.Error{Err: syscall.EMFILE}, "", true, "ulimit"},
		"a name":                 {api.Error{Err: &net.DNSError{}}, "", true, "check the host"},
		"a refused dial":         {api.Error{Err: syscall.ECONNREFUSED}, "", true, "nothing listens there"},
		"a 503 with a cause":     {api.Error{StatusCode: 503, Err: syscall.ECONNREFUSED}, "ErrServer", true, "try again later"},
		"a 200 that ended early": {api.Error{StatusCode: 200, Err: io.ErrUnexpectedEOF}, "ErrUnexpectedResponse", true, again},
	} {
		t.Run(name, func(t *testing.T) {
			e := &c.err
			if got := strings.Join(matches(e), " "); got != c.sentinels || e.Retryable() != c.retryable {
				t.Errorf("the error is %q, retryable %v; want %q, %v", got, e.Retryable(), c.sentinels, c.retryable)
			}
			if !strings.Contains(e.Hint(), c.hint) {
				t.Errorf("the hint is %q, want %q", e.Hint(), c.hint)
			}
		})
	}
}

// leaky is an error that quotes what a peer sent, as those of net/http do.
type leaky struct{ text string }

func (l leaky) Error() string { return fmt.Sprintf("malformed HTTP response %q", l.text) }

// TestChainHoldsNoText walks down from an error as a program can: errors.Is and errors.As reach
// sentinels and the types of the network, and no text of a peer (X5).
func TestChainHoldsNoText(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	lost := func(cause error) error {
		wire := &replies{list: []reply{{err: &url.Error{Op: "Delete", URL: "https://api/" + plantedKey, Err: cause}}}}
		_, err := unsend(t.Context(), t, newClient(t, wire), api.WithRetries(0))
		return err
	}
	if op, ok := errors.AsType[*net.OpError](lost(&net.OpError{Op: "read", Net: "tcp", Err: leaky{secret}})); ok {
		t.Errorf("a *net.OpError that quotes a response is reached: %v", op)
	}
	err := lost(errors.Join(leaky{secret}, reset))
	if !errors.Is(err, syscall.ECONNRESET) || !errors.Is(err, leaky{secret}) {
		t.Errorf("%v: the causes are not reached", err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		t.Error("a *url.Error is reached")
	}
	if _, ok := errors.AsType[leaky](err); ok {
		t.Error("an error that quotes a response is reached")
	}
	op, ok := errors.AsType[*net.OpError](err)
	late, isNet := errors.AsType[net.Error](err)
	number, isErrno := errors.AsType[syscall.Errno](err)
	if !ok || !isNet || late.Timeout() || (&url.Error{Err: err}).Timeout() || !isErrno || number != syscall.ECONNRESET {
		t.Errorf("types of the network are not reached: %v, %v, %v", op, late, number)
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		if text := fmt.Sprintf("%v %+v %#v", next, next, next); strings.Contains(text, secret) || strings.Contains(text, plantedKey) {
			t.Errorf("%T has the text: %s", next, text)
		}
	}
}

// TestHeaders are kept without what is secret in them, and bounded.
func TestHeaders(t *testing.T) {
	header := http.Header{"X-Trace": {"a", plantedKey}, "Set-Cookie": {"a=b"}, "Authorization": {"Bearer x"}}
	e := fail(t, 503, header, "")
	if want := (http.Header{"X-Trace": {"a", "[redacted]"}, "Content-Type": {"application/json"}}); !reflect.DeepEqual(e.Header, want) {
		t.Errorf("the error's header is %v, want %v", e.Header, want)
	}
	if len(header) != 3 || header["X-Trace"][1] != plantedKey {
		t.Errorf("the response's own header was changed: %d members", len(header))
	}
	header = http.Header{"A-Long": {strings.Repeat("x", 20<<10)}, "B-Long": {strings.Repeat("y", 20<<10)}, "Z": {"z"}}
	result, err := unsend(t.Context(), t, newClient(t, respond(t, 200, header, `{"success":true,"queue":{"text":"`+secret+`"}}`)))
	if err != nil || len(result.Header) != 2 || result.Header.Get("Z") != "z" {
		t.Errorf("of a header of 40 KiB, the largest are not those that were dropped: %d members, %v", len(result.Header), err)
	}
	for _, text := range []string{
		fmt.Sprintf("%v", result), fmt.Sprintf("%+v", *result), fmt.Sprintf("%#v", result), result.LogValue().String(),
	} {
		if strings.Trim(text, `"`) != "unsent" {
			t.Errorf("a result prints as %s", text)
		}
	}
}

// TestDocumentedTable holds docs/client/errors.md to the table that decides: the same rows in the
// same order, with the same words in each column.
func TestDocumentedTable(t *testing.T) {
	page, err := os.ReadFile("../docs/client/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := api.Table(sentinels()); !strings.Contains(string(page), want) {
		t.Errorf("docs/client/errors.md lacks this table:\n%s", want)
	}
}

func TestScopesHaveNames(t *testing.T) {
	for scope, want := range map[api.Scope]string{api.ScopeUnknown: "unknown", api.ScopeMessage: "message", "new": "new"} {
		if got := fmt.Sprint(scope); got != want {
			t.Errorf("prints as %q, want %q", got, want)
		}
	}
}
