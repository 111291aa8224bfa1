package batch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/ids"
)

// failure is what is kept of an error: its kind, never a text, in which a message's could
// stand.
type failure struct {
	status int    // of the answer; 0 where none came
	kind   string // the service's type, in capitals, or one of the kinds below
}

// Kinds of failure to which the service gives no name.
const (
	kindNetwork     = "network"
	kindTimeout     = "timeout"
	kindCertificate = "certificate"
	kindInterrupted = "interrupted"
	kindRefused     = "refused"
	kindUnreadable  = "unexpected response"
	kindLimited     = "rate limit"
	kindInvalidID   = "invalid id"
	kindConfig      = "configuration"
	kindOther       = "other"
)

const maxKind = 60 // characters

func failureOf(err error) failure {
	var e *api.Error
	switch {
	case err == nil:
		return failure{}
	case errors.As(err, &e):
		return failure{status: e.StatusCode, kind: kindOf(e)}
	case errors.Is(err, api.ErrInvalidID):
		return failure{kind: kindInvalidID}
	case errors.Is(err, api.ErrConfig), errors.Is(err, ErrOptions):
		return failure{kind: kindConfig}
	}
	return failure{kind: kindOther}
}

func kindOf(e *api.Error) string {
	var network net.Error
	switch {
	case e.Type != "":
		return cut(e.Type)
	case errors.Is(e, api.ErrRefused):
		return kindRefused
	case errors.Is(e, api.ErrUnexpectedResponse):
		return kindUnreadable
	case e.StatusCode != 0:
		return "HTTP " + strconv.Itoa(e.StatusCode)
	case errors.Is(e, api.ErrRateLimited):
		return kindLimited
	case errors.Is(e, context.Canceled):
		return kindInterrupted
	case certificate(e):
		return kindCertificate
	case errors.Is(e, context.DeadlineExceeded), errors.As(e, &network) && network.Timeout():
		return kindTimeout
	}
	return kindNetwork
}

// certificate says whether TLS cannot be spoken with the host, which no wait changes.
func certificate(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification) || errors.Is(err, http.ErrSchemeMismatch)
}

// err is the error that a failure of an earlier run is told as.
func (f failure) err(maybeUnsent bool) error {
	e := &api.Error{StatusCode: f.status, Message: f.kind + ", as recorded before", MaybeUnsent: maybeUnsent}
	if strings.ToUpper(f.kind) == f.kind && !strings.HasPrefix(f.kind, "HTTP ") {
		e.Type, e.Message = f.kind, "as recorded before"
	}
	return e
}

// hint says what to do about failures of a kind.
func hint(f failure) string {
	switch {
	case f.kind == "UNAUTHORIZED":
		return "check the API key, then resume"
	case strings.HasPrefix(f.kind, "SESSION_"):
		return "connect these creators again, then resume"
	case f.kind == "RULES_OUTDATED":
		return "the service is refreshing its rules; resume later"
	case f.status == http.StatusUnauthorized:
		return "check the API key and the connection, then resume"
	case f.kind == "FORBIDDEN":
		return "grant messages:write to the key and the connection, then resume"
	case f.status == http.StatusForbidden:
		return "the service does not allow it for these messages"
	case f.kind == "ROUTE_NOT_FOUND":
		return "check the base URL"
	case f.status == http.StatusNotFound:
		return "no such messages, or no longer: nothing to do"
	case f.status == http.StatusBadRequest, f.status == http.StatusUnprocessableEntity:
		return "check the ids of these messages"
	case f.status == http.StatusTooManyRequests, f.kind == kindLimited:
		return "something else may be using these connections; resume later, or at a lower rate"
	case f.status/100 == 5, f.status == http.StatusRequestTimeout:
		return "resume later; if it lasts, ask the service's support"
	}
	switch f.kind {
	case kindNetwork, kindTimeout:
		return "check the network and the base URL, then resume"
	case kindCertificate:
		return "check the base URL, the clock and the certificates of this machine, then resume"
	case kindInterrupted:
		return "resume"
	case kindRefused:
		return "the service declined; look at these messages in the account"
	case kindUnreadable:
		return "check the base URL, then resume"
	case kindInvalidID:
		return "correct these ids"
	case kindConfig:
		return "correct the configuration, then resume"
	}
	return "resume; if it lasts, ask the service's support"
}

// cut makes a text of others fit for one line.
func cut(s string) string {
	if len(s) < maxKind && ids.Check(s) == nil {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxKind {
		return string(r[:maxKind-1]) + "…"
	}
	return s
}
