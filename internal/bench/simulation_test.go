package bench

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// TestSimulatedHour runs a batch on virtual time, through an outage of ten minutes in the middle,
// and prints the table of docs/batch/scaling.md. UNSEND_TEST_SOAK=1 makes it an hour of 1,000
// connections; else it is a tenth of that hour, and of the connections a few.
func TestSimulatedHour(t *testing.T) {
	connections, length := 20, 6*time.Minute
	if os.Getenv("UNSEND_TEST_SOAK") != "" {
		connections, length = 1000, time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		service := newSimulation(length)
		client, err := api.New("sk_sandbox_simulation", api.WithHTTPClient(&http.Client{Transport: service}))
		if err != nil {
			t.Fatal(err)
		}
		ledger, err := sqlite.InMemory(batch.ForMock())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ledger.Close() }()
		// What the buckets allow in that time, the outage included: 90 at once, and one a second.
		each := 90 + int(length.Seconds())
		if _, err := ledger.Add(t.Context(), simulatedItems(connections, each)); err != nil {
			t.Fatal(err)
		}
		outcomes := map[batch.Outcome]int{}
		for r, err := range batch.Run(t.Context(), client, ledger, batch.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			outcomes[r.Outcome]++
		}
		took := time.Since(service.start)
		t.Logf("%d connections, %d messages each, in %v: %v\n%s", connections, each, took.Round(time.Second), outcomes, service.table(connections))
		if outcomes[batch.Unsent]+outcomes[batch.AlreadyGone] != connections*each {
			t.Errorf("the run ended with %v; want all %d gone", outcomes, connections*each)
		}
		// During the outage tokens are lost beyond the 90 that a bucket holds; a connection asks
		// again at most 30 seconds after it has ended.
		if most := length + length/6 + time.Minute; took > most {
			t.Errorf("it took %v; want at most %v", took, most)
		}
		var limited, all int
		for _, row := range service.rows {
			limited, all = limited+row.limited, all+row.unsent+row.limited+row.down
		}
		if limited*100 > all {
			t.Errorf("%d of %d answers were 429; want at most 1 %%", limited, all)
		}
	})
}

func simulatedItems(connections, each int) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for m := range each {
			for c := range connections {
				n := m*connections + c
				item := batch.Item{UserID: "51", MessageID: strconv.Itoa(6_432_457_000_000 + n), ConnectionID: "conn_" + strconv.Itoa(c), Line: n + 2}
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// simulation is a service with a bucket of 90 for each connection, 60 a minute, that answers in
// 300 ms, and for a sixth of the time not at all.
type simulation struct {
	length time.Duration
	start  time.Time

	mu      sync.Mutex
	buckets map[string]*simulatedBucket
	rows    [14]struct{ unsent, limited, down int } // of each twelfth of the time
}

type simulatedBucket struct {
	tokens float64
	at     time.Time
}

func newSimulation(length time.Duration) *simulation {
	return &simulation{length: length, start: time.Now(), buckets: map[string]*simulatedBucket{}}
}

var errDown = errors.New("connection reset by peer")

func (s *simulation) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	select {
	case <-time.After(300 * time.Millisecond):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	since := time.Since(s.start)
	row := &s.rows[min(int(since*12/s.length), len(s.rows)-1)]
	if since > s.length/3 && since < s.length/2 {
		row.down++
		return nil, errDown
	}
	id := r.Header.Get("X-Connection-Id")
	b := s.buckets[id]
	if b == nil {
		b = &simulatedBucket{tokens: 90, at: time.Now()}
		s.buckets[id] = b
	}
	b.tokens, b.at = min(90, b.tokens+time.Since(b.at).Seconds()), time.Now()
	header := http.Header{"Content-Type": {"application/json"}, "X-Ratelimit-Limit": {"90"}}
	if b.tokens < 1 {
		row.limited++
		header.Set("Retry-After", "1")
		header.Set("X-RateLimit-Remaining", "0")
		return simulatedAnswer(r, http.StatusTooManyRequests, header, `{"error":"Too many requests","type":"RATE_LIMIT_EXCEEDED","requestId":"req_1"}`), nil
	}
	b.tokens--
	row.unsent++
	header.Set("X-RateLimit-Remaining", strconv.Itoa(int(b.tokens)))
	return simulatedAnswer(r, http.StatusOK, header, `{"success":true,"queue":null}`), nil
}

func simulatedAnswer(r *http.Request, status int, header http.Header, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: r,
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

func (s *simulation) table(connections int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %10s %14s %8s %6s\n", "until", "unsent", "of the buckets", "no answer", "429")
	for n, row := range s.rows {
		if row.unsent+row.down+row.limited == 0 {
			continue
		}
		allowed := float64(connections) * s.length.Seconds() / 12
		fmt.Fprintf(&b, "%8s %10d %13.0f%% %9d %6d\n", (time.Duration(n+1) * s.length / 12).Round(time.Second), row.unsent, 100*float64(row.unsent)/allowed, row.down, row.limited)
	}
	return b.String()
}
