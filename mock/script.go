package mock

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultFaults lists the faults that are drawn unless others are given: every status that the
// service documents and the ones beside them, every kind but the oversized bodies (which cost
// 9 MiB each), and bodies with a member that is set as no client expects it. A fault that leaves
// open whether the message was unsent is listed with Acted and without.
func DefaultFaults() []Fault {
	faults := []Fault{
		{Status: 400}, {Status: 401}, {Status: 401, Type: "SESSION_EXPIRED"}, {Status: 401, Type: "RULES_OUTDATED"},
		{Status: 403}, {Status: 404}, {Status: 404, Type: typeResourceNotFound}, {Status: 409}, {Status: 422},
		{Status: 429}, {Status: 429, RetryAfter: "1"}, {Status: 429, RetryAfter: "-1"}, {Status: 429, RetryAfter: "soon"},
		{Status: 429, RetryAfter: "99999999999999999999"},
		{Status: 301}, {Status: 302}, {Status: 307}, {Status: 308},
		{Status: 303}, {Status: 408}, {Status: 500}, {Status: 501}, {Status: 502}, {Status: 503}, {Status: 504}, {Status: 505},
		{Status: 503, RetryAfter: "1"}, {Status: 502, Kind: HTML}, {Status: 204}, {Delay: 2 * time.Second},
	}
	for _, k := range kinds[1:] {
		if k.name != Oversized && k.name != OversizedLate {
			faults = append(faults, Fault{Kind: k.name})
		}
	}
	for _, member := range []string{
		// What the service sends although its documentation differs.
		"queue=null", "queue=", "queue.media=", "queue.giphyId=null", "queue.price=0", "queue.releaseForms=[]", "queue.added=true",
		// What breaks the contract.
		`queue.id="6432457811894"`, "queue.isFree=1", `queue.price={"amount":0}`, `success="true"`, "success=1", "success=null", "success=",
	} {
		faults = append(faults, Fault{Set: member})
	}
	var list []Fault
	for _, f := range faults {
		list = append(list, f)
		if f.impliedOutcome() == ambiguous || f.Delay > 0 {
			f.Acted = true
			list = append(list, f)
		}
	}
	return list
}

// TransientFaults lists faults for a rehearsal: those of a bad day that are over when the request
// is sent again, with and without Acted, and one message that is refused. None of them stops a
// connection or an account.
func TransientFaults() []Fault {
	return []Fault{
		{Status: 503}, {Status: 503, Acted: true}, {Status: 502, Kind: HTML}, {Status: 502, Kind: HTML, Acted: true}, {Status: 504, Acted: true},
		{Kind: Drop}, {Kind: Drop, Acted: true}, {Kind: Truncated}, {Kind: Truncated, Acted: true}, {Status: 429, RetryAfter: "1"},
		{Delay: time.Second}, {Kind: TruncatedLate}, {Kind: Refused},
	}
}

// faults decides which fault the next valid request meets.
type faults struct {
	mu      sync.Mutex
	script  []Fault
	message map[Message][]Fault

	drawn []Fault // empty: none are drawn
	seed  uint64
	rate  float64
	count map[Message]uint64 // requests so far, while faults are drawn
}

// WithFaults draws a fault for a share of the requests: rate is that share, 0 to 1. What the nth
// request for a message meets follows from the seed alone, in whatever order requests arrive.
// Without faults they are drawn from [DefaultFaults].
func WithFaults(seed uint64, rate float64, list ...Fault) Option {
	if len(list) == 0 {
		list = DefaultFaults()
	}
	return func(s *Server) {
		s.faults.seed, s.faults.rate, s.faults.drawn = seed, rate, slices.Clone(list)
	}
}

// Next scripts the next faults, one for each valid request to come, in this order, after those
// scripted before. A zero Fault lets one request through.
func (s *Server) Next(list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.script = append(s.faults.script, list...)
}

// NextFor scripts the next faults of one message. They come before those of [Server.Next].
func (s *Server) NextFor(userID, messageID string, list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	m := Message{userID, messageID}
	s.faults.message[m] = append(s.faults.message[m], list...)
}

// pending returns how many scripted faults no request has consumed.
func (f *faults) pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.script)
	for _, list := range f.message {
		n += len(list)
	}
	return n
}

// texts lists the scripted faults of one message, or those of any for a zero message.
func (f *faults) texts(m Message) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.message[m]
	if m == (Message{}) {
		list = f.script
	}
	texts := make([]string, len(list))
	for i, fault := range list {
		texts[i] = fault.String()
	}
	return texts
}

// forget drops the scripted faults of one message, or all for a zero message.
func (f *faults) forget(m Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.message, m); m == (Message{}) {
		f.script = nil
		clear(f.message)
	}
}

func (f *faults) next(userID, messageID string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := Message{userID, messageID}
	if list := f.message[m]; len(list) > 0 {
		f.message[m] = list[1:]
		if len(list) == 1 {
			delete(f.message, m)
		}
		return list[0]
	}
	if len(f.script) > 0 {
		next := f.script[0]
		f.script = f.script[1:]
		return next
	}
	if len(f.drawn) == 0 || f.rate <= 0 {
		return Fault{}
	}
	m = Message{strings.Clone(userID), strings.Clone(messageID)} // which keeps nothing of a request
	f.count[m]++
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, m.UserID, "/", m.MessageID, "/", f.count[m]) // a hash takes everything
	random := rand.New(rand.NewPCG(f.seed, hash.Sum64()))
	if random.Float64() >= f.rate {
		return Fault{}
	}
	return f.drawn[random.IntN(len(f.drawn))]
}
