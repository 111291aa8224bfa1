package batch

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
)

// Bounds of the texts that are kept of an error, in bytes.
const (
	maxFailureType = 60
	maxFailureText = 300
	maxFailureHint = 200
)

// failureOf is what a ledger keeps of an error.
func failureOf(err error) Failure {
	var e *api.Error
	switch {
	case err == nil:
		return Failure{}
	case errors.As(err, &e):
		return Failure{
			Scope: e.Scope, Status: e.StatusCode,
			Type: cut(e.Type, maxFailureType), Text: cut(e.Message, maxFailureText), Hint: cut(e.Hint(), maxFailureHint),
		}
	}
	return Failure{Scope: api.ScopeClient, Text: cut(err.Error(), maxFailureText)}
}

// keepable makes an error one that many can be kept of: without its body and its long texts,
// of which each may have 64 KiB.
func keepable(e *api.Error) *api.Error {
	if len(e.Body())+len(e.Message)+len(e.Type)+len(e.ActionRequired)+len(e.RequestID) <= 1<<10 {
		return e
	}
	return &api.Error{
		StatusCode: e.StatusCode, Type: cut(e.Type, maxFailureText), Message: cut(e.Message, maxFailureText),
		RequestID: cut(e.RequestID, maxFailureText), ActionRequired: cut(e.ActionRequired, maxFailureText),
		RetryAfter: e.RetryAfter, Attempts: e.Attempts, MaybeUnsent: e.MaybeUnsent,
		Scope: e.Scope, Answered: e.Answered,
	}
}

// cut makes a text of others fit for one line of so many bytes.
func cut(s string, limit int) string {
	s = oneLine(s)
	if len(s) <= limit {
		return s
	}
	s = s[:limit-len("…")]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// oneLine leaves out line ends, control characters, and what turns text around.
func oneLine(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r == ' ' || !unicode.IsPrint(r)
	}), " ")
}
