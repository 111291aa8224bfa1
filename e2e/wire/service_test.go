package wire

import (
	"fmt"
	"strings"
	"sync"
)

// service is what a server knows: which messages exist, and what it did. A server of any
// protocol asks it what to do with a request.
type service struct {
	mu       sync.Mutex
	messages map[string]*message
}

// message is one message, and all that came of the call for it. It is its service's to lock.
type message struct {
	scenario *scenario
	exists   bool
	removed  bool // by another device during the call
	acted    int  // requests that took it away
	requests int  // that arrived
	certain  int  // of these, those whose answer says for certain whether it was done
	exact    bool // certain is known whatever else happened to the call
}

// reply is what a server is to say to a request, and how.
type reply struct {
	fault  networkFault
	status int
	header string // further lines
	body   string
}

func newService() *service { return &service{messages: map[string]*message{}} }

func (s *service) add(sc *scenario) *message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &message{scenario: sc, exists: !sc.gone}
	s.messages[sc.message] = m
	return m
}

// arrive takes in a request for a path, and decides all that comes of it.
func (s *service) arrive(path string) (*message, reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[path[strings.LastIndexByte(path, '/')+1:]]
	if m == nil {
		return nil, reply{status: 404, body: `{"error":"No such path","type":"ROUTE_NOT_FOUND"}`}
	}
	var st step
	if m.requests < len(m.scenario.steps) {
		st = m.scenario.steps[m.requests]
	}
	if m.requests == m.scenario.removedAt && m.exists {
		m.exists, m.removed = false, true
	}
	m.requests++
	existed := m.exists
	if existed && (st.act || st.status == 0) {
		m.exists = false
		m.acted++
	}
	r := reply{fault: st.fault, status: st.status, header: st.header}
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
	if r.fault.whole() && !ambiguous(r.status, r.body) {
		m.certain++
	}
	return m, r
}

// doubt is called where a fault of one message's may have cost others on its connection their
// answers.
func (s *service) doubt(m *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m != nil {
		m.certain--
	}
}

// ambiguous reports whether an answer leaves open whether the message was unsent.
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
