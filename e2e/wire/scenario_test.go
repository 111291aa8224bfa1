package wire

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// scenario is one call, and what happens to it.
type scenario struct {
	message     string
	connection  string
	retries     int
	maybeBefore bool   // the caller says that an earlier call may have unsent the message
	gone        bool   // and it is gone
	steps       []step // what the server does with each request that arrives; then all is well
	removedAt   int    // another device takes the message away before this request; -1 for never
	refusals    int    // dials that fail
	cancelAt    time.Duration
	deadline    time.Duration // 0 for none, as above and below
	stopAt      time.Duration
}

// step is what a server does with one request.
type step struct {
	fault  networkFault
	act    bool // whatever it says; where status is 0, it acts, and says what it did
	status int
	header string
	body   string
	last   bool // success is the last member
}

// networkFault is how an answer comes to the client, or does not.
type networkFault struct {
	kind faultKind
	cut  int    // bytes of the body that come through
	code uint32 // of an HTTP/2 reset or GOAWAY
	last int    // how far the GOAWAY's LastStreamID is from the request's stream
}

type faultKind string

const (
	noFault        faultKind = ""
	closed         faultKind = "closed"              // without an answer
	reset          faultKind = "reset"               // TCP's, or the stream's
	stalled        faultKind = "stalled"             // no answer ever comes
	garbage        faultKind = "garbage"             // in the place of an answer
	halfHeader     faultKind = "half a header"       // and closed
	cutBody        faultKind = "body cut"            // and closed, or the stream reset
	interim        faultKind = "interim answers"     // before the answer, which is well
	staleAfter     faultKind = "closed behind"       // the answer is well; the kept connection is closed
	surplus        faultKind = "surplus answer"      // behind a good one, on a connection that is not kept
	longLength     faultKind = "length too long"     // and closed
	badChunk       faultKind = "bad chunk"           // behind the body
	resetEarly     faultKind = "reset at the header" // before the request is complete
	resetBehind    faultKind = "reset behind"        // the whole answer
	resetInside    faultKind = "reset inside"        // the answer's body, behind its header
	goAway         faultKind = "GOAWAY"              // without an answer; the connection stays open
	goAwayClosed   faultKind = "GOAWAY, closed"      // the connection too
	goAwayAnswered faultKind = "GOAWAY, answered"    // the stream is served all the same
)

// whole reports whether the answer comes to the client for certain.
func (f networkFault) whole() bool {
	return slices.Contains([]faultKind{noFault, interim, staleAfter, surplus}, f.kind)
}

// kinds of faults that a protocol has.
func http1Faults() []faultKind {
	return []faultKind{closed, reset, stalled, garbage, halfHeader, cutBody, interim, staleAfter, surplus, longLength, badChunk}
}

func http2Faults() []faultKind {
	return []faultKind{closed, reset, stalled, garbage, cutBody, interim, staleAfter, resetEarly, resetBehind, resetInside, goAway, goAwayClosed, goAwayAnswered}
}

// ownConnection begins the name of a connection on which an answer can ask to wait: no other
// scenario waits with it.
const ownConnection = "conn_own_"

// draw makes scenario n of a seed: the same whatever runs beside it.
func draw(seed, n uint64, faults []faultKind) *scenario {
	r := rand.New(rand.NewPCG(seed, n))
	sc := &scenario{
		message: fmt.Sprint(6_432_457_811_894 + n), connection: fmt.Sprint("conn_", r.IntN(64)),
		retries: r.IntN(4), gone: r.IntN(10) == 0, removedAt: -1,
	}
	if r.IntN(8) == 0 {
		sc.maybeBefore, sc.gone = true, r.IntN(2) == 0
	}
	if r.IntN(20) == 0 {
		sc.connection = fmt.Sprint(ownConnection, n)
	}
	for range r.IntN(5) {
		st := drawStep(r, faults)
		if (st.status == 429 || st.status == 503) && strings.HasPrefix(sc.connection, ownConnection) {
			st.header = pick(r, []string{"", "Retry-After: 0\r\n", "Retry-After: 0.4\r\n", "Retry-After: soon\r\n", "Retry-After: 3600\r\n"})
		}
		sc.steps = append(sc.steps, st)
	}
	if r.IntN(12) == 0 {
		sc.refusals = 1 + r.IntN(2)
	}
	soon := func() time.Duration { return time.Duration(1 + r.Int64N(int64(40*time.Millisecond))) }
	switch r.IntN(12) {
	case 0:
		sc.cancelAt = soon()
	case 1:
		sc.deadline = 10 * soon()
	case 2:
		sc.stopAt = soon()
	case 3:
		sc.removedAt = r.IntN(3)
	}
	return sc
}

func drawStep(r *rand.Rand, faults []faultKind) step {
	st := step{last: r.IntN(3) == 0}
	if r.IntN(3) > 0 {
		st.fault = networkFault{kind: pick(r, faults), cut: r.IntN(80), code: pick(r, []uint32{0, 1, 2, 7, 8, 11, 13, 99}), last: pick(r, []int{-3, -2, 0, 2, 1 << 20})}
	}
	if !st.fault.whole() && r.IntN(2) == 0 { // what is not heard may be anything
		st.status, st.act, st.body = 500, r.IntN(2) == 0, `{"error":"not heard"}`
		return st
	}
	switch r.IntN(8) {
	case 0: // says for certain that it was not done
		st.status = pick(r, []int{400, 401, 402, 403, 404, 409, 418, 422, 425, 429, 302, 304})
		st.body = pick(r, []string{`{"error":"No","type":"NO"}`, `{"error":"No","type":"SESSION_EXPIRED"}`, `<html>`, ``})
	case 1:
		st.status, st.body = 401, `{"error":"No","type":"RULES_OUTDATED"}`
	case 2:
		st.status, st.body = 200, `{"success":false}`
	case 3, 4: // leaves it open
		st.status, st.act = pick(r, []int{408, 500, 501, 502, 503, 504, 505, 599, 303}), r.IntN(2) == 0
		st.body = pick(r, []string{`{"error":"No","type":"NO"}`, `<html>`, `{"success":true}`, ``})
	case 5:
		st.status, st.act = pick(r, []int{200, 201, 202, 204, 206}), r.IntN(2) == 0
		st.body = pick(r, []string{``, `null`, `<html>`, `{}`, `{"success":"true"}`, `{"success":1,"success":true}`})
	case 6:
		st.status, st.act, st.body = pick(r, []int{99, 600, 999}), r.IntN(2) == 0, `{"success":true}`
	}
	if st.status == 204 || st.status == 304 {
		st.body = ""
	}
	return st
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// seed is a new one for each run, unless UNSEND_SEED has that of a run to repeat.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := rand.Uint64()
	if text := os.Getenv("UNSEND_SEED"); text != "" {
		s = number(t, "UNSEND_SEED", text)
	}
	t.Logf("UNSEND_SEED=%d", s)
	return s
}

// scenarios is how many to run: a few, unless UNSEND_SCENARIOS asks for more.
func scenarios(t *testing.T, few int) int {
	t.Helper()
	if text := os.Getenv("UNSEND_SCENARIOS"); text != "" {
		return int(number(t, "UNSEND_SCENARIOS", text)) //nolint:gosec // few enough to count
	}
	return few
}

func number(t *testing.T, name, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// scenarioKey finds the scenario of a dial.
type scenarioKey struct{}

// attemptTimeout ends what stalls.
const attemptTimeout = time.Second

// call is what came of a scenario.
type call struct {
	result *api.Result
	err    error
	took   time.Duration
}

// run makes the call.
func (sc *scenario) run(ctx context.Context, client *api.Client) call {
	ctx = context.WithValue(ctx, scenarioKey{}, sc)
	opts := []api.CallOption{api.WithRetries(sc.retries), api.WithConnection(sc.connection)}
	if sc.maybeBefore {
		opts = append(opts, api.WithMaybeUnsent())
	}
	if sc.cancelAt > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer time.AfterFunc(sc.cancelAt, cancel).Stop()
		defer cancel()
	}
	if sc.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sc.deadline)
		defer cancel()
	}
	if sc.stopAt > 0 {
		stop := make(chan struct{})
		timer := time.AfterFunc(sc.stopAt, func() { close(stop) })
		defer timer.Stop()
		opts = append(opts, api.WithStop(stop))
	}
	started := time.Now()
	result, err := client.Unsend(ctx, userID, sc.message, opts...)
	return call{result, err, time.Since(started)}
}

// runAll runs scenarios in rounds, each with a server of its own, which start makes, and clients
// of it. Few share a client, whose connection over HTTP/2 is one: what breaks it ends them all.
// settle waits until the server has ended what it was asked.
func runAll(t *testing.T, total int, faults []faultKind, start func(t *testing.T, s *service) (newClient func() *api.Client, settle func())) {
	t.Helper()
	const round, together, sharing = 2000, 240, 3
	seed, seen := seed(t), counts{}
	started := time.Now()
	for first := 0; first < total && !t.Failed(); first += round {
		service := newService()
		newClient, settle := start(t, service)
		size := min(round, total-first)
		all, messages, calls := make([]*scenario, size), make([]*message, size), make([]call, size)
		clients := make(chan *api.Client, together)
		for range together / sharing {
			client := newClient()
			for range sharing {
				clients <- client
			}
		}
		var running sync.WaitGroup
		for i := range all {
			all[i] = draw(seed, uint64(first+i), faults)
			messages[i] = service.add(all[i])
			client := <-clients
			running.Go(func() {
				calls[i] = all[i].run(t.Context(), client)
				clients <- client
			})
		}
		running.Wait()
		settle()
		for i, sc := range all {
			sc.check(t, uint64(first+i), messages[i], calls[i], seen)
		}
	}
	t.Logf("%d scenarios in %v", total, time.Since(started).Round(time.Second))
	seen.report(t, total)
}
