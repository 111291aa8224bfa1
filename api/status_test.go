package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// sentinels are all that errors.Is can ask for.
func sentinels() map[string]error {
	return map[string]error{
		"ErrConfig": api.ErrConfig, "ErrInvalidID": api.ErrInvalidID, "ErrBadRequest": api.ErrBadRequest,
		"ErrUnauthorized": api.ErrUnauthorized, "ErrSessionExpired": api.ErrSessionExpired, "ErrForbidden": api.ErrForbidden,
		"ErrNotFound": api.ErrNotFound, "ErrRateLimited": api.ErrRateLimited, "ErrServer": api.ErrServer,
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

// TestEveryStatus holds each status from 200 to 599 to its sentinels, and to whether the
// message may have been unsent.
func TestEveryStatus(t *testing.T) {
	named := map[int]string{
		400: "ErrBadRequest", 401: "ErrUnauthorized", 403: "ErrForbidden", 404: "ErrNotFound", 422: "ErrBadRequest", 429: "ErrRateLimited",
	}
	for status := 200; status <= 599; status++ {
		want := []string{}
		switch {
		case status < 400:
			want = append(want, "ErrUnexpectedResponse")
		case status >= 500:
			want = append(want, "ErrServer")
		case named[status] != "":
			want = append(want, named[status])
		}
		maybe := status < 300 || status == 303 || status == 408 || status >= 500
		e := fail(t, status, nil, `{"error":"No"}`)
		if got := matches(e); !slices.Equal(got, want) {
			t.Errorf("%d is %v, want %v", status, got, want)
		}
		if e.MaybeUnsent != maybe {
			t.Errorf("%d: MaybeUnsent %v", status, e.MaybeUnsent)
		}
	}
}

func TestTypesOf401(t *testing.T) {
	for kind, want := range map[string][]string{
		"UNAUTHORIZED":         {"ErrUnauthorized"},
		"RULES_OUTDATED":       {"ErrUnauthorized"},
		"SESSION_EXPIRED":      {"ErrSessionExpired", "ErrUnauthorized"},
		"SESSION_NOT_PROVIDED": {"ErrSessionExpired", "ErrUnauthorized"},
		"session_expired":      {"ErrUnauthorized"},
		"":                     {"ErrUnauthorized"},
	} {
		for _, member := range []string{"type", "code"} {
			e := fail(t, http.StatusUnauthorized, nil, fmt.Sprintf(`{"error":"No",%q:%q}`, member, kind))
			if got := matches(e); !slices.Equal(got, want) {
				t.Errorf("%s %s is %v, want %v", member, kind, got, want)
			}
		}
	}
	if e := fail(t, http.StatusForbidden, nil, `{"error":"No","type":"SESSION_EXPIRED"}`); errors.Is(e, api.ErrSessionExpired) {
		t.Error("a 403 is an ErrSessionExpired")
	}
}

// TestNoAnswerIsNoStatus has statuses outside of HTTP's, which say nothing of the message.
func TestStatusesOutsideHTTP(t *testing.T) {
	for _, status := range []int{101, 199, 600, 999} {
		e := fail(t, status, nil, `{"success":true}`)
		if !errors.Is(e, api.ErrUnexpectedResponse) || !e.MaybeUnsent || e.Attempts != 1 {
			t.Errorf("%d: %v, MaybeUnsent %v after %d attempts", status, e, e.MaybeUnsent, e.Attempts)
		}
	}
}

func TestRefusedIsNotUnsent(t *testing.T) {
	for _, body := range []string{`{"success":false}`, `{"success":false,"queue":{"id":1}}`, `{"queue":{"id":1},"success":false}`, "{\n \"success\" :\tfalse\r\n}"} {
		e := fail(t, http.StatusOK, nil, body)
		if got := matches(e); !slices.Equal(got, []string{"ErrRefused"}) || e.MaybeUnsent {
			t.Errorf("%s is %v, MaybeUnsent %v", body, got, e.MaybeUnsent)
		}
	}
}
