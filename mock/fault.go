package mock

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is a departure from the plain answer: a status, what happens to the body, a delay, and
// whether the message is unsent all the same. The zero Fault is the plain answer.
//
// The next valid request consumes a scripted fault. Requests rejected for credentials, rate
// limit or body do not.
//
// Faults never lie. Where the answer means that the message was not unsent (a 4xx but 408, a
// 3xx but 303, "success":false), it is not, whatever Acted says; where it says "success":true,
// the message is unsent by this request, or else the answer is 404 RESOURCE_NOT_FOUND in the
// fault's place, because it was gone before.
type Fault struct {
	Kind   Kind // what happens to the connection or the body; empty for nothing
	Status int  // 200 to 599; 0 is 200

	// Of an error, a Status of 300 or more.
	Type       string        // the error type; by default that of the status in openapi.yaml. RESOURCE_NOT_FOUND is said only of a message that is gone, ROUTE_NOT_FOUND in its place
	Shape      Shape         // the error's members; by default those of the status in openapi.yaml
	RetryAfter string        // the header as it is sent, absurd values too; empty for none
	RetryDate  time.Duration // the header as an HTTP date that far from now; used where RetryAfter is empty, 0 for none
	Location   string        // the header of a 3xx; "/moved" by default

	// Body is sent in place of the plain body, whole or by a Truncated, TruncatedLate, Slow or
	// Mislabeled fault. Its "success" decides whether the message is unsent.
	Body        string
	ContentType string // sent in place of application/json

	// Delay holds the request before the message is unsent, or after it where Acted is true.
	// A client that leaves before that has not been acted for. Of a Slow fault it is the pause
	// before each byte of the body, 1 ms by default.
	Delay time.Duration

	// Acted unsends the message before anything else happens, where the answer leaves open
	// whether it was unsent: a 5xx, 408 or 303, a dropped connection, a 2xx without a readable
	// "success".
	Acted bool
}

// Shape is the form of an error's body.
type Shape string

// Shapes of errors that were documented or that the vendor's SDKs read.
const (
	ShapeCurrent Shape = ""        // as openapi.yaml shows it: error, type, requestId, actionRequired for most
	ShapeEarlier Shape = "earlier" // error, code, details
	ShapeSDK     Shape = "sdk"     // message, code, details: outside the contract
)

// outcome is what an answer means for the message.
type outcome int

const (
	ambiguous outcome = iota // the answer does not tell
	unsent
	notUnsent
)

// impliedOutcome is what the fault's answer means for a message that was there.
func (f Fault) impliedOutcome() outcome {
	status := f.status()
	switch {
	case f.Kind == Drop, f.invalid() != "":
		return ambiguous
	case status/100 == 2 && bodiless(status):
		return ambiguous
	case status/100 == 2 && f.sendsBody():
		return outcomeOf(f.Body)
	case status/100 == 2:
		return f.Kind.row().means
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusSeeOther:
		return ambiguous
	}
	return notUnsent
}

// outcomeOf reads "success" from a body as far as any reader could: the body may break off.
// Two values that differ tell nothing.
func outcomeOf(body string) outcome {
	dec := json.NewDecoder(strings.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return ambiguous
	}
	said := ambiguous
	for {
		name, err := dec.Token()
		if err != nil || name == json.Delim('}') {
			return said
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return said
		}
		if name != "success" {
			continue
		}
		now := map[string]outcome{"true": unsent, "false": notUnsent}[string(value)]
		if said != ambiguous && now != said {
			return ambiguous
		}
		said = now
	}
}

func (f Fault) status() int {
	if f.Status == 0 {
		return http.StatusOK
	}
	return f.Status
}

// sendsBody reports whether Body is what is sent.
func (f Fault) sendsBody() bool { return f.Body != "" && f.Kind.row().sendsBody }

// invalid says why the fault cannot be answered; such a fault is answered 500 with the reason.
func (f Fault) invalid() string {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "fault status must be 200 to 599"
	case !f.Kind.known():
		return "unknown fault " + string(f.Kind)
	case f.Shape != ShapeCurrent && f.Shape != ShapeEarlier && f.Shape != ShapeSDK:
		return "unknown error shape " + string(f.Shape)
	}
	return ""
}

// DefaultFaults lists the faults that are drawn unless others are given: every status that
// the service documents and the ones beside them, every kind but the oversized bodies (which
// cost 9 MiB each), and wherever an answer leaves open whether the message was unsent, both.
func DefaultFaults() []Fault {
	faults := []Fault{
		{Status: 400}, {Status: 401}, {Status: 401, Type: typeSessionExpired}, {Status: 401, Type: typeRulesOutdated},
		{Status: 403}, {Status: 404}, {Status: 404, Type: typeResourceNotFound}, {Status: 409}, {Status: 422, Shape: ShapeEarlier},
		{Status: 429}, {Status: 429, RetryAfter: "1"}, {Status: 429, RetryDate: 2 * time.Second},
		{Status: 429, RetryAfter: "-1"}, {Status: 429, RetryAfter: "soon"}, {Status: 429, RetryDate: -time.Hour},
		{Status: 429, RetryAfter: "99999999999999999999"}, {Status: 429, Shape: ShapeSDK},
		{Status: 301}, {Status: 302}, {Status: 307}, {Status: 308},
		{Status: 303}, {Status: 408}, {Status: 500}, {Status: 501}, {Status: 502}, {Status: 503}, {Status: 504}, {Status: 505},
		{Status: 503, RetryAfter: "1"}, {Status: 502, Kind: HTML}, {Status: 500, Shape: ShapeEarlier}, {Status: 500, Shape: ShapeSDK},
		{Status: 204}, {Delay: 2 * time.Second},
	}
	for _, k := range kinds {
		if k.name != "" && !k.costly {
			faults = append(faults, Fault{Kind: k.name})
		}
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

// faults decides which fault the next valid request meets.
type faults struct {
	mu      sync.Mutex
	script  []Fault
	message map[Message][]Fault
	random  *rand.Rand // nil: none are drawn
	rate    float64
	drawn   []Fault
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
	if s.faults.message == nil {
		s.faults.message = map[Message][]Fault{}
	}
	m := Message{userID, messageID}
	s.faults.message[m] = append(s.faults.message[m], list...)
}

// Pending returns how many scripted faults no request has consumed yet.
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
	if f.random == nil || f.random.Float64() >= f.rate {
		return Fault{}
	}
	return f.drawn[f.random.IntN(len(f.drawn))]
}
