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
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/unsend-go/unsend/api"
)

// sentinels are all that errors.Is can ask for.
func sentinels() map[string]error {
	return map[string]error{
		"ErrConfig": api.ErrConfig, "ErrInvalidID": api.ErrInvalidID, "ErrBadRequest": api.ErrBadRequest,
		"ErrUnauthorized": api.ErrUnauthorized, "ErrSessionExpired": api.ErrSessionExpired, "ErrForbidden": api.ErrForbidden,
		"ErrNotFound": api.ErrNotFound, "ErrRateLimited": api.ErrRateLimited, "ErrServer": api.ErrServer, "ErrStopped": api.ErrStopped,
		"ErrRefused": api.ErrRefused, "ErrUnexpectedResponse": api.ErrUnexpectedResponse,
	}
}

// matches are the names of the sentinels that err is, in order.
func matches(err error) []string {
	names := []string{}
	for name, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestMeanings has the answers that differ in more than their status. What is retried is the
// matter of TestTransientErrorsAreRetried and its neighbors.
func TestMeanings(t *testing.T) {
	typed := func(kind string) string { return fmt.Sprintf(`{"error":"No","type":%q}`, kind) }
	for _, c := range []struct {
		name   string
		status int
		body   string

		scope     api.Scope
		retryable bool
		maybe     bool
		silent    bool // the service itself did not answer
		sentinels string
	}{
		{name: "session expired", status: 401, body: typed("SESSION_EXPIRED"), scope: api.ScopeConnection, sentinels: "ErrSessionExpired ErrUnauthorized"},
		{name: "a session type to come", status: 401, body: typed("SESSION_LOCKED"), scope: api.ScopeConnection, sentinels: "ErrSessionExpired ErrUnauthorized"},
		{name: "403 of the session", status: 403, body: typed("SESSION_EXPIRED"), scope: api.ScopeConnection, sentinels: "ErrForbidden ErrSessionExpired"},
		{name: "another case", status: 401, body: typed("session_expired"), scope: api.ScopeAccount, sentinels: "ErrUnauthorized"},
		{name: "wrong key", status: 401, body: typed("UNAUTHORIZED"), scope: api.ScopeAccount, sentinels: "ErrUnauthorized"},
		{name: "rules outdated", status: 401, body: typed("RULES_OUTDATED"), scope: api.ScopeService, retryable: true, sentinels: "ErrUnauthorized"},
		{name: "rules outdated on 403", status: 403, body: typed("RULES_OUTDATED"), scope: api.ScopeMessage, sentinels: "ErrForbidden"},
		{name: "402", status: 402, body: typed("NO_CREDIT"), scope: api.ScopeAccount, sentinels: "ErrUnauthorized"},
		{name: "forbidden", status: 403, body: typed("FORBIDDEN"), scope: api.ScopeConnection, sentinels: "ErrForbidden"},
		{name: "403 without a type", status: 403, body: `{"error":"No","requestId":"req_1"}`, scope: api.ScopeConnection, sentinels: "ErrForbidden"},
		{name: "403 of another type", status: 403, body: typed("TOO_OLD"), scope: api.ScopeMessage, sentinels: "ErrForbidden"},
		{name: "403 of a problem", status: 403, body: `{"type":"about:blank","title":"Forbidden","status":403}`, scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "no such message", status: 404, body: typed("RESOURCE_NOT_FOUND"), scope: api.ScopeMessage, sentinels: "ErrNotFound"},
		{name: "no such route", status: 404, body: typed("ROUTE_NOT_FOUND"), scope: api.ScopeClient, sentinels: "ErrUnexpectedResponse"},
		{name: "404 of an unknown type", status: 404, body: typed("USER_NOT_FOUND"), scope: api.ScopeClient, sentinels: "ErrUnexpectedResponse"},
		{name: "404 of a gateway's page", status: 404, body: "<html>RESOURCE_NOT_FOUND</html>", scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "404 of a gateway's JSON", status: 404, body: `{"message":"no Route matched"}`, scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "a type that nobody of the service said", status: 404, body: `{"type":"RESOURCE_NOT_FOUND"}`, scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "bad request", status: 400, body: typed("BAD_REQUEST"), scope: api.ScopeMessage, sentinels: "ErrBadRequest"},
		{name: "validation failed", status: 422, body: `{"error":"No","code":"VALIDATION_ERROR","details":[]}`, scope: api.ScopeMessage, sentinels: "ErrBadRequest"},
		{name: "400 of a framework", status: 400, body: `{"status":400,"error":"Bad Request"}`, scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "a number as type", status: 400, body: `{"error":"No","type":7}`, scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "409 of the service", status: 409, body: typed("CONFLICT"), scope: api.ScopeMessage, sentinels: "ErrRefused"},
		{name: "410 of the service", status: 410, body: `{"error":"No","requestId":"req_1"}`, scope: api.ScopeMessage, sentinels: "ErrRefused"},
		{name: "409 of a gateway", status: 409, body: "conflict", scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "402 of a gateway", status: 402, body: "pay", scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "407 of a proxy", status: 407, body: typed("FORBIDDEN"), scope: api.ScopeClient},
		{name: "425", status: 425, body: typed("TOO_EARLY"), scope: api.ScopeService, retryable: true, sentinels: "ErrRateLimited"},
		{name: "429", status: 429, body: typed("RATE_LIMIT_EXCEEDED"), scope: api.ScopeService, retryable: true, sentinels: "ErrRateLimited"},
		{name: "429 of a gateway", status: 429, body: "slow down", scope: api.ScopeService, retryable: true, silent: true, sentinels: "ErrRateLimited"},
		{name: "307", status: 307, body: "", scope: api.ScopeService, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "303", status: 303, body: "", scope: api.ScopeService, maybe: true, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "408", status: 408, body: typed("X"), scope: api.ScopeService, retryable: true, maybe: true, sentinels: "ErrServer"},
		{name: "500", status: 500, body: `{"error":"No","requestId":"req_1"}`, scope: api.ScopeService, retryable: true, maybe: true, sentinels: "ErrServer"},
		{name: "500 of nobody", status: 500, body: `{"error":"No"}`, scope: api.ScopeService, retryable: true, maybe: true, silent: true, sentinels: "ErrServer"},
		{name: "501", status: 501, body: typed("X"), scope: api.ScopeService, maybe: true, sentinels: "ErrServer"},
		{name: "refused", status: 200, body: `{"success":false}`, scope: api.ScopeMessage, sentinels: "ErrRefused"},
		{name: "no success", status: 200, body: `{"queue":{"id":1}}`, scope: api.ScopeService, maybe: true, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "an error in a 200", status: 200, body: typed("RESOURCE_NOT_FOUND"), scope: api.ScopeService, maybe: true, sentinels: "ErrUnexpectedResponse"},
		{name: "000", status: 0, body: `{"success":true}`, scope: api.ScopeService, maybe: true, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "101", status: 101, body: "", scope: api.ScopeService, maybe: true, silent: true, sentinels: "ErrUnexpectedResponse"},
		{name: "600", status: 600, body: `{"success":true}`, scope: api.ScopeService, maybe: true, silent: true, sentinels: "ErrUnexpectedResponse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := fail(t, c.status, nil, c.body)
			if e.Scope != c.scope || e.Retryable() != c.retryable || e.MaybeUnsent != c.maybe || e.Answered == c.silent {
				t.Errorf("scope %v, retryable %v, may have been unsent %v, answered %v: %v", e.Scope, e.Retryable(), e.MaybeUnsent, e.Answered, e)
			}
			if got := strings.Join(matches(e), " "); got != c.sentinels {
				t.Errorf("the error is %s, want %s", got, c.sentinels)
			}
			if hint := e.Hint(); hint == "" || strings.Contains(hint, "\n") || unicode.IsUpper(rune(hint[0])) {
				t.Errorf("the hint is %q", hint)
			}
			kept := &api.Error{StatusCode: e.StatusCode, Type: e.Type, Scope: e.Scope, Answered: e.Answered, Err: e.Err}
			if got := strings.Join(matches(kept), " "); got != c.sentinels || kept.Hint() != e.Hint() || kept.Retryable() != c.retryable {
				t.Errorf("a copy of its fields is %s, retryable %v, with the hint %q; want %s, %q", got, kept.Retryable(), kept.Hint(), c.sentinels, e.Hint())
			}
		})
	}
}

// TestEveryStatus holds each status to its sentinels and to whether the message may have been
// unsent, when the service does not answer itself.
func TestEveryStatus(t *testing.T) {
	for status := 200; status <= 599; status++ {
		e := fail(t, status, nil, `{"error":"No"}`)
		maybe := status < 300 || status == 303 || status == 408 || status >= 500
		if got := matches(e); !slices.Equal(got, statusSentinels(status)) && len(got)+len(statusSentinels(status)) > 0 {
			t.Errorf("%d is %v, want %v", status, got, statusSentinels(status))
		}
		if e.MaybeUnsent != maybe || e.Scope == api.ScopeUnknown || e.Scope == api.ScopeMessage {
			t.Errorf("%d: MaybeUnsent %v, scope %v", status, e.MaybeUnsent, e.Scope)
		}
	}
}

// statusSentinels are the names of what an error of a status is, if the service itself did not answer.
func statusSentinels(status int) []string {
	switch {
	case status >= 500, status == 408:
		return []string{"ErrServer"}
	case status == 425, status == 429:
		return []string{"ErrRateLimited"}
	case status == 407, status == 0:
		return nil
	}
	return []string{"ErrUnexpectedResponse"}
}

// serviceSentinels are the names of what an error of a status is, if the service itself answered
// with a type that is not known.
func serviceSentinels(status int) []string {
	switch {
	case status == 400, status == 422:
		return []string{"ErrBadRequest"}
	case status == 401, status == 402:
		return []string{"ErrUnauthorized"}
	case status == 403:
		return []string{"ErrForbidden"}
	case status/100 != 4, status == 404, status == 407:
		return statusSentinels(status)
	}
	return []string{"ErrRefused"}
}

// TestErrorsMadeByHand mean what their exported fields say: those of a caller's fake, or of one read
// from a database (P1, P2).
func TestErrorsMadeByHand(t *testing.T) {
	for name, c := range map[string]struct {
		err       api.Error
		sentinels string
		retryable bool
		hint      string
	}{
		"a fake's session":       {api.Error{StatusCode: 401, Type: "SESSION_EXPIRED"}, "ErrSessionExpired ErrUnauthorized", false, "have the creator connect again"},
		"a fake's not found":     {api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND", MaybeUnsent: true}, "ErrNotFound", false, "nothing to do"},
		"a fake's 403":           {api.Error{StatusCode: 403}, "ErrUnexpectedResponse", false, "check the base url"},
		"a fake's 503":           {api.Error{StatusCode: 503}, "ErrServer", true, "try again later"},
		"of a gateway":           {api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND", Scope: api.ScopeService}, "ErrUnexpectedResponse", false, "check the base url"},
		"the rate limit":         {api.Error{Err: api.ErrRateLimited}, "ErrRateLimited", true, "RetryAfter"},
		"a configuration":        {api.Error{Err: api.ErrConfig}, "ErrConfig", false, "correct the option"},
		"stopped":                {api.Error{Err: api.ErrStopped}, "ErrStopped", true, "make the same call again"},
		"stopped after a 429":    {api.Error{StatusCode: 429, Err: api.ErrStopped, Scope: api.ScopeClient}, "ErrStopped", true, "make the same call again"},
		"cancelled":              {api.Error{Err: context.Canceled}, "", true, "make the same call again: it was ended"},
		"an attempt's timeout":   {api.Error{Err: context.DeadlineExceeded, Scope: api.ScopeService, MaybeUnsent: true}, "", true, "reported as already gone"},
		"lost":                   {api.Error{MaybeUnsent: true}, "", true, "reported as already gone"},
		"not written":            {api.Error{Scope: api.ScopeService}, "", true, "check the network"},
		"TLS":                    {api.Error{Scope: api.ScopeClient}, "", false, "certificates"},
		"success: false":         {api.Error{StatusCode: 200, Scope: api.ScopeMessage}, "ErrRefused", false, "look at the message"},
		"a 200 that ended early": {api.Error{StatusCode: 200, Err: io.ErrUnexpectedEOF}, "ErrUnexpectedResponse", true, "make the same call again"},
		"a 200 without success":  {api.Error{StatusCode: 200, Scope: api.ScopeService}, "ErrUnexpectedResponse", false, "check the base url"},
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
	quoting := &url.Error{Op: "Delete", URL: "https://api/" + plantedKey, Err: &net.OpError{Op: "read", Net: "tcp", Err: errors.Join(leaky{secret}, syscall.ECONNRESET)}}
	_, err := unsend(t.Context(), t, newClient(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, quoting })), api.WithRetries(0))
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
	if !ok || !isNet || late.Timeout() || !isErrno || number != syscall.ECONNRESET {
		t.Errorf("types of the network are not reached: %v, %v, %v", op, late, number)
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		if text := fmt.Sprintf("%v %+v %#v", next, next, next); strings.Contains(text, secret) || strings.Contains(text, plantedKey) {
			t.Errorf("%T tells: %s", next, text)
		}
	}
	if text := fmt.Sprintf("%v %v", op, op.Unwrap()); strings.Contains(text, secret) {
		t.Errorf("the *net.OpError tells: %s", text)
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
	result, err := unsend(t.Context(), t, newClient(t, answer(t, 200, http.Header{"X-Long": {strings.Repeat("x", 20<<10)}, "A": {"b"}}, `{"success":true,"queue":{"text":"`+secret+`"}}`)))
	if err != nil || len(result.Header) != 2 || result.Header.Get("A") != "b" {
		t.Errorf("a header of 20 KiB is kept: %d members, %v", len(result.Header), err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", result, *result, result, result); text != `unsent unsent "unsent" unsent` {
		t.Errorf("a result prints as %s", text)
	}
}

// TestDocumentedTable holds docs/client/errors.md to the table that decides: the same rows in the
// same order, with the same words in each column.
func TestDocumentedTable(t *testing.T) {
	page, err := os.ReadFile("../docs/client/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, m := range api.Meanings() {
		names := []string{}
		for _, sentinel := range m.Sentinels {
			for name, err := range sentinels() {
				if errors.Is(err, sentinel) {
					names = append(names, "`"+name+"`")
				}
			}
		}
		if len(names) == 0 {
			names = []string{"–"}
		}
		if m.Scope == "" {
			m.Scope = "–"
		}
		fmt.Fprintf(&want, "| %s | %s | %s | %s | %s | %s |\n", m.What, strings.Join(names, ", "), m.Scope, m.Retried, m.MayBe, m.Hint)
	}
	if !strings.Contains(string(page), want.String()) {
		t.Errorf("docs/client/errors.md lacks this table:\n%s", want.String())
	}
}

func TestScopesHaveNames(t *testing.T) {
	for scope, want := range map[api.Scope]string{api.ScopeUnknown: "unknown", api.ScopeMessage: "message", "new": "new"} {
		if got := fmt.Sprint(scope); got != want {
			t.Errorf("prints as %q, want %q", got, want)
		}
	}
}
