package mock

import (
	"slices"
	"sync"
)

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
	state  map[string]messageState
}

type messageState uint8

const (
	statePresent messageState = iota
	stateUnsent               // by a request
	stateRemoved              // in another way
)

// get returns the state of a message.
func (m *messages) get(userID, messageID string) messageState { return m.change(userID, messageID, 0) }

// put sets the state of a message.
func (m *messages) put(message Message, to messageState) {
	m.change(message.UserID, message.MessageID, to, statePresent, stateUnsent, stateRemoved)
}

// change sets the state of a message if it was one of these, and returns what it was.
func (m *messages) change(userID, messageID string, to messageState, from ...messageState) (was messageState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := userID + "/" + messageID // a new string, which keeps nothing of a request
	was, known := m.state[key]
	if !known && m.listed {
		was = stateRemoved
	}
	if slices.Contains(from, was) {
		m.state[key] = to
	}
	return was
}

// Exists reports whether the message exists.
func (s *Server) Exists(userID, messageID string) bool {
	return s.messages.get(userID, messageID) == statePresent
}

// UnsentCount returns how many requests unsent the message: 0 or 1.
func (s *Server) UnsentCount(userID, messageID string) int {
	if s.messages.get(userID, messageID) == stateUnsent {
		return 1
	}
	return 0
}

// Remove removes a message without a request, as another device of the creator would. Requests
// for it get 404 RESOURCE_NOT_FOUND from then on.
func (s *Server) Remove(userID, messageID string) {
	s.messages.change(userID, messageID, stateRemoved, statePresent)
}
