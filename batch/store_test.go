package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/transport"
)

// An error that a ledger returns is what it was: it matches the same sentinels, and is retryable
// or not, whatever its length. What is kept of one in a run has no body and no header.
func TestErrorsKeepTheirKind(t *testing.T) {
	t.Parallel()
	sentinels := []error{
		api.ErrBadRequest, api.ErrUnauthorized, api.ErrSessionExpired, api.ErrForbidden, api.ErrNotFound, api.ErrRateLimited, api.ErrServer,
		api.ErrRefused, api.ErrUnexpectedResponse, api.ErrStopped, context.Canceled, io.ErrUnexpectedEOF,
	}
	long := strings.Repeat("é\x1b ", 2000)
	for name, e := range map[string]*api.Error{
		"rate limited": {Scope: api.ScopeService, Err: api.ErrRateLimited},
		"stopped":      {Scope: api.ScopeClient, Err: api.ErrStopped},
		"ended":        {Scope: api.ScopeClient, Err: fmt.Errorf("read: %w", context.Canceled), MaybeUnsent: true},
		"unwritten":    {Scope: api.ScopeService, Err: &net.OpError{Op: "dial", Err: io.EOF}, MaybeUnsent: true},
		"tls":          {Scope: api.ScopeClient, Err: errors.New("x509")},
		"proxy":        {Scope: api.ScopeClient, Err: &transport.ProxyError{StatusCode: 403}},
		"timed out":    {Scope: api.ScopeService, Err: fmt.Errorf("read: %w", context.DeadlineExceeded), MaybeUnsent: true},
		"lost":         {Scope: api.ScopeService, Err: io.EOF, MaybeUnsent: true},
		"interrupted":  {StatusCode: 200, Scope: api.ScopeService, Err: io.ErrUnexpectedEOF, MaybeUnsent: true},
		"session expired": {
			StatusCode: 401, Type: "SESSION_EXPIRED", Answered: true, Scope: api.ScopeConnection,
			Message: long, Header: http.Header{"A": {long}},
		},
		"long texts":     {StatusCode: 403, Type: long, Message: long, RequestID: long},
		"not found":      {StatusCode: 404, Type: "RESOURCE_NOT_FOUND", Answered: true, Scope: api.ScopeMessage},
		"wrong base URL": {StatusCode: 404, Scope: api.ScopeService},
		"no such path":   {StatusCode: 404, Type: "ROUTE_NOT_FOUND", Answered: true, Scope: api.ScopeClient},
		"refused":        {StatusCode: 200, Answered: true, Scope: api.ScopeMessage},
		"conflict":       {StatusCode: 409, Type: "CONFLICT", Answered: true, Scope: api.ScopeMessage},
		"server":         {StatusCode: 503, Scope: api.ScopeService, MaybeUnsent: true},
		"unknown":        {StatusCode: 403},
		"unknown, ended": {Err: context.Canceled},
	} {
		entry := Entry{Attempts: 3, Message: Message{Item: Item{MaybeUnsent: e.MaybeUnsent}}, Failure: failureOf(e)}
		if cause := strings.ReplaceAll(name, " ", "_"); causes[cause] != nil && entry.Failure.Cause != cause {
			t.Errorf("%s: the ledger's cause is %q", name, entry.Failure.Cause)
		}
		entry.Failure.Scope = api.Scope(entry.Failure.Scope.String()) // as a store returns it
		got, ok := errors.AsType[*api.Error](entry.result().Err)
		if !ok {
			t.Errorf("%s: the ledger returns %v; want an *api.Error", name, entry.result().Err)
			continue
		}
		kept := withoutBody(e)
		for _, sentinel := range sentinels {
			want := errors.Is(e, sentinel)
			if errors.Is(got, sentinel) != want {
				t.Errorf("%s: from the ledger it is %v: %v; want %v", name, sentinel, !want, want)
			}
			if errors.Is(kept, sentinel) != want {
				t.Errorf("%s: shortened it is %v: %v; want %v", name, sentinel, !want, want)
			}
		}
		if got.Retryable() != e.Retryable() || got.Scope != e.Scope || got.Attempts != 3 {
			t.Errorf("%s: from the ledger it is retryable: %v, of the scope %s; want %v, %s",
				name, got.Retryable(), got.Scope, e.Retryable(), e.Scope)
		}
		for text, most := range map[string]int{got.Type: 60, got.Message: 300, kept.Type: 300, kept.Message: 300, kept.RequestID: 300} {
			if len(text) > most || strings.ContainsRune(text, '\x1b') || kept.Header != nil {
				t.Errorf("%s: kept of it are %q and the header %v; want one line of %d bytes, and none", name, text, kept.Header, most)
			}
		}
	}
}
