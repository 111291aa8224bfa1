package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/unsend-go/unsend/internal/textutil"
	"github.com/unsend-go/unsend/internal/transport"
)

// describe makes an error of an attempt: its texts, and in its exported fields the evidence from
// which classify decides what it means.
func describe(a *attempt, r redactor) *Error {
	e := &Error{
		StatusCode: a.status,
		RequestID:  textutil.Truncate(r.redact(a.header.Get(requestIDHeader)), maxErrorText),
		RetryAfter: parseRetryAfter(a.header, time.Now()),
		Scope:      ScopeService,
		Header:     keepHeader(a.header, a.ownHeader, r),
		Err:        redactError(a.err, r),
	}
	e.readBody(a.body, r)
	switch {
	case a.resp == nil:
		e.Message = line(r.redact(a.cause()), maxErrorText)
		if e.MaybeUnsent = !a.ending.Unwritten; a.ending.Refused {
			e.Scope = ScopeClient
		}
	case a.status/100 == 2:
		e.describeSuccess(a, r)
	case a.status/100 == 3:
		e.Message = "the response is a redirect, which is never followed; check the base url"
	case a.status < 200, a.status > 599:
		e.Message = "the response has no final status (200 to 599)"
		e.Err = errors.Join(ErrUnexpectedResponse, e.Err)
	case e.Message == "":
		e.Message = strings.TrimSpace(http.StatusText(a.status) + " (" + a.shape() + ")")
	}
	e.Scope = e.meaning().scope
	return e
}

// describeSuccess describes a 2xx that is no success. Such a body may hold the message's text, so only
// its error members are repeated.
func (e *Error) describeSuccess(a *attempt, r redactor) {
	switch {
	case a.readable:
		e.Answered, e.Scope = true, ScopeMessage
		e.Message = joinDistinct("the service returned success: false", e.Message)
	case errors.Is(a.err, transport.ErrTooLarge):
		e.Message = "success cannot be found in the response: " + a.err.Error()
	case a.err != nil:
		e.Message = "the response ended before success could be read: " + withoutQuotes(r.redact(a.err.Error()))
		e.Err = errors.Join(io.ErrUnexpectedEOF, e.Err)
	case a.encoded():
		e.Message = encodedText
	default:
		e.Message = joinDistinct("the response does not report whether the message was unsent", e.Message)
	}
}

// errorShape is an error's body: the current shape (error, type, requestId, actionRequired), the
// earlier edition's (error, code, details) or the one that the vendor's own SDKs expect (message,
// code, details).
type errorShape struct {
	Error, Message, Type, Code, RequestID, ActionRequired json.RawMessage
}

// readError reads an error's body, if it is one. Answered is true if only the service itself can have
// sent it.
func readError(body []byte) (shape errorShape, answered bool) {
	_ = json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &shape)
	isText := func(raw json.RawMessage) bool { return len(raw) > 2 && raw[0] == '"' }
	known := isText(shape.Type) || isText(shape.Code) || isText(shape.RequestID)
	return shape, isText(shape.Error) && known || isText(shape.Message) && isText(shape.Code)
}

// readBody fills e from an error's body. Members that are objects or lists are not repeated, nor
// is a body of any other shape: a message's text could be in them.
func (e *Error) readBody(body []byte, r redactor) {
	e.keepBody(body, r)
	shape, answered := readError(body)
	if e.Answered = answered; e.StatusCode/100 == 2 && !answered {
		shape = errorShape{Error: shape.Error} // perhaps a message: its own type, text and id are not repeated
	}
	kept := func(raw json.RawMessage) string { return textutil.Truncate(r.redact(text(raw)), maxErrorText) }
	e.Message = textutil.Truncate(joinDistinct(kept(shape.Error), kept(shape.Message)), maxErrorText)
	e.Type = cmp.Or(kept(shape.Type), kept(shape.Code))
	e.ActionRequired = kept(shape.ActionRequired)
	e.RequestID = cmp.Or(kept(shape.RequestID), e.RequestID)
	if textutil.OneLine(e.Message) == "" {
		e.Message = ""
	}
}

// keepBody keeps the start of a body. It redacts somewhat more than it keeps, so that the end of
// what is kept is no part of a key.
func (e *Error) keepBody(body []byte, r redactor) {
	text := r.redact(string(body[:min(len(body), maxErrorBody+maxSpelling)]))
	e.body = []byte(text[:min(len(text), maxErrorBody)])
}

// text returns a JSON string's content, a number or a boolean as it is, and nothing for anything
// else.
func text(raw json.RawMessage) string {
	var s string
	switch {
	case len(raw) == 0 || strings.ContainsRune("{[n", rune(raw[0])):
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw)
}

const encodedText = "the response is compressed, and the transport did not decompress it"

// encoded reports whether a body cannot be read since it is compressed.
func (a *attempt) encoded() bool {
	return a.header.Get("Content-Encoding") != "" || bytes.HasPrefix(a.body, []byte("\x1f\x8b"))
}

// shape describes a body that has no error's text, without repeating any of it.
func (a *attempt) shape() string {
	body := bytes.TrimSpace(a.body)
	switch {
	case len(body) == 0:
		return "no text in the response"
	case body[0] == '<':
		return "an HTML page, which is not the service's"
	case json.Valid(body):
		return "JSON without an error's text"
	case a.encoded():
		return encodedText
	}
	return "a response that is not the service's JSON"
}

func joinDistinct(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + ": " + b
}

// cause describes why no response came.
func (a *attempt) cause() string {
	err := a.err
	text, _ := causeOf(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && time.Since(a.started) >= a.limit:
		return fmt.Sprintf("no response within %v", a.limit)
	case text != "":
		return text + ": " + err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before a response came"
	}
	return withoutQuotes(err.Error())
}

// causes are why no response came, if that is more exact than the table of meanings.
var causes = []struct {
	is         func(error) bool
	text, hint string
}{
	{func(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }, "too many open files",
		"raise this machine's limit of open files (ulimit -n), or keep fewer requests in flight"},
	{isType[*net.DNSError], "name not found",
		"check the host in the base url, and this machine's network and DNS"},
	{isType[x509.CertificateInvalidError], "certificate refused",
		"check this machine's clock; if it is right, the service's certificate has to be renewed"},
	{transport.IsCertificate, "certificate refused",
		"check the base url and this machine's certificates; a proxy that inspects traffic needs its own installed"},
	{func(err error) bool { return errors.Is(err, http.ErrSchemeMismatch) }, "",
		"check the scheme of the base url: the server speaks plain http"},
	{func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }, "",
		"check the base url: nothing listens there, or a firewall refuses"},
}

// causeOf returns empty texts for an error that has none of the causes.
func causeOf(err error) (text, hint string) {
	for _, c := range causes {
		if c.is(err) {
			return c.text, c.hint
		}
	}
	return "", ""
}

// withoutQuotes removes from an error of net/http what it quotes of a response: if that is
// malformed, a message's text could be in it. It needs no regexp, which would weigh on every program.
func withoutQuotes(text string) string {
	var b strings.Builder
	for {
		before, _, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(`"…"`)
		quoted, err := strconv.QuotedPrefix(text[len(before):])
		if err != nil {
			return b.String() // no end of the quote can be found
		}
		text = text[len(before)+len(quoted):]
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
