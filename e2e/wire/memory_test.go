package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// memoryScenario is a scenario on virtual time: the mock misbehaves, and so does a transport of
// the caller's before it.
type memoryScenario struct {
	scenario
	served  []mock.Fault   // by the mock, one for each request that reaches it
	network []networkFault // on the way, one for each attempt

	seen  message   // as the transport saw it
	begun time.Time // the last attempt
}

const refused faultKind = "refused" // no connection is to be had

func drawMemory(seed, n uint64, faults []mock.Fault) *memoryScenario {
	r := rand.New(rand.NewPCG(seed, n))
	sc := &memoryScenario{scenario: scenario{message: fmt.Sprint(6_432_457_811_894 + n), connection: mock.DemoConnection, retries: r.IntN(5), gone: r.IntN(10) == 0, removedAt: -1}}
	sc.maybeBefore = r.IntN(10) == 0
	for range r.IntN(6) {
		sc.served = append(sc.served, drawMockFault(r, faults))
	}
	for range r.IntN(4) {
		f := networkFault{}
		if r.IntN(2) == 0 {
			f = networkFault{kind: pick(r, []faultKind{refused, closed, stalled, cutBody}), cut: r.IntN(90)}
		}
		sc.network = append(sc.network, f)
	}
	soon := func() time.Duration { return 1 + time.Duration(r.Int64N(int64(5*time.Second))) }
	switch r.IntN(10) {
	case 0:
		sc.cancelAt = soon()
	case 1:
		sc.deadline = soon()
	case 2:
		sc.removedAt = r.IntN(3)
	case 3:
		sc.stopAt = soon()
	}
	return sc
}

func drawMockFault(r *rand.Rand, faults []mock.Fault) mock.Fault {
	switch r.IntN(20) {
	case 0, 1, 2:
		return mock.Fault{} // none
	case 3, 4:
		whole := pick(r, []string{
			`{"success":true,"queue":{"id":6432457811894,"text":"<p>success</p>"}}`, `{"queue":{"id":1,"success":false},"success":true}`,
			"{\n  \"succ\\u0065ss\" : true }", `{"success":false,"queue":null}`, `{"successful":true,"success":true}`, `{"a":[{"success":true}],"b":"\"success\":true"}`,
		})
		kind := pick(r, []mock.Kind{"", mock.Truncated, mock.TruncatedLate, mock.Slow, mock.Mislabeled})
		return mock.Fault{Kind: kind, Body: whole[:r.IntN(len(whole)+1)], Acted: r.IntN(2) == 0}
	case 5:
		return mock.Fault{Status: 200 + r.IntN(400), Acted: r.IntN(2) == 0}
	case 6:
		return pick(r, []mock.Fault{
			{Status: 404, Type: "RESOURCE_NOT_FOUND"},
			{Status: 404, Body: `{"error":"e","code":"RESOURCE_NOT_FOUND"}`}, {Status: 404, Body: `{"message":"e","code":"RESOURCE_NOT_FOUND"}`},
		})
	}
	return pick(r, faults)
}

// faultyTransport is the way between client and mock.
type faultyTransport struct {
	server *mock.Server
	next   http.RoundTripper
}

// memoryKey finds the scenario of a request.
type memoryKey struct{}

func (f faultyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	sc, ok := req.Context().Value(memoryKey{}).(*memoryScenario)
	if !ok {
		return nil, errors.New("a request of no scenario")
	}
	n := sc.seen.requests
	sc.seen.requests++
	sc.begun = time.Now()
	var fault networkFault
	if n < len(sc.network) {
		fault = sc.network[n]
	}
	if n == sc.removedAt {
		sc.seen.removed = f.server.Exists(userID, sc.message)
		f.server.Remove(userID, sc.message)
	}
	if fault.kind == refused {
		sc.seen.certain++
		_ = req.Body.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	resp, err := f.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch fault.kind {
	case closed:
		_ = resp.Body.Close()
		return nil, io.EOF
	case stalled:
		_ = resp.Body.Close()
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	case cutBody:
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, int64(fault.cut)), iotest.ErrReader(io.ErrUnexpectedEOF)), resp.Body}
	default:
	}
	if resp.StatusCode/100 != 2 && !ambiguous(resp.StatusCode, "") {
		sc.seen.certain++ // of a 2xx, it depends on what can be read
	}
	return resp, nil
}

// TestScenariosInMemory runs scenarios on virtual time against the mock, paced by both.
func TestScenariosInMemory(t *testing.T) {
	const together = 50
	total := scenarios(t, 4000)
	seed, seen := seed(t), counts{}
	faults := mock.DefaultFaults()
	started := time.Now()
	for first := 0; first < total && !t.Failed(); first += together {
		n := uint64(first) //nolint:gosec // counts up from 0
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1<<63+n))
			all := make([]*memoryScenario, min(together, total-first))
			for i := range all {
				all[i] = drawMemory(seed, n+uint64(i), faults)
			}
			runInMemory(t, r, n, all, seen)
		})
	}
	t.Logf("%d scenarios in %v", total, time.Since(started).Round(time.Second))
	seen.report(t, total)
}

// runInMemory makes calls that share a client and its pace.
func runInMemory(t *testing.T, r *rand.Rand, first uint64, all []*memoryScenario, seen counts) {
	t.Helper()
	server := mock.New(mock.WithRateLimit(60+r.IntN(6000), 1+r.IntN(90)))
	client, err := api.New(mock.DemoKey, api.WithTimeout(time.Duration(1+r.IntN(10))*time.Second), api.WithRateLimit(60+r.IntN(6000), 1+r.IntN(90)),
		api.WithHTTPClient(&http.Client{Transport: faultyTransport{server, server.Client().Transport}}))
	if err != nil {
		t.Fatal(err)
	}
	calls := make([]call, len(all))
	var running sync.WaitGroup
	for i, sc := range all {
		server.NextFor(userID, sc.message, sc.served...)
		if sc.gone {
			server.Remove(userID, sc.message)
		}
		running.Go(func() {
			started := time.Now()
			calls[i] = sc.run(context.WithValue(t.Context(), memoryKey{}, sc), client)
			for name, end := range map[string]time.Duration{"cancelled": sc.cancelAt, "at its deadline": sc.deadline} {
				if end > 0 && calls[i].took > end {
					t.Errorf("%s took %v, %s after %v", sc.message, calls[i].took, name, end)
				}
			}
			if sc.stopAt > 0 && sc.begun.Sub(started) > sc.stopAt {
				t.Errorf("%s began an attempt after %v, and was stopped after %v", sc.message, sc.begun.Sub(started), sc.stopAt)
			}
		})
	}
	running.Wait()
	synctest.Wait() // until the service has ended what it was asked
	for i, sc := range all {
		m := &sc.seen
		m.scenario, m.exists, m.acted, m.exact = &sc.scenario, server.Exists(userID, sc.message), server.UnsentCount(userID, sc.message), true
		if e, ok := errors.AsType[*api.Error](calls[i].err); ok && errors.Is(e, api.ErrRefused) {
			m.certain++
		}
		sc.check(t, first+uint64(i), m, calls[i], seen)
		for j := range min(m.requests, len(sc.network)) {
			if kind := sc.network[j].kind; kind != noFault {
				seen["fault: "+string(kind)]++
			}
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
