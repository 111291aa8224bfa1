package mock

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// The faults to draw from, in the text of [ParseFault].
const (
	defaultFaults = `400 401 401,type=SESSION_EXPIRED 401,type=RULES_OUTDATED 403 404 404,type=RESOURCE_NOT_FOUND 409 422
		429 429,retry-after=1 429,retry-after=-1 429,retry-after=soon 429,retry-after=99999999999999999999
		301 302 307 308 303 408 500 501 502 503 504 505 503,retry-after=1 html,502 204 delay=2s
		drop truncated truncated-late slow text html null empty refused success-last mislabeled ` +
		// What the service sends although its documentation differs.
		`set=queue=null set=queue= set=queue.media= set=queue.giphyId=null set=queue.price=0 set=queue.releaseForms=[]
		set=queue.added=true ` +
		// What breaks the contract.
		`set=queue.id="6432457811894" set=queue.isFree=1 set=queue.price={"amount":0} set=success="true" set=success=1
		set=success=null set=success=`

	transientFaults = `503 503,acted html,502 html,502,acted 504,acted drop drop,acted truncated truncated,acted
		429,retry-after=1 delay=1s truncated-late refused`
)

// DefaultFaults lists the faults that are drawn unless others are given: every status that the
// service documents and the ones beside them, every kind but the oversized bodies (which cost
// 9 MiB each), and bodies with a member that is set as no client expects it. A fault that leaves
// open whether the message was unsent is listed with Acted and without.
func DefaultFaults() (list []Fault) {
	for _, f := range parseFaults(defaultFaults) {
		list = append(list, f)
		if f.impliedOutcome() == ambiguous || f.Delay > 0 {
			f.Acted = true
			list = append(list, f)
		}
	}
	return list
}

// TransientFaults lists faults for a rehearsal: transient errors, with and without Acted, that are over
// when the request is sent again, and one message that is refused. None of them stops a connection
// or an account.
func TransientFaults() []Fault { return parseFaults(transientFaults) }

func parseFaults(texts string) (list []Fault) {
	for text := range strings.FieldsSeq(texts) {
		f, _ := ParseFault(text) // a test reads all of them
		list = append(list, f)
	}
	return list
}

// faults decides which fault the next valid request meets.
type faults struct {
	mu     sync.Mutex
	script map[Message][]Fault // those of any message under the zero Message

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
func (s *Server) Next(list ...Fault) { s.NextFor("", "", list...) }

// NextFor scripts the next faults of one message. They come before those of [Server.Next].
func (s *Server) NextFor(userID, messageID string, list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	m := Message{userID, messageID}
	s.faults.script[m] = append(s.faults.script[m], list...)
}

// pending returns how many scripted faults no request has consumed.
func (f *faults) pending() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, list := range f.script {
		n += len(list)
	}
	return n
}

// texts lists the scripted faults of one message, or those of any for a zero message.
func (f *faults) texts(m Message) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	texts := []string{}
	for _, fault := range f.script[m] {
		texts = append(texts, fault.String())
	}
	return texts
}

// forget drops the scripted faults of one message, or all for a zero message.
func (f *faults) forget(m Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.script, m); m == (Message{}) {
		clear(f.script)
	}
}

func (f *faults) next(userID, messageID string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range []Message{{userID, messageID}, {}} {
		if list := f.script[m]; len(list) > 0 {
			f.script[m] = list[1:]
			if len(list) == 1 {
				delete(f.script, m)
			}
			return list[0]
		}
	}
	if len(f.drawn) == 0 {
		return Fault{}
	}
	m := Message{strings.Clone(userID), strings.Clone(messageID)} // which keeps nothing of a request
	f.count[m]++
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, m.UserID, "/", m.MessageID, "/", f.count[m]) // a hash takes everything
	random := rand.New(rand.NewPCG(f.seed, hash.Sum64()))
	if random.Float64() >= f.rate {
		return Fault{}
	}
	return f.drawn[random.IntN(len(f.drawn))]
}
