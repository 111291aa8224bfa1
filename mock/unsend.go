package mock

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// maxRequestBody bounds what is read of a request's body; a larger one is a 400. That is the
// mock's choice.
const maxRequestBody = 64 << 10

// unsend answers a request on the operation: credentials, rate limit, permission and contract
// first, then a fault if one is due, then the message.
func (s *Server) unsend(w http.ResponseWriter, r *http.Request, userID, messageID string) {
	x := s.begin(w, r)
	x.entry.UserID, x.entry.MessageID = userID[:min(len(userID), journaledPath)], messageID[:min(len(messageID), journaledPath)]
	// Read before anything is answered or waited for: net/http notices that a client has left
	// only once its request was read.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))

	refused, connectionID, level := s.access.check(r.Header, s.now())
	x.entry.ConnectionID, x.level = connectionID, level
	switch {
	case refused != nil:
	case err != nil:
		refused = badRequest("The request's body could not be read")
	case len(body) > maxRequestBody:
		refused = badRequest("The request's body is larger than " + strconv.Itoa(maxRequestBody) + " bytes")
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		refused = s.contract.check(r, userID, messageID, body)
	}
	if refused != nil {
		a := x.refuse(refused.status, refused.kind, refused.text)
		if refused.wait > 0 {
			s.counters.limited.Add(1)
			a.retryAfter = strconv.FormatInt(seconds(refused.wait), 10)
		}
		x.send(a)
		return
	}
	x.carryOut(s.faults.next(userID, messageID), userID, messageID)
}

// carryOut does what a sound request asks, as far as the fault lets it.
func (x *exchange) carryOut(f Fault, userID, messageID string) {
	claim := f.claim()
	if f != (Fault{}) {
		x.s.counters.faulted.Add(1)
		x.entry.Fault = f.String()
	}
	if f.Acted && claim != claimsRefusal {
		x.take(userID, messageID)
	}
	if f.Kind != Slow && !x.wait(f.Delay) {
		x.abort()
	}
	if claim == claimsSuccess && !x.entry.Acted && !x.take(userID, messageID) {
		// Nothing may claim to have unsent a message that was not there.
		x.send(x.refuse(http.StatusNotFound, typeResourceNotFound, "Message not found"))
		return
	}
	if f.Kind == Drop {
		x.abort()
	}
	plain := x.s.snapshot.body(userID, messageID)
	if f == (Fault{}) {
		x.send(answer{status: http.StatusOK, contentType: mediaJSON, body: plain})
		return
	}
	x.send(f.answer(x, plain, x.s.Exists(userID, messageID)))
}

func (x *exchange) take(userID, messageID string) bool {
	x.entry.Acted = x.s.messages.take(userID, messageID)
	if x.entry.Acted {
		x.s.counters.unsent.Add(1)
	}
	return x.entry.Acted
}
