package wire

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// service records which messages exist, and what was done with them. It decides for the servers of both
// protocols what comes of a request.
type service struct {
	mu       sync.Mutex
	messages map[string]*message
}

// message is one message, and what came of the call for it. Its service's mutex guards it.
type message struct {
	scenario *scenario
	exists   bool
	removed  bool // by another device during the call
	acted    int  // requests that removed it
	requests int  // that arrived
	certain  int  // of these, those whose response leaves no doubt whether it was done
}

// reply is the response to a request, and how it is sent.
type reply struct {
	fault  networkFault
	status int
	header string // further lines
	body   string

	service *service
	message *message // nil if there is none on the request's path
	request int      // the message's requests before this one
}

func newService() *service { return &service{messages: map[string]*message{}} }

func (s *service) add(sc *scenario) *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &message{scenario: sc, exists: !sc.gone}
	s.messages[sc.message] = m
	return m
}

// arrive records a request for a path, and decides what comes of it.
func (s *service) arrive(path string) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[path[strings.LastIndexByte(path, '/')+1:]]
	if m == nil {
		return reply{status: 404, body: `{"error":"No such path","type":"ROUTE_NOT_FOUND"}`}
	}
	var st step
	if m.requests < len(m.scenario.steps) {
		st = m.scenario.steps[m.requests]
	}
	if m.requests == m.scenario.removedAt && m.exists {
		m.exists, m.removed = false, true
	}
	r := reply{fault: st.fault, status: st.status, header: st.header, service: s, message: m, request: m.requests}
	m.requests++
	existed := m.exists
	if existed && (st.act || st.status == 0) {
		m.exists = false
		m.acted++
	}
	switch {
	case st.status != 0:
		r.body = st.body
	case existed:
		r.status, r.body = 200, fmt.Sprintf(`{"success":true,"queue":{"id":1,"text":"message %s"}}`, m.scenario.message)
		if st.last {
			r.body = fmt.Sprintf(`{"queue":{"id":1,"text":"message %s","more":{"success":false}},"success":true}`, m.scenario.message)
		}
	default:
		r.status, r.body = 404, `{"error":"No such message","type":"RESOURCE_NOT_FOUND"}`
	}
	return r
}

// think is called before the response is sent, and rest after it: the caller may end the call then.
func (r reply) think() { r.endCall(false) }
func (r reply) rest()  { r.endCall(true) }

func (r reply) endCall(answered bool) {
	if r.message == nil {
		return
	}
	if end := r.message.scenario.ending; end.by != notEnded && end.request == r.request && end.answered == answered {
		settle()
		r.message.scenario.endCall()
		settle()
	}
}

// heard is called when the response was sent whole.
func (r reply) heard() {
	if r.message == nil || !r.fault.whole() || ambiguous(r.status, r.body) || r.message.scenario.ending.before(r.request) {
		return
	}
	r.service.mu.Lock()
	defer r.service.mu.Unlock()
	r.message.certain++
}

// settle returns when everything else in the bubble waits for something.
func settle() { pause(1) }

func pause(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // of virtual time

// ambiguous reports whether a response leaves open whether the message was unsent.
func ambiguous(status int, body string) bool {
	switch status {
	case 303, 408:
		return true
	}
	if status/100 == 2 {
		saysTrue, saysFalse := strings.Contains(body, `"success":true`), strings.Contains(body, `"success":false`)
		return saysTrue == saysFalse && !strings.Contains(body, "queue") || strings.Contains(body, `"success":1`)
	}
	return status < 200 || status > 499
}
