package batch

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// What becomes of one item whose every request meets the fault, with a client that tries
// once.
func TestOutcomeOfEachAnswer(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    mock.Fault
		outcome  Outcome
		final    bool
		maybe    bool
		requests int
		is       error
	}{
		{"plain", mock.Fault{}, Unsent, true, false, 1, nil},
		{"400", mock.Fault{Status: 400}, Failed, true, false, 1, api.ErrBadRequest},
		{"422", mock.Fault{Status: 422}, Failed, true, false, 1, api.ErrBadRequest},
		{"404", mock.Fault{Status: 404}, Failed, true, false, 1, api.ErrNotFound},
		{"403 about the message", mock.Fault{Status: 403, Type: "NOT_YOURS"}, Failed, true, false, 1, api.ErrForbidden},
		{"403", mock.Fault{Status: 403}, Failed, false, false, 1, api.ErrForbidden},
		{"401", mock.Fault{Status: 401}, Failed, false, false, 1, api.ErrUnauthorized},
		{"401 of a session", mock.Fault{Status: 401, Type: "SESSION_EXPIRED"}, Failed, false, false, 1, api.ErrSessionExpired},
		{"409", mock.Fault{Status: 409}, Failed, false, false, 1, nil},
		{"redirect", mock.Fault{Status: 302}, Failed, false, false, 1, api.ErrUnexpectedResponse},
		{"success: false", mock.Fault{Kind: mock.Refused}, Failed, false, false, 1, api.ErrRefused},
		{"501", mock.Fault{Status: 501}, Failed, false, true, 1, api.ErrServer},
		{"505", mock.Fault{Status: 505}, Failed, false, true, 1, api.ErrServer},
		{"303", mock.Fault{Status: 303}, Failed, false, true, 1, api.ErrUnexpectedResponse},
		{"401 RULES_OUTDATED", mock.Fault{Status: 401, Type: "RULES_OUTDATED"}, Failed, false, false, 11, api.ErrUnauthorized},
		{"429", mock.Fault{Status: 429}, Failed, false, false, 11, api.ErrRateLimited},
		{"408", mock.Fault{Status: 408}, Failed, false, true, 11, nil},
		{"500", mock.Fault{Status: 500}, Failed, false, true, 11, api.ErrServer},
		{"503", mock.Fault{Status: 503}, Failed, false, true, 11, api.ErrServer},
		{"answer lost", mock.Fault{Kind: mock.Drop}, Failed, false, true, 11, nil},
		{"answer cut short", mock.Fault{Kind: mock.Truncated}, Failed, false, true, 11, nil},
		{"answer that says nothing", mock.Fault{Kind: mock.HTML}, Failed, false, true, 11, api.ErrUnexpectedResponse},
		{"answer lost, and acted on", mock.Fault{Kind: mock.Drop, Acted: true}, AlreadyGone, true, false, 2, nil},
		{"503, and acted on", mock.Fault{Status: 503, Acted: true}, AlreadyGone, true, false, 2, nil},
		{"page, and acted on", mock.Fault{Kind: mock.HTML, Acted: true}, AlreadyGone, true, false, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMock(1)
				item := message(0, 0)
				for n := range 20 {
					fault := c.fault
					if c.outcome == AlreadyGone && n > 0 {
						fault = mock.Fault{} // the message is gone: the answer is 404
					}
					server.NextFor(item.UserID, item.MessageID, fault)
				}
				results := collect(t.Context(), newClient(t, server, api.WithRetries(0)), []Item{item}, Options{})
				if len(results) != 1 {
					t.Fatalf("%d results; want one: %+v", len(results), results)
				}
				r := results[0]
				if r.Outcome != c.outcome || r.Final != c.final || r.MaybeUnsent != c.maybe {
					t.Errorf("got %s, final %v, maybe unsent %v (%v); want %s, %v, %v", r.Outcome, r.Final, r.MaybeUnsent, r.Err, c.outcome, c.final, c.maybe)
				}
				if n := requests(server, item); n != c.requests || r.Attempts != n {
					t.Errorf("%d requests were sent, and %d told; want %d", n, r.Attempts, c.requests)
				}
				if c.is != nil && !errors.Is(r.Err, c.is) {
					t.Errorf("the error is %v; want %v", r.Err, c.is)
				}
				var e *api.Error
				if c.outcome != Failed {
					if r.Err != nil {
						t.Errorf("an error beside %s: %v", r.Outcome, r.Err)
					}
				} else if !errors.As(r.Err, &e) || e.Attempts != c.requests || e.MaybeUnsent != c.maybe {
					t.Errorf("the error is not about all %d requests: %+v", c.requests, e)
				}
				if r.RequestID == "" && c.fault.Kind != mock.Drop {
					t.Error("the request has no id")
				}
			})
		})
	}
}

// A 404 for a message that no request of the run can have taken back is a failure.
func TestNotFoundIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		item := message(0, 0)
		server.Remove(item.UserID, item.MessageID)
		server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 429}) // which was not acted on
		r := find(t, collect(t.Context(), newClient(t, server, api.WithRetries(0)), []Item{item}, Options{}), item)
		if r.Outcome != Failed || !r.Final || r.MaybeUnsent || !errors.Is(r.Err, api.ErrNotFound) {
			t.Errorf("got %+v; want a final failure", r)
		}
	})
}

func TestHintsForEveryKind(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range []failure{
		{400, "BAD_REQUEST"}, {401, "UNAUTHORIZED"}, {401, "SESSION_EXPIRED"}, {401, "RULES_OUTDATED"}, {401, "ELSE"},
		{403, "FORBIDDEN"}, {403, "ELSE"}, {404, "RESOURCE_NOT_FOUND"}, {404, "ROUTE_NOT_FOUND"}, {429, "RATE_LIMIT_EXCEEDED"},
		{503, "HTTP 503"}, {0, kindNetwork}, {0, kindCertificate}, {0, kindInterrupted}, {200, kindRefused}, {200, kindUnreadable},
		{0, kindInvalidID}, {0, kindConfig}, {0, kindOther},
	} {
		text := hint(f)
		if text == "" || seen[text] {
			t.Errorf("%+v has the hint %q, which says nothing of its own", f, text)
		}
		seen[text] = true
	}
}
