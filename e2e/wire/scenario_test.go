package wire

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/unsend-go/unsend/api"
)

// scenario is one call, and what happens to it.
type scenario struct {
	message     string
	connection  string
	retries     int
	maybeBefore bool   // the caller passes WithMaybeUnsent
	gone        bool   // the message is gone before the call
	steps       []step // what the server does with each request that arrives; then all is well
	removedAt   int    // another device removes the message before this request; -1 for never
	refusals    int    // dials that fail
	ending      ending

	call    call
	endCall func() // carries out the ending; set when the call begins
}

// step is what a server does with one request.
type step struct {
	fault  networkFault
	act    bool // whatever the response; with status 0 the server acts, and reports what it did
	status int
	header string
	body   string
	last   bool // success is the last member
}

// ending is how a caller ends a call early. It is bound to a request, and not to a time, for the
// time between attempts is drawn by the client.
type ending struct {
	by       endedBy
	request  int  // that has arrived
	answered bool // and has its response already
}

type endedBy string

const (
	notEnded   endedBy = ""
	canceled   endedBy = "canceled"
	atDeadline endedBy = "deadline"        // which passes before the first request's response
	patient    endedBy = "a late deadline" // which does not pass, but Retry-After: 3600 would
	stopped    endedBy = "stopped"
)

// soon is the time to a deadline that passes: less than any wait between attempts.
const soon = time.Microsecond

// before reports whether the call ends before the response of request n.
func (e ending) before(n int) bool {
	return (e.by == canceled || e.by == atDeadline) && e.request == n && !e.answered
}

// networkFault is how a response comes to the client, or does not.
type networkFault struct {
	kind faultKind
	cut  int    // bytes of the body that come through
	code uint32 // of an HTTP/2 reset or GOAWAY
	last int    // how far the GOAWAY's LastStreamID is from the request's stream
}

type faultKind string

const (
	noFault        faultKind = ""
	closed         faultKind = "closed"              // without a response
	reset          faultKind = "reset"               // TCP's, or the stream's
	stalled        faultKind = "stalled"             // no response ever comes
	garbage        faultKind = "garbage"             // in the place of a response
	halfHeader     faultKind = "half a header"       // and closed
	cutBody        faultKind = "body cut"            // and closed
	interim        faultKind = "interim responses"   // before the response, which is well
	staleAfter     faultKind = "closed behind"       // the response is well; the kept connection is closed
	staleUnnoticed faultKind = "dead behind"         // the same, which only the next write notices
	surplus        faultKind = "surplus response"    // behind a good one, on a connection that is not kept
	longLength     faultKind = "length too long"     // and closed
	badChunk       faultKind = "bad chunk"           // behind the body
	resetEarly     faultKind = "reset at the header" // before the request is complete
	resetBehind    faultKind = "reset behind"        // the whole response
	resetInside    faultKind = "reset inside"        // the response's body, behind its header
	goAway         faultKind = "GOAWAY"              // without a response; the connection stays open
	goAwayClosed   faultKind = "GOAWAY, closed"      // the connection too
	goAwayAnswered faultKind = "GOAWAY, answered"    // the stream is served all the same
	attemptTimeout           = time.Second           // ends what stalls
)

// whole reports whether the response comes to the client for certain.
func (f networkFault) whole() bool {
	return slices.Contains([]faultKind{noFault, interim, staleAfter, staleUnnoticed, surplus}, f.kind)
}

// call is the outcome of a scenario.
type call struct {
	result   *api.Result
	err      error
	ended    time.Time // by the caller
	returned time.Time
}

// run makes the call.
func (sc *scenario) run(ctx context.Context, client *api.Client) {
	ctx = context.WithValue(ctx, scenarioKey{}, sc)
	opts := []api.CallOption{api.WithRetries(sc.retries), api.WithConnection(sc.connection)}
	if sc.maybeBefore {
		opts = append(opts, api.WithMaybeUnsent())
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	switch sc.ending.by {
	case atDeadline:
		late, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		ctx, end = late, func() { <-late.Done() }
	case patient:
		late, cancel := context.WithTimeout(ctx, 10*time.Minute)
		defer cancel()
		ctx = late
	case stopped:
		stop := make(chan struct{})
		end = func() { close(stop) }
		opts = append(opts, api.WithStop(stop))
	case canceled, notEnded:
	}
	sc.endCall = sync.OnceFunc(func() {
		if sc.ending.by != patient {
			end()
			sc.call.ended = time.Now()
		}
	})
	sc.call.result, sc.call.err = client.Unsend(ctx, userID, sc.message, opts...)
	sc.call.returned = time.Now()
}

// planted are the scenarios that must occur: one for each kind that check reports, in its order,
// then one for each fault.
func planted(faults []faultKind) []*scenario {
	refusal, lost := step{status: 500, body: `{"error":"No"}`}, step{fault: networkFault{kind: closed}}
	list := []*scenario{
		{removedAt: -1},
		{removedAt: -1, retries: 1, steps: []step{lost}},
		{removedAt: -1, gone: true, maybeBefore: true},
		{removedAt: 1, retries: 1, steps: []step{refusal}},
		{removedAt: -1, steps: []step{lost}},
		{removedAt: -1, steps: []step{refusal}},
		{removedAt: -1, gone: true, steps: []step{refusal}},
		{removedAt: 0, steps: []step{refusal}},
		{removedAt: -1, steps: []step{{status: 400, body: `{"error":"No","type":"BAD_REQUEST"}`}}},
		{removedAt: -1, gone: true},
		{removedAt: 0},
	}
	for _, kind := range faults {
		list = append(list, &scenario{removedAt: -1, retries: 2, steps: []step{{fault: networkFault{kind: kind, cut: 5, code: 7}}}})
	}
	return list
}

// draw makes scenario n of a seed, whatever runs beside it: the planted ones first.
func draw(seed, n uint64, w wire) *scenario {
	r := rand.New(rand.NewPCG(seed, n))
	sc := drawAny(r, w.faults)
	if list := planted(w.faults); n < uint64(len(list)) {
		sc = list[n]
	}
	sc.message = fmt.Sprint(6_432_457_811_894 + n)
	if sc.connection == "" {
		sc.connection = "conn_0"
	}
	return sc
}

func drawAny(r *rand.Rand, faults []faultKind) *scenario {
	sc := &scenario{connection: fmt.Sprint("conn_", r.IntN(3)), retries: r.IntN(4), gone: r.IntN(10) == 0, removedAt: -1}
	if r.IntN(8) == 0 {
		sc.maybeBefore, sc.gone = true, r.IntN(2) == 0
	}
	for range r.IntN(5) {
		sc.steps = append(sc.steps, drawStep(r, faults))
	}
	if r.IntN(12) == 0 {
		sc.refusals = 1 + r.IntN(2)
	}
	switch r.IntN(12) {
	case 0:
		sc.ending = ending{canceled, r.IntN(3), r.IntN(2) == 0}
	case 1:
		sc.ending, sc.refusals = ending{by: atDeadline}, 0
	case 2:
		sc.ending = ending{by: patient}
	case 3:
		sc.ending = ending{stopped, r.IntN(3), r.IntN(2) == 0}
	case 4:
		sc.removedAt = r.IntN(3)
	}
	return sc
}

func drawStep(r *rand.Rand, faults []faultKind) step {
	st := step{last: r.IntN(3) == 0}
	if r.IntN(3) > 0 {
		st.fault = networkFault{
			kind: pick(r, faults), cut: r.IntN(80), code: pick(r, []uint32{r.Uint32N(14), 7, 8, 99}), last: pick(r, []int{-3, -2, 0, 2, 1 << 20}),
		}
	}
	if !st.fault.whole() && r.IntN(2) == 0 { // a response that is lost may be anything
		st.status, st.act, st.body = 500, r.IntN(2) == 0, `{"error":"lost"}`
		return st
	}
	switch r.IntN(8) {
	case 0: // certainly not done
		st.status = pick(r, []int{400, 401, 402, 403, 404, 409, 410, 418, 422, 423, 425, 429, 302, 304})
		st.body = pick(r, []string{`{"error":"No","type":"NO"}`, `{"error":"No","type":"SESSION_EXPIRED"}`, `<html>`, ``})
	case 1:
		st.status, st.body = 401, `{"error":"No","type":"RULES_OUTDATED"}`
	case 2:
		st.status, st.body = 200, `{"success":false}`
	case 3, 4: // ambiguous
		st.status, st.act = pick(r, []int{408, 500, 501, 502, 503, 504, 505, 599, 303}), r.IntN(2) == 0
		st.body = pick(r, []string{`{"error":"No","type":"NO"}`, `<html>`, `{"success":true}`, ``})
	case 5:
		st.status, st.act = pick(r, []int{200, 201, 202, 204, 206}), r.IntN(2) == 0
		st.body = pick(r, []string{``, `null`, `<html>`, `{}`, `{"success":"true"}`, `{"success":1,"success":true}`})
	case 6:
		st.status, st.act, st.body = pick(r, []int{99, 600, 999}), r.IntN(2) == 0, `{"success":true}`
	}
	if st.status == 429 || st.status == 503 {
		st.header = pick(r, []string{
			"", "Retry-After: 0\r\n", "Retry-After: 0.4\r\n", "Retry-After: soon\r\n", "Retry-After: 3600\r\n",
			"Retry-After: 99999999999999999999\r\n",
		})
	}
	if st.status == 204 || st.status == 304 {
		st.body = ""
	}
	return st
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
