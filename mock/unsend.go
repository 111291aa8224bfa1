package mock

import (
	"bytes"
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
var validator = sync.OnceValues(contract.New)

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
		Time:      s.now(),
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
	refused, x.entry.ConnectionID, x.level = x.s.access.check(x.r.Header, x.s.now())
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
		x.send(answer{dropped: true})
	}
	if implied == unsent && !x.entry.Acted && !x.take(userID, messageID) {
		// Nothing may claim to have unsent a message that was not there.
		x.send(x.failure(http.StatusNotFound, typeResourceNotFound, ""))
		return
	}
	plain := x.s.snapshot.body(userID, messageID)
	if f == (Fault{}) {
		x.send(answer{status: http.StatusOK, contentType: mediaJSON, body: plain})
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
func (x *exchange) send(a answer) {
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
