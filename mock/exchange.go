package mock

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unsend-go/unsend/contract"
)

const (
	// maxRequestBody bounds what is kept of a request's body; a larger one is a 400. That is
	// the mock's choice.
	maxRequestBody = 64 << 10

	longestReason = 500 // bytes of the text of a 400
)

// validator is shared: building it takes longer than thousands of requests.
var validator = sync.OnceValues(func() (*contract.Validator, error) { return contract.New() })

// exchange is one request on its way to an answer.
type exchange struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	body    []byte
	bodyErr error
	entry   Entry
	kept    *Entry // the copy in the journal
	level   level
	op      operation // whose examples are the answers
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{s: s, w: w, r: r, op: s.unsendOp}
	x.entry = Entry{
		Time:      time.Now(),
		RequestID: fmt.Sprintf("req_%012x", s.counters.requests.Add(1)),
		Method:    journaled(r, r.Method, journaledMethod),
		Path:      journaled(r, r.URL.EscapedPath(), journaledPath),
	}
	x.kept = s.journal.add(x.entry)
	return x
}

func (x *exchange) noRoute() {
	x.send(x.failure(http.StatusNotFound, typeRouteNotFound, ""))
}

func (x *exchange) notImplemented(operationID string) {
	x.send(x.failure(http.StatusNotImplemented, typeNotImplemented, "Not implemented by the mock: "+operationID))
}

// unsend answers a request on the operation: credentials, rate limit, permission and contract
// first, then a fault if one is due, then the message.
func (x *exchange) unsend() {
	userID, messageID := x.r.PathValue("userId"), x.r.PathValue("messageId")
	x.entry.UserID, x.entry.MessageID = journaled(x.r, userID, journaledID), journaled(x.r, messageID, journaledID)

	var refused *refusal
	refused, x.entry.ConnectionID, x.level = x.s.access.check(x.r.Header, time.Now())
	if refused == nil {
		refused = x.validate()
	}
	if refused == nil {
		x.perform(x.s.faults.next(userID, messageID), userID, messageID)
		return
	}
	a := x.failure(refused.status, refused.kind, refused.text)
	if refused.wait > 0 {
		x.s.counters.limited.Add(1)
		a.retryAfter = strconv.FormatInt(seconds(refused.wait), 10)
	}
	x.send(a)
}

// validate holds the request against the contract.
func (x *exchange) validate() *refusal {
	badRequest := func(text string) *refusal {
		return &refusal{status: http.StatusBadRequest, kind: typeBadRequest, text: text}
	}
	switch {
	case x.bodyErr != nil:
		return badRequest("The request's body could not be read")
	case len(x.body) > maxRequestBody:
		return badRequest("The request's body is larger than " + strconv.Itoa(maxRequestBody) + " bytes")
	}
	check, err := validator()
	if err != nil {
		return &refusal{status: http.StatusInternalServerError, text: "The contract cannot be read: " + err.Error()}
	}
	x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	violations := check.CheckRequest(x.r)
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

// perform does what a valid request asks, as far as the fault lets it.
func (x *exchange) perform(f Fault, userID, messageID string) {
	implied := f.impliedOutcome()
	if f != (Fault{}) {
		x.s.counters.faulted.Add(1)
		x.entry.Fault = f.String()
	}
	if f.Acted && implied != notUnsent {
		x.take(userID, messageID)
	}
	if f.Kind != Slow && f.Delay > 0 && !sleep(x.r.Context(), f.Delay) {
		x.send(response{dropped: true})
	}
	if implied == unsent && !x.entry.Acted && !x.take(userID, messageID) {
		// Nothing may claim to have unsent a message that was not there.
		x.send(x.failure(http.StatusNotFound, typeResourceNotFound, ""))
		return
	}
	plain := x.s.snapshot.body(userID, messageID)
	if f == (Fault{}) {
		x.send(response{status: http.StatusOK, contentType: mediaJSON, body: plain})
		return
	}
	x.send(x.faulty(f, plain, x.s.Exists(userID, messageID)))
}

func (x *exchange) take(userID, messageID string) bool {
	x.entry.Acted = x.s.messages.take(userID, messageID)
	if x.entry.Acted {
		x.s.counters.unsent.Add(1)
	}
	return x.entry.Acted
}

// send journals the answer, then writes it. One that is dropped ends the exchange by a panic.
func (x *exchange) send(a response) {
	if a.dropped {
		a.status, a.kind = 0, ""
	}
	x.entry.Status, x.entry.Type = a.status, a.kind
	x.s.journal.update(x.kept, x.entry)
	if a.dropped {
		panic(http.ErrAbortHandler)
	}

	h := x.w.Header()
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

// Error types of openapi.yaml.
const (
	typeBadRequest         = "BAD_REQUEST"
	typeUnauthorized       = "UNAUTHORIZED"
	typeSessionNotProvided = "SESSION_NOT_PROVIDED"
	typeSessionExpired     = "SESSION_EXPIRED"
	typeRulesOutdated      = "RULES_OUTDATED"
	typeForbidden          = "FORBIDDEN"
	typeResourceNotFound   = "RESOURCE_NOT_FOUND"
	typeRouteNotFound      = "ROUTE_NOT_FOUND"
	typeRateLimitExceeded  = "RATE_LIMIT_EXCEEDED"

	typeNotImplemented = "NOT_IMPLEMENTED" // the mock's own
)

const mediaJSON = "application/json"

// response is what is sent.
type response struct {
	status      int
	kind        string // the error type, for the journal
	contentType string
	retryAfter  string
	location    string
	body        []byte
	missing     int           // bytes of the declared length that never come: the connection breaks
	pause       time.Duration // before each byte
	acted       bool          // this request unsent the message
	scripted    bool          // body is the fault's own
	dropped     bool          // nothing goes out: the connection breaks
}

func (a *response) succeeds() bool { return a.status/100 == 2 }

// failure is the documented example of an error, with this request's id, and with text in
// place of its own unless that is empty.
func (x *exchange) failure(status int, kind, text string) response {
	body := x.op.failure(status, kind)
	if text != "" {
		body = body.with("error", quote(text))
	}
	body = body.with("requestId", quote(x.entry.RequestID))
	return response{status: status, kind: textOf(body.get("type")), contentType: mediaJSON, body: body.json()}
}

// faulty renders a fault. Its effect on the message is settled by now: exists is whether the
// message is still there.
func (x *exchange) faulty(f Fault, plain []byte, exists bool) response {
	if reason := f.invalid(); reason != "" {
		return x.failure(http.StatusInternalServerError, "", "This scripted fault has no response: "+reason)
	}
	a := response{status: f.status(), contentType: mediaJSON, body: plain}
	if a.status >= 300 {
		a = x.failure(a.status, f.errorType(exists), "")
	}
	a.acted, a.retryAfter = x.entry.Acted, f.RetryAfter
	if a.status/100 == 3 {
		a.location = "/moved"
	}
	if a.status == http.StatusTooManyRequests {
		x.level.remaining = 0
	}
	if _, value := f.member(); f.Set != "" && !(reportsGone(value) && (exists || a.succeeds())) {
		a.setMember(f)
	}
	if f.sendsBody() && !(exists && reportsGone(f.Body)) {
		a.replace(f.Body)
		a.scripted = true
	}
	f.Kind.row().apply(&a, f)
	if bodiless(a.status) {
		a.kind = ""
	}
	if f.ContentType != "" {
		a.contentType = f.ContentType
	}
	return a
}

// reportsGone reports whether a client could read in the text that the message is gone.
func reportsGone(text string) bool {
	return strings.Contains(unescaped(text), typeResourceNotFound)
}

// replace sends other text, which has no error type to journal.
func (a *response) replace(text string) { a.body, a.kind = []byte(text), "" }

func (a *response) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range map[string]string{"Content-Type": a.contentType, "Retry-After": a.retryAfter, "Location": a.location} {
		if value != "" {
			h.Set(name, value)
		}
	}
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
