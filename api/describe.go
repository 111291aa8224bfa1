package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/unsend-go/unsend/internal/transport"
)

// describe makes an error of an attempt: its texts, and whether the service said them. What it
// means is for classify to say.
func (c *Client) describe(a *attempt) *Error {
	if !a.answer {
		text, hint := c.cause(a)
		return &Error{Message: c.redact(text), hint: hint, cause: a.err}
	}
	e := &Error{
		StatusCode: a.status,
		RequestID:  cut(c.redact(a.header.Get(requestIDHeader)), maxErrorBody),
		RetryAfter: parseRetryAfter(a.header, time.Now()),
		cause:      a.err,
	}
	e.readBody(a.body, c.redact)
	e.Answered = e.Answered || a.readable
	switch {
	case a.status/100 == 2:
		e.Message = a.describeSuccess(e.Message)
	case a.status/100 == 3:
		e.Message = "the service answered with a redirect, which is never followed; check the base url"
	case a.status < 200, a.status > 599:
		e.Message = "the answer has a status that HTTP does not define"
	case e.Message == "":
		e.Message = strings.TrimSpace(http.StatusText(a.status) + " (" + a.shape() + ")")
	}
	return e
}

// describeSuccess is the text of a 2xx that is no success. Such a body may hold the message's
// text, so only what its error members say is repeated.
func (a *attempt) describeSuccess(text string) string {
	compressed := a.compressed()
	switch {
	case a.readable:
		return joinDistinct("the service answered success: false", text)
	case errors.Is(a.err, transport.ErrTooLarge):
		return "success cannot be found in the answer: " + a.err.Error()
	case a.err != nil:
		return "the answer ended before success could be read: " + withoutPeersText(a.err.Error())
	case compressed != "":
		return compressed
	}
	return joinDistinct("the answer does not say whether the message was unsent", text)
}

// readBody fills e from an error's body. It reads the current shape (error, type, requestId,
// actionRequired), the earlier edition's (error, code, details) and the one that the vendor's
// own SDKs expect (message, code, details). Members that are objects or lists are not
// repeated, nor is a body of any other shape: a message's text could stand in them.
func (e *Error) readBody(body []byte, redact func(string) string) {
	redacted := redact(string(body))
	e.body = []byte(redacted[:min(len(redacted), maxErrorBody)]) // a copy, so that the rest can go
	var shape struct {
		Error, Message, Type, Code, RequestID, ActionRequired json.RawMessage
	}
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &shape) != nil {
		return
	}
	kept := func(raw json.RawMessage) string { return cut(redact(text(raw)), maxErrorBody) }
	isText := func(raw json.RawMessage) bool { return len(raw) > 2 && raw[0] == '"' }
	e.Answered = isText(shape.Error) && (isText(shape.Type) || isText(shape.Code) || isText(shape.RequestID)) ||
		isText(shape.Message) && isText(shape.Code)
	if e.StatusCode/100 == 2 && !e.Answered {
		// Perhaps a message: its own type, text and id are not repeated.
		shape.Message, shape.Type, shape.Code, shape.RequestID, shape.ActionRequired = nil, nil, nil, nil, nil
	}
	e.Message = joinDistinct(kept(shape.Error), kept(shape.Message))
	e.Type = kept(shape.Type)
	if e.Type == "" {
		e.Type = kept(shape.Code)
	}
	e.ActionRequired = kept(shape.ActionRequired)
	if id := kept(shape.RequestID); id != "" {
		e.RequestID = id
	}
	if oneLine(e.Message) == "" {
		e.Message = ""
	}
}

// text returns a JSON string's content, a number or a boolean as it stands, and nothing for
// anything else.
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

// compressed says that a body is, where it cannot be read for that reason. Only the names of
// encodings that exist are repeated.
func (a *attempt) compressed() string {
	encoding := strings.ToLower(a.header.Get("Content-Encoding"))
	switch {
	case slices.Contains([]string{"br", "zstd", "gzip", "deflate", "compress"}, encoding):
		return "the answer is compressed, and the transport did not undo it (Content-Encoding " + encoding + ")"
	case encoding != "":
		return "the answer is encoded, and the transport did not undo it (Content-Encoding)"
	case bytes.HasPrefix(a.body, []byte("\x1f\x8b")):
		return "the answer is compressed, and does not say so"
	}
	return ""
}

// shape says what stands in the place of an error's text, without repeating any of it.
func (a *attempt) shape() string {
	body, compressed := bytes.TrimSpace(a.body), a.compressed()
	switch {
	case len(body) == 0:
		return "no text in the answer"
	case body[0] == '<':
		return "an HTML page, which is not the service's"
	case json.Valid(body):
		return "JSON without an error's text"
	case compressed != "":
		return compressed
	}
	return "an answer that is not the service's JSON"
}

func joinDistinct(a, b string) string {
	if a == "" || a == b {
		return b
	}
	if b == "" {
		return a
	}
	return a + ": " + b
}

// cause names why no answer came, and what to do where the table's hint can be more exact.
func (c *Client) cause(a *attempt) (text, hint string) {
	err := a.err
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the URL
	}
	text = err.Error()
	switch {
	case errors.Is(err, ErrConfig):
		return text, "use https, a proxy on this machine, or none (NO_PROXY)"
	case errors.Is(err, context.DeadlineExceeded) && a.took >= a.limit:
		return fmt.Sprintf("no answer within %v", a.limit), ""
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many open files: " + text, "raise this machine's limit of open files (ulimit -n), or keep fewer requests in flight"
	case isType[*net.DNSError](err):
		return "name not found: " + text, "check the host in the base url, and this machine's network and DNS"
	case isType[x509.CertificateInvalidError](err):
		return "certificate refused: " + text, "check this machine's clock; if it is right, the service's certificate has to be renewed"
	case isType[*tls.CertificateVerificationError](err), isType[x509.UnknownAuthorityError](err), isType[x509.HostnameError](err):
		return "certificate refused: " + text, "check the base url and this machine's certificates; a proxy that inspects traffic needs its own installed"
	case errors.Is(err, http.ErrSchemeMismatch):
		return text, "check the scheme of the base url: the server speaks plain http"
	case errors.Is(err, syscall.ECONNREFUSED):
		return text, "check the base url: nothing listens there, or a firewall refuses"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer came", ""
	case isType[*transport.ProxyError](err), isType[*net.OpError](err):
		return text, ""
	}
	return withoutPeersText(text), ""
}

// quoted is what net/http and net/textproto quote of a peer's bytes.
var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"?`)

// withoutPeersText takes out of an error of net/http what it quotes of an answer: where that is
// malformed, a message's text could stand in it.
func withoutPeersText(text string) string {
	return quoted.ReplaceAllString(text, `"…"`)
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
