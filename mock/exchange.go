package mock

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsend-go/unsend/contract"
)

const (
	// maxRequestBody bounds what is kept of a request's body; a larger one is a 400. That is
	// the mock's choice.
	maxRequestBody = 64 << 10

	longestReason = 500 // bytes of the text of a 400

	mediaJSON = "application/json"
)

// Error types of openapi.yaml that a fault cannot send at will.
const (
	typeResourceNotFound = "RESOURCE_NOT_FOUND"
	typeRouteNotFound    = "ROUTE_NOT_FOUND"
)

const unsendOperation = "unsendChatMessage"

// exchange is one request on its way to a response. It belongs to the request's goroutine.
type exchange struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	body    []byte
	bodyErr error
	keys    []string // that the journal must not hold
	entry   Entry
	kept    *Entry // the copy in the journal
	level   level
	op      operation // whose examples are the responses
	custom  bool      // op is executed by a handler of WithOperation
	plain   response  // without a fault
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{s: s, w: w, r: r, op: s.unsendOp, keys: s.secrets(r.Header.Get("apiKey"))}
	x.entry = Entry{
		Time:      time.Now(),
		RequestID: fmt.Sprintf("req_%012x", s.counters.requests.Add(1)),
		Method:    x.journaled(r.Method, journaledMethod),
		Path:      x.journaled(r.URL.EscapedPath(), journaledPath),
	}
	x.kept = s.journal.add(x.entry)
	return x
}

// serve finds the operation and executes the request.
func (x *exchange) serve() {
	validator, err := x.s.document.validator()
	// ServeMux would redirect paths that are not clean; a redirect of a DELETE is a trap.
	if err != nil || !isClean(x.r.URL.EscapedPath()) {
		x.noRoute()
		return
	}
	id, values := validator.Operation(x.r)
	for name, value := range values {
		x.r.SetPathValue(name, value)
	}
	op, found := x.s.document.operations[id]
	_, pattern := x.s.handlers.Handler(x.r)
	x.custom = pattern != ""
	plain, hasExample := op.example()
	switch {
	case !found && slices.Contains(x.s.handlers.unused, pattern):
		x.notImplemented(pattern)
	case !found:
		x.noRoute()
	case !hasExample && !x.custom && id != unsendOperation:
		x.notImplemented(id)
	default:
		x.op, x.plain = op, plain
		x.check(validator)
	}
}

func isClean(escaped string) bool {
	return strings.HasPrefix(escaped, "/") && strings.TrimSuffix(escaped, "/") == strings.TrimSuffix(path.Clean(escaped), "/")
}

func (x *exchange) noRoute() {
	x.send(x.failure(http.StatusNotFound, typeRouteNotFound, ""))
}

func (x *exchange) notImplemented(what string) {
	x.send(x.failure(http.StatusNotImplemented, "NOT_IMPLEMENTED", "Not implemented by the mock: "+what))
}

// message is what the request addresses.
func (x *exchange) message() (userID, messageID string) {
	return x.r.PathValue("userId"), x.r.PathValue("messageId")
}

// unsends reports whether the operation is that which unsends a message.
func (x *exchange) unsends() bool { return x.op.id == unsendOperation && !x.custom }

// exists reports whether the message is still there. Other operations address none.
func (x *exchange) exists() bool { return !x.unsends() || x.s.Exists(x.message()) }

// run executes a valid request. It returns false if the message is gone.
func (x *exchange) run() bool {
	switch {
	case x.custom:
		w := httptest.NewRecorder()
		x.r.Body = io.NopCloser(bytes.NewReader(x.body))
		x.s.handlers.ServeHTTP(w, x.r)
		body := w.Body.Bytes()
		x.plain = response{status: w.Code, header: w.Header(), body: body, errorType: textOf(parseObject(body).get("type"))}
	case x.unsends():
		userID, messageID := x.message()
		x.entry.Acted = x.s.messages.change(userID, messageID, stateUnsent, statePresent) == statePresent
		if x.entry.Acted {
			x.s.counters.unsent.Add(1)
		}
		return x.entry.Acted
	}
	return true
}

// check checks credentials, rate limit, permission and contract, in this order, and performs a valid
// request.
func (x *exchange) check(validator *contract.Validator) {
	userID, messageID := x.message()
	x.entry.UserID, x.entry.MessageID = x.journaled(userID, journaledID), x.journaled(messageID, journaledID)
	var refused *refusal
	if !x.op.isOpen || x.r.Header.Get("apiKey") != "" {
		refused, x.entry.ConnectionID, x.level = x.s.access.check(x.r, x.entry.Time)
	}
	if refused == nil {
		refused = x.validate(validator)
	}
	if refused == nil {
		x.perform(x.s.faults.next(userID, messageID))
		return
	}
	a := x.failure(refused.status, refused.errorType, refused.text)
	if refused.wait > 0 {
		x.s.counters.limited.Add(1)
		a.header.Set("Retry-After", strconv.FormatInt(seconds(refused.wait), 10))
	}
	x.send(a)
}

// validate checks the request against the contract.
func (x *exchange) validate(validator *contract.Validator) *refusal {
	badRequest := func(text string) *refusal {
		return &refusal{status: http.StatusBadRequest, errorType: "BAD_REQUEST", text: text}
	}
	switch {
	case x.bodyErr != nil:
		return badRequest("The request's body could not be read")
	case len(x.body) > maxRequestBody:
		return badRequest("The request's body is larger than " + strconv.Itoa(maxRequestBody) + " bytes")
	}
	x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	violations := validator.CheckRequest(x.r)
	if len(violations) == 0 {
		return nil
	}
	reasons := make([]string, len(violations))
	for i, v := range violations {
		reasons[i] = v.String()
	}
	text := strings.Join(reasons, "; ")
	return badRequest(strings.ToValidUTF8(text[:min(len(text), longestReason)], ""))
}

// perform executes a valid request, as far as the fault lets it.
func (x *exchange) perform(f Fault) {
	implied, done := f.impliedOutcome(), false
	if f != (Fault{}) {
		x.s.counters.faulted.Add(1)
		x.entry.Fault = f.String()
	}
	if f.Acted && implied != notUnsent {
		done = x.run()
	}
	if f.Kind != Slow && f.Delay > 0 && !sleep(x.r.Context(), f.Delay) {
		x.send(response{dropped: true})
	}
	if implied == unsent && !done {
		if !x.run() {
			// Nothing may claim to have unsent a message that was not there.
			x.send(x.failure(http.StatusNotFound, typeResourceNotFound, ""))
			return
		}
		done = true
	}
	if x.unsends() {
		x.plain = jsonResponse(http.StatusOK, x.s.snapshot.body(x.message()))
	}
	if f == (Fault{}) {
		x.send(x.plain)
		return
	}
	x.send(x.faulty(f, x.plain, done, x.exists()))
}

// send journals the response, then writes it. One that is dropped ends the exchange by a panic.
func (x *exchange) send(a response) {
	if a.dropped {
		a.status, a.errorType = 0, ""
	}
	x.entry.Status, x.entry.Type = a.status, a.errorType
	x.s.journal.update(x.kept, x.entry)
	if a.dropped {
		panic(http.ErrAbortHandler)
	}

	h := x.w.Header()
	maps.Copy(h, a.header)
	h.Set("X-Request-Id", x.entry.RequestID)
	if x.level.limit > 0 {
		// As net/http keeps their names: it need not rewrite them.
		h.Set("X-Ratelimit-Limit", strconv.Itoa(x.level.limit))
		h.Set("X-Ratelimit-Remaining", strconv.Itoa(x.level.remaining))
		h.Set("X-Ratelimit-Reset", strconv.FormatInt(seconds(x.level.reset), 10))
	}
	a.write(x.w, x.r)
}

// seconds rounds up, so that waiting that long is enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// response is what is sent.
type response struct {
	status    int
	errorType string // for the journal
	header    http.Header
	body      []byte
	missing   int           // bytes of the declared length that never come: the connection breaks
	pause     time.Duration // before each byte
	done      bool          // this request was executed
	scripted  bool          // body is the fault's own
	dropped   bool          // nothing is sent: the connection breaks
}

// jsonResponse is one with a body of JSON, labeled so.
func jsonResponse(status int, body []byte) response {
	return response{status: status, header: http.Header{"Content-Type": {mediaJSON}}, body: body}
}

func (a *response) succeeds() bool { return a.status/100 == 2 }

// failure is the documented example of an error, with this request's id, and with text in
// place of its own unless that is empty.
func (x *exchange) failure(status int, errorType, text string) response {
	body := x.op.failure(status, errorType)
	if text != "" {
		body = body.with("error", encode(text))
	}
	body = body.with("requestId", encode(x.entry.RequestID))
	a := jsonResponse(status, body.json())
	a.errorType = textOf(body.get("type"))
	return a
}

// faulty applies a fault to the plain response, after the request was executed or not: done reports
// whether it was, exists whether its message still exists.
func (x *exchange) faulty(f Fault, a response, done, exists bool) response {
	if reason := f.invalid(); reason != "" {
		return x.failure(http.StatusInternalServerError, "", "This scripted fault has no response: "+reason)
	}
	if status := f.status(); f.Status != 0 || !done {
		a.status = status
	}
	if f.Status >= 300 {
		a = x.failure(a.status, f.errorType(exists), "")
	}
	a.done = done
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	if a.status/100 == 3 {
		a.header.Set("Location", "/moved")
	}
	if a.status == http.StatusTooManyRequests {
		x.level.remaining = 0
	}
	if _, value := f.member(); f.Set != "" && (!reportsGone(value) || !exists && !a.succeeds()) {
		a.setMember(f)
	}
	if f.sendsBody() && (!exists || !reportsGone(f.Body)) {
		a.replace(f.Body)
		a.scripted = true
	}
	f.Kind.row().apply(&a, f)
	if bodiless(a.status) {
		a.errorType = ""
	}
	if f.ContentType != "" {
		a.header.Set("Content-Type", f.ContentType)
	}
	return a
}

// reportsGone reports whether a client could read in the text that the message is gone.
func reportsGone(text string) bool { return strings.Contains(unescaped(text), typeResourceNotFound) }

// replace sends other text, which has no error type to journal.
func (a *response) replace(text string) { a.body, a.errorType = []byte(text), "" }

func (a *response) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if bodiless(a.status) {
		h.Del("Content-Type")
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)+a.missing))
	w.WriteHeader(a.status)
	if err := a.writeBody(w, r); err != nil || a.missing > 0 {
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

func (a *response) writeBody(w http.ResponseWriter, r *http.Request) error {
	if a.pause == 0 {
		_, err := w.Write(a.body)
		return err
	}
	flush(w)
	for i := range a.body {
		if !sleep(r.Context(), a.pause) {
			return r.Context().Err()
		}
		if _, err := w.Write(a.body[i : i+1]); err != nil {
			return err
		}
		flush(w)
	}
	return nil
}

// sleep reports whether the time passed before the client left.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// flush is best effort: a writer that cannot flush sends everything at the end.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
