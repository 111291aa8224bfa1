package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestResets has a server of HTTP/2 that carries a request out, or does not, and then resets the
// stream or sends GOAWAY, with every code there is, whether that is true or a lie. A call without
// retries must send one request, and must report that the message may have been unsent.
func TestResets(t *testing.T) {
	for _, kind := range []faultKind{reset, resetEarly, resetInside, resetBehind, goAway, goAwayClosed, goAwayAnswered} {
		t.Run(string(kind), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testResets(t, kind) }) })
	}
}

func testResets(t *testing.T, kind faultKind) {
	t.Helper()
	lasts := []int{0}
	if strings.HasPrefix(string(kind), "GOAWAY") {
		lasts = []int{-1 << 20, -2, 0, 1 << 20}
	}
	if kind == goAway {
		lasts = lasts[:2] // with the others the stream is promised a response: it stalls
	}
	s := newService()
	client, end := overHTTP2().connect(t, s, api.WithoutRateLimit(), api.WithTimeout(time.Minute)) // nothing stalls
	defer end()
	number := 0
	for _, code := range append(codes(), 99, 1<<32-1) {
		for _, last := range lasts {
			for _, act := range []bool{true, false} {
				for _, kept := range []bool{false, true} {
					if kept { // a call before on the same connection, or on a new one behind a GOAWAY
						s.play(t.Context(), &scenario{message: "first", connection: "conn_0", removedAt: -1, retries: 3}, client)
					}
					number++
					st := step{fault: networkFault{kind: kind, code: code, last: last, cut: 5}}
					if !act {
						st.status, st.body = 503, `{"error":"No"}`
					}
					sc := &scenario{message: fmt.Sprint(number), connection: "conn_0", removedAt: -1, gone: !act, steps: []step{st}}
					m := s.play(t.Context(), sc, client)[0]
					m.checkReset(t, fmt.Sprintf("code %d, last %d, acted %v, kept %v", code, last, act, kept))
				}
			}
		}
	}
}

// checkReset wants one request, and an outcome that leaves open what cannot be known.
func (m *message) checkReset(t *testing.T, name string) {
	t.Helper()
	if m.requests != 1 {
		t.Errorf("%s: %d requests arrived of one attempt", name, m.requests)
	}
	c := m.scenario.call
	if c.err == nil {
		if c.result.Outcome != api.Unsent || m.acted != 1 {
			t.Errorf("%s: %+v", name, c.result)
		}
		return
	}
	e, ok := errors.AsType[*api.Error](c.err)
	if !ok {
		t.Fatalf("%s: an error of another type: %v", name, c.err)
	}
	if !e.MaybeUnsent || !e.Retryable() || e.Attempts != 1 || e.Scope != api.ScopeService {
		t.Errorf("%s: want a retryable error of the service, maybe unsent; got %+v", name, e)
	}
	if strings.Contains(e.Error(), "debug data") {
		t.Errorf("%s: the error quotes the server's debug data: %v", name, e)
	}
}

// codes are those that HTTP/2 defines.
func codes() (list []uint32) {
	for code := range uint32(14) {
		list = append(list, code)
	}
	return list
}
