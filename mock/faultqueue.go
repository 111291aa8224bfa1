package mock

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// faults decides which fault befalls the next request.
type faults struct {
	mu      sync.Mutex
	script  []Fault
	message map[Message][]Fault
	random  *rand.Rand // nil: none are drawn
	rate    float64
	drawn   []Fault
}

// Next scripts the next faults, one for each request to come that would be carried out, in
// this order, after those scripted before. A zero Fault lets one request through.
func (s *Server) Next(list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.script = append(s.faults.script, list...)
}

// NextFor scripts the next faults of one message. They come before those of [Server.Next].
func (s *Server) NextFor(userID, messageID string, list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.message == nil {
		s.faults.message = map[Message][]Fault{}
	}
	m := Message{userID, messageID}
	s.faults.message[m] = append(s.faults.message[m], list...)
}

// Pending returns how many scripted faults have not befallen a request yet.
func (s *Server) Pending() int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := len(s.faults.script)
	for _, list := range s.faults.message {
		n += len(list)
	}
	return n
}

func (f *faults) draw(seed uint64, rate float64, list []Fault) {
	if len(list) == 0 {
		list = DefaultFaults()
	}
	f.random = rand.New(rand.NewPCG(seed, seed))
	f.rate, f.drawn = rate, slices.Clone(list)
}

func (f *faults) next(userID, messageID string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.message) > 0 {
		m := Message{userID, messageID}
		if list := f.message[m]; len(list) > 0 {
			f.message[m] = list[1:]
			if len(list) == 1 {
				delete(f.message, m)
			}
			return list[0]
		}
	}
	if len(f.script) > 0 {
		next := f.script[0]
		f.script = f.script[1:]
		return next
	}
	if f.random == nil || f.random.Float64() >= f.rate {
		return Fault{}
	}
	return f.drawn[f.random.IntN(len(f.drawn))]
}
