package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/transport"
)

// attempt is one request and its response.
type attempt struct {
	trace   transport.ConnTrace
	started time.Time
	limit   time.Duration // its timeout

	resp      *http.Response // nil if none came
	status    int
	header    http.Header
	ownHeader bool // nobody else holds header
	body      []byte
	ending    transport.Ending
	err       error // why no response came, or why its body ends early

	success, readable bool // the top-level success of a 2xx
	gone              bool // the message is already gone, as an earlier attempt may have unsent it
	maybe             bool // this attempt may have unsent it
}

// send makes one attempt, within limit. The attempt has no response if none came.
func (o *operation) send(ctx context.Context, limit time.Duration) *attempt {
	a := &attempt{trace: transport.ConnTrace{Kind: o.guard.Kind()}, started: time.Now(), limit: limit}
	req, jar := o.request, o.http.Jar
	if req == nil {
		req, a.err = gen.NewUnsendChatMessageRequest(o.server, gen.PathID(o.userID), gen.PathID(o.messageID), o.body)
		if a.err != nil { // the ids were checked
			a.ending.Unwritten = true
			return a
		}
		o.setHeaders(req.Header, o.key, o.call.connection)
		if jar != nil {
			for _, cookie := range jar.Cookies(req.URL) {
				req.AddCookie(cookie)
			}
		}
	}
	resp, err := o.guard.RoundTrip(a.trace.Follow(ctx, req)) //nolint:bodyclose // attempt closes it, or its caller
	a.ending = a.trace.End(ctx, err)
	if err != nil {
		a.err = a.ending.Err
		return a
	}
	a.resp, a.status, a.header = resp, resp.StatusCode, resp.Header
	o.observe(o.call.connection, a.header)
	if o.request == nil && jar != nil {
		jar.SetCookies(req.URL, resp.Cookies())
	}
	return a
}

// read reads the body of a response to Unsend, and drops a connection on which more may follow: that of
// a response that is not the service's.
func (a *attempt) read() {
	a.ownHeader = a.trace.Kind != transport.Other
	if a.status >= 200 { // a 101 has no body, but an open connection
		a.body, a.err = transport.ReadBody(a.resp.Body, a.resp.ContentLength)
	}
	if a.status/100 == 2 {
		success, ok := readSuccess(a.body)
		a.success, a.readable = success && ok, ok
	}
	if !a.readable {
		if _, answered := readError(a.body); a.status < 400 || !answered {
			a.trace.Drop()
		}
	}
}

// handOn reads the body of an error response, for the caller of HTTPClient.
func (a *attempt) handOn(req *http.Request) {
	if a.status >= 200 {
		a.body, _ = io.ReadAll(io.LimitReader(a.resp.Body, maxErrorBody)) // what was read is handed on
	}
	a.resp.Body = io.NopCloser(bytes.NewReader(a.body))
	if req.Method != http.MethodHead {
		a.resp.ContentLength = int64(len(a.body))
		if !json.Valid(a.body) {
			a.resp.Header = a.resp.Header.Clone()
			a.resp.Header.Del("Content-Type")
		}
	}
}

// errorTurn waits until few enough error bodies are read, or for maxErrorTurn: the others may arrive
// slowly. It returns what ends the turn.
func (c *Client) errorTurn(ctx context.Context) (end func()) {
	select {
	case c.errorBodies <- struct{}{}:
		return func() { <-c.errorBodies }
	case <-time.After(maxErrorTurn):
	case <-ctx.Done():
	}
	return func() {}
}

const jsonSpace = " \t\r\n"

// readSuccess returns the top-level member success of a body. What follows it, drifted or cut short,
// cannot change it, but for a second success with another value: then there is none to read.
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
		isBool := err == nil && (value.Kind() == 't' || value.Kind() == 'f') && memberEnds(body[dec.InputOffset():])
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
	if bytes.Count(body, []byte(`"success"`)) > 1 || bytes.Contains(body, []byte(`\u`)) { // an escape may spell the name
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
	return success, ok && memberEnds(rest)
}

// memberEnds reports whether a member can end where rest begins. A body that was cut there is
// readable; one that continues with anything else is not JSON.
func memberEnds(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) == 0 || rest[0] == ',' || rest[0] == '}'
}
