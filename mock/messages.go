package mock

import "sync"

// Message is the address of a message.
type Message struct{ UserID, MessageID string }

// WithMessages makes these the only messages that exist. It can be given more than once.
// Without it every id exists once: that is the mock's choice.
func WithMessages(list ...Message) Option {
	return func(s *Server) {
		for _, m := range list {
			s.messages.listed = true
			s.messages.put(m, statePresent)
		}
	}
}

// messages holds which messages exist.
type messages struct {
	mu     sync.Mutex
	listed bool // only those of WithMessages exist
	state  map[string]state
}

type state uint8

const (
	statePresent state = iota
	stateUnsent        // by a request
	stateRemoved       // in another way
)

// get returns the state of a message, and whether it exists.
func (m *messages) get(userID, messageID string) (st state, exists bool) {
	st, known := m.state[userID+"/"+messageID]
	return st, st == statePresent && (known || !m.listed)
}

func (m *messages) set(userID, messageID string, st state) {
	m.state[userID+"/"+messageID] = st // a new string, which keeps nothing of a request
}

func (m *messages) put(message Message, st state) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(message.UserID, message.MessageID, st)
}

// unsend unsends the message and reports whether it was there.
func (m *messages) unsend(userID, messageID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, exists := m.get(userID, messageID)
	if exists {
		m.set(userID, messageID, stateUnsent)
	}
	return exists
}

// Exists reports whether the message exists.
func (s *Server) Exists(userID, messageID string) bool {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	_, exists := s.messages.get(userID, messageID)
	return exists
}

// UnsentCount returns how many requests unsent the message: 0 or 1.
func (s *Server) UnsentCount(userID, messageID string) int {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	if st, _ := s.messages.get(userID, messageID); st == stateUnsent {
		return 1
	}
	return 0
}

// Remove removes a message without a request, as another device of the creator would. Requests
// for it get 404 RESOURCE_NOT_FOUND from then on.
func (s *Server) Remove(userID, messageID string) {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	if st, _ := s.messages.get(userID, messageID); st != stateUnsent {
		s.messages.set(userID, messageID, stateRemoved)
	}
}
