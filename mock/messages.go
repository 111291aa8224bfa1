package mock

import (
	"encoding/binary"
	"strconv"
	"sync"
)

// messages knows which messages exist. One that is gone takes about 30 bytes where its ids
// are decimal numbers.
type messages struct {
	mu     sync.Mutex
	listed bool // only messages that were put exist
	packed map[[16]byte]state
	named  map[string]state // ids that are not plain decimal numbers
}

// state counts how often a message was unsent; removed is one that went another way.
type state uint8

const removed state = 0x80

func (m *messages) get(userID, messageID string) (state, bool) {
	if key, ok := packedKey(userID, messageID); ok {
		st, known := m.packed[key]
		return st, known
	}
	st, known := m.named[userID+"/"+messageID]
	return st, known
}

func (m *messages) set(userID, messageID string, st state) {
	if key, ok := packedKey(userID, messageID); ok {
		if m.packed == nil {
			m.packed = map[[16]byte]state{}
		}
		m.packed[key] = st
		return
	}
	if m.named == nil {
		m.named = map[string]state{}
	}
	m.named[userID+"/"+messageID] = st
}

func (m *messages) put(msg Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed = true
	m.set(msg.UserID, msg.MessageID, 0)
}

func (m *messages) exists(userID, messageID string) bool {
	st, known := m.get(userID, messageID)
	return st == 0 && (known || !m.listed)
}

// take unsends the message and reports whether it was there.
func (m *messages) take(userID, messageID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.exists(userID, messageID) {
		return false
	}
	st, _ := m.get(userID, messageID)
	m.set(userID, messageID, st+1)
	return true
}

// Exists reports whether the message is still there.
func (s *Server) Exists(userID, messageID string) bool {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	return s.messages.exists(userID, messageID)
}

// UnsentCount returns how often requests took the message away: 0 or 1.
func (s *Server) UnsentCount(userID, messageID string) int {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	st, _ := s.messages.get(userID, messageID)
	return int(st &^ removed)
}

// Remove takes a message away without a request, as another device of the creator would.
// From then on it answers 404 RESOURCE_NOT_FOUND.
func (s *Server) Remove(userID, messageID string) {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	st, _ := s.messages.get(userID, messageID)
	s.messages.set(userID, messageID, st|removed)
}

// packedKey holds two ids in 16 bytes, without padding in the map.
func packedKey(userID, messageID string) (key [16]byte, ok bool) {
	user, ok := decimal(userID)
	if !ok {
		return key, false
	}
	message, ok := decimal(messageID)
	if !ok {
		return key, false
	}
	binary.BigEndian.PutUint64(key[:8], user)
	binary.BigEndian.PutUint64(key[8:], message)
	return key, true
}

// decimal reads an id that is a decimal number in its one shortest form and fits a JSON
// integer of 64 bits.
func decimal(id string) (uint64, bool) {
	if id == "" || len(id) > 18 || (id[0] == '0' && len(id) > 1) {
		return 0, false
	}
	for _, c := range []byte(id) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(id, 10, 64)
	return n, err == nil
}
