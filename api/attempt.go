package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// attempt is one request on the wire and what came back.
type attempt struct {
	answer bool // came, with status
	status int
	header http.Header
	body   []byte
	err    error // why no answer came, or why its body ends early

	unwritten bool // no answer came, and provably no request was written
	refused   bool // no answer came, for TLS or a proxy was refused before a request was written
	sentTwice bool // by a transport of the caller's: it may have acted whatever the answer says

	success, readable bool // the top-level success of a 2xx
	took, limit       time.Duration
}

// send makes one attempt. It returns always; what went wrong is in the attempt.
func (o *operation) send(ctx context.Context) (a attempt) {
	started := time.Now()
	defer func() { a.took, a.limit = time.Since(started), o.call.timeout }()
	ctx, cancel := context.WithTimeout(ctx, o.call.timeout)
	defer cancel()
	trace := transport.NewConnTrace(o.standard)
	resp, err := o.generated.UnsendChatMessage(trace.WithContext(ctx), gen.PathID(o.userID), gen.PathID(o.messageID), o.body,
		func(_ context.Context, req *http.Request) error {
			req.Header[connectionHeader] = []string{o.call.connection}
			return trace.OneRequest(req)
		})
	a.sentTwice = trace.SentTwice()
	if err != nil {
		a.err, a.unwritten, a.refused = o.veil(err), trace.Unwritten(ctx, err), trace.Refused(err)
		return a
	}
	defer func() { _ = resp.Body.Close() }()
	a.answer, a.status, a.header = true, resp.StatusCode, resp.Header
	if a.status < 200 || a.status > 599 { // a 101 has no body, but an open connection
		trace.Drop()
		return a
	}
	a.body, a.err = transport.ReadBody(resp.Body, resp.ContentLength)
	a.err = o.veil(a.err)
	if a.status/100 == 2 {
		success, ok := readSuccess(a.body)
		a.success, a.readable = success && ok, ok
		if !ok {
			trace.Drop()
		}
	}
	return a
}

// facts are what is known of an attempt. What its answer says is in e; earlier tells whether an
// attempt before may have unsent the message.
func (a *attempt) facts(e *Error, earlier bool) *facts {
	f := &facts{
		noAnswer:  !a.answer,
		unwritten: a.unwritten,
		tls:       a.refused,
		status:    a.status,
		answered:  e.Answered,
		earlier:   earlier,
		readable:  a.readable,
		success:   a.success,
	}
	f.interrupted = f.status2xx() && !a.readable && a.err != nil && !errors.Is(a.err, transport.ErrTooLarge)
	if proxy, ok := errors.AsType[*transport.ProxyError](a.err); ok {
		f.proxy = proxy.StatusCode
	}
	if e.Answered {
		f.kind = e.Type
	}
	return f
}

const jsonSpace = " \t\r\n"

// readSuccess finds the top-level member success of a body, wherever it stands. What follows it,
// drifted or cut short, cannot change it; but where the member is there again and says anything
// else, the body says nothing.
func readSuccess(body []byte) (success, ok bool) {
	if success, ok = onlyMember(body); ok {
		return success, true
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), lenient)
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return false, false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			break
		}
		if name.String() != "success" {
			if dec.SkipValue() != nil {
				break
			}
			continue
		}
		value, err := dec.ReadToken()
		isBool := err == nil && (value.Kind() == 't' || value.Kind() == 'f') && ended(body[dec.InputOffset():])
		if !isBool || ok && success != value.Bool() {
			return false, false
		}
		success, ok = value.Bool(), true
	}
	return success, ok
}

// onlyMember reads success where it comes first and its name occurs nowhere else, as it is in
// practice: a decoder takes longer to make than this to answer.
func onlyMember(body []byte) (success, ok bool) {
	if bytes.Count(body, []byte("success")) > 1 || bytes.Contains(body, []byte(`\u`)) { // an escape may spell the name
		return false, false
	}
	for _, token := range []string{"{", `"success"`, ":"} {
		if body, ok = bytes.CutPrefix(bytes.TrimLeft(body, jsonSpace), []byte(token)); !ok {
			return false, false
		}
	}
	body = bytes.TrimLeft(body, jsonSpace)
	rest, success := bytes.CutPrefix(body, []byte("true"))
	if !success {
		rest, ok = bytes.CutPrefix(body, []byte("false"))
	}
	return success, ok && ended(rest)
}

// ended reports whether a member can end where rest begins: an answer cut there is readable, one
// that goes on with anything else is no JSON, and says nothing.
func ended(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) == 0 || rest[0] == ',' || rest[0] == '}'
}
