package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// attempt is one request and its response.
type attempt struct {
	responded bool // with a status
	status    int
	header    http.Header
	ownHeader bool // nobody else holds header
	body      []byte
	err       error // why no response came, or why its body ends early

	unwritten bool // no response came, and provably no request was written
	refused   bool // no response came, as TLS or a proxy was refused before a request was written
	sentTwice bool // by a transport of the caller's: it may have acted whatever the response is

	success, readable bool // the top-level success of a 2xx
	gone              bool // the message is already gone, as an earlier attempt may have unsent it
	maybe             bool // this attempt may have unsent it
	took, limit       time.Duration
	reading           bool // holds a place among the errors that are read at a time
}

// send makes one attempt.
func (o *operation) send(ctx context.Context) (a attempt) {
	started := time.Now()
	defer func() { a.took, a.limit = time.Since(started), o.call.timeout }()
	ctx, cancel := context.WithTimeout(ctx, o.call.timeout)
	defer cancel()
	trace := transport.NewConnTrace(o.guard.Standard() != nil)
	resp, err := o.sender.UnsendChatMessage(trace.WithContext(ctx), gen.PathID(o.userID), gen.PathID(o.messageID), o.body,
		func(_ context.Context, req *http.Request) error {
			o.setHeaders(req.Header, o.key, o.call.connection)
			return trace.OneRequest(req)
		})
	a.sentTwice = trace.SentTwice()
	if err != nil {
		a.failed(ctx, trace, err)
		return a
	}
	defer func() { _ = resp.Body.Close() }()
	a.responded, a.status, a.header, a.ownHeader = true, resp.StatusCode, resp.Header, o.guard.Standard() != nil
	if a.status < 200 || a.status > 599 { // a 101 has no body, but an open connection
		trace.Drop()
		return a
	}
	if a.status >= 400 {
		select {
		case o.errorBodies <- struct{}{}:
			a.reading = true
		case <-time.After(maxErrorTurn): // others come slowly
		case <-ctx.Done():
		}
	}
	a.body, a.err = transport.ReadBody(resp.Body, resp.ContentLength)
	if a.status/100 == 2 {
		success, ok := readSuccess(a.body)
		a.success, a.readable = success && ok, ok
	}
	if !a.readable {
		if _, answered, _ := readError(a.body); a.status < 400 || !answered {
			trace.Drop() // more may follow a response that is not the service's
		}
	}
	return a
}

// failed notes why no response came.
func (a *attempt) failed(ctx context.Context, trace *transport.ConnTrace, err error) {
	a.unwritten, a.refused = trace.Unwritten(ctx, err), trace.Refused(err)
	a.err = trace.Explain(err)
}

const jsonSpace = " \t\r\n"

// readSuccess finds the top-level member success of a body, wherever it stands. What follows it,
// drifted or cut short, cannot change it; but if the member is there again with another value, it
// is not readable.
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

// onlyMember is the fast path for the usual body, with success first and its name nowhere else: it
// allocates no decoder.
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

// ended reports whether a member can end where rest begins: a body cut there is readable, one that
// continues with anything else is no JSON.
func ended(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) == 0 || rest[0] == ',' || rest[0] == '}'
}
