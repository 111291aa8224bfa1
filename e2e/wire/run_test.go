package wire

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/transport"
)

// wire is a transport of a client's, and the server for it.
type wire struct {
	name      string
	base      string
	faults    []faultKind
	serve     func(*service) func(*conn)
	transport func(*network) closer
}

type closer interface {
	http.RoundTripper
	CloseIdleConnections()
}

func wires() []wire {
	http1 := func(s *service) func(*conn) { return s.serveHTTP1 }
	http1Faults := []faultKind{
		closed, reset, stalled, garbage, halfHeader, cutBody, interim, staleAfter, staleUnnoticed, surplus, longLength, badChunk,
	}
	overHTTP1 := func(n *network) closer { return &http.Transport{DialContext: n.dial} }
	return []wire{
		{"own", "http://127.0.0.1", http1Faults, http1, func(n *network) closer { return transport.New(n.dial) }},
		{"HTTP1", "http://127.0.0.1", http1Faults, http1, overHTTP1},
		{"HTTP2", "https://127.0.0.1", []faultKind{
			closed, reset, stalled, garbage, cutBody, interim, staleAfter, resetEarly, resetBehind, resetInside,
			goAway, goAwayClosed, goAwayAnswered,
		}, func(s *service) func(*conn) { return s.serveHTTP2 }, overHTTP2},
	}
}

// overHTTP2 is a caller's transport, for the client's own speaks HTTP/1.1 only.
func overHTTP2(n *network) closer {
	_, roots := identity()
	return &http.Transport{
		DialContext: n.dial, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
}

// connect starts a server, and returns a client of it and what ends both.
func (w wire) connect(t *testing.T, s *service, opts ...api.Option) (client *api.Client, end func()) {
	t.Helper()
	n := newNetwork(w.serve(s))
	std := w.transport(n)
	client, err := api.New(key, append([]api.Option{
		api.WithBaseURL(w.base), api.WithTimeout(attemptTimeout), api.WithHTTPClient(&http.Client{Transport: std}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client, func() {
		std.CloseIdleConnections()
		n.close()
	}
}

// TestScenarios runs scenarios over each transport: one for each kind of outcome and each fault,
// and random ones.
func TestScenarios(t *testing.T) {
	t.Parallel()
	total, seed := scenarios(t)
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			seen := counts{}
			w.run(t, seed, total, func(n uint64, m *message) { m.check(t, n, seen) })
			t.Logf("UNSEND_SEED=%d: %d scenarios in %v", seed, total, time.Since(started).Round(time.Second))
			seen.report(t, w.faults)
		})
	}
}

// TestSeedRepeats runs the scenarios of one seed twice, with the same outcomes.
func TestSeedRepeats(t *testing.T) {
	t.Parallel()
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			var runs [2][]string
			for i := range runs {
				w.run(t, 7, 400, func(_ uint64, m *message) { runs[i] = append(runs[i], m.String()) })
			}
			for n, first := range runs[0] {
				if second := runs[1][n]; first != second {
					t.Errorf("call %d of a seed:\n %s, then\n %s", n, first, second)
				}
			}
		})
	}
}

// run makes the calls of a seed one after another. Few share a client, and so the connection that the
// last call left behind. The callback gets each message when all is at rest.
func (w wire) run(t *testing.T, seed, total uint64, done func(n uint64, m *message)) {
	t.Helper()
	const sharing = 8
	for first := uint64(0); first < total && !t.Failed(); first += sharing {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			client, end := w.connect(t, s, api.WithRateLimit(60_000, 100))
			for n := first; n < min(first+sharing, total); n++ {
				sc := draw(seed, n, w)
				m := s.add(sc)
				sc.run(t.Context(), client)
				pause(time.Millisecond) // until the server is at rest too
				synctest.Wait()
				done(n, m)
			}
			end()
		})
	}
}

// scenarios returns how many to run, and their seed: a few of one seed, or UNSEND_SCENARIOS of a new
// one. UNSEND_SEED is the seed of a run to repeat.
func scenarios(t *testing.T) (total, seed uint64) {
	t.Helper()
	total, seed = 1200, 1
	if fromEnv(t, "UNSEND_SCENARIOS", &total) {
		seed = rand.Uint64()
	}
	fromEnv(t, "UNSEND_SEED", &seed)
	return total, seed
}

func fromEnv(t *testing.T, name string, number *uint64) (found bool) {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return false
	}
	if _, err := fmt.Sscan(text, number); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return true
}
