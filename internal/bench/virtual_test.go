package bench

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// full reports whether `make bench` runs the tests on virtual time, at full size.
func full() bool { return os.Getenv("UNSEND_FIGURES") != "" }

// figure prints measurements as go test prints those of benchmarks, for `make bench`.
func figure(name string, measurements ...any) {
	if full() {
		fmt.Println(append([]any{"Benchmark" + name, 1}, measurements...)...)
	}
}

// TestRateLimit keeps ten thousand connections at 60 a minute, without a burst, for half a minute
// of virtual time. Each must use what the service allows it.
func TestRateLimit(t *testing.T) {
	connections, each := 200, 30
	if full() {
		connections = 10_000
	}
	service := newBuckets(1, 100*time.Millisecond)
	var most float64
	synctest.Test(t, func(t *testing.T) {
		client := service.client(t, api.WithRateLimit(60, 1))
		ledger := open(t, client)
		load(t, ledger, items(connections, connections*each))
		most = peak(t, func() { unsendAll(t, client, ledger, 0, connections*each) })
	})
	var used []float64 // of each bucket, from its first request to its last
	for _, bucket := range service.buckets {
		used = append(used, 100*float64(each)/(bucket.last.Sub(bucket.first)+time.Second).Seconds())
	}
	slices.Sort(used)
	limited := 100 * float64(service.limited) / float64(service.limited+connections*each)
	if used[0] < 97 {
		t.Errorf("a bucket was used to %.1f %%, want at least 97", used[0])
	}
	if limited > 1 {
		t.Errorf("%.2f %% of the responses were 429, want at most 1", limited)
	}
	figure("RateLimit", used[0], "%-of-the-least", median(used), "%-of-buckets", limited, "%-429", most, "peak-MiB")
}

// TestOutage runs a batch on virtual time through an outage, from a third of the time that the
// buckets want to its half. An hour of it is the curve of docs/batch/scaling.md.
func TestOutage(t *testing.T) {
	const connections = 20
	length := 6 * time.Minute
	if full() {
		length = time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		service := newBuckets(90, 300*time.Millisecond)
		service.outage(length/3, length/2)
		client := service.client(t)
		ledger, err := sqlite.InMemory() // a file is synced for each moment at which something happens
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ledger.Close() }()
		each := 90 + int(length.Seconds()) // what the buckets allow, the outage included
		load(t, ledger, items(connections, connections*each))
		took := unsendAll(t, client, ledger, 0, connections*each)
		// Tokens are lost beyond the 90 that a bucket holds; a connection is tried at least every
		// 30 seconds.
		if most := length + length/6 + time.Minute; took > most {
			t.Errorf("it took %v; want at most %v", took, most)
		}
		if all := service.limited + connections*each; service.limited*100 > all {
			t.Errorf("%d of %d responses were 429; want at most 1 %%", service.limited, all)
		}
		row := []any{took.Minutes(), "minutes", service.limited, "429s", service.lost, "lost"}
		for n := range int(took*12/length) + 1 { // in twelfths, against what the buckets gain in one
			share := 1200 * float64(service.unsent[n]) / float64(connections) / length.Seconds()
			row = append(row, fmt.Sprintf("%.1f", share), fmt.Sprintf("%%-until-%d", (n+1)*int(length.Minutes())/12))
		}
		figure("Outage", row...)
		t.Log(row...)
	})
}

// buckets is a service with a token bucket for each connection, that gains one token a second.
type buckets struct {
	burst    int
	latency  time.Duration
	start    time.Time
	from, to time.Duration // of the outage

	mu            sync.Mutex
	buckets       map[string]*bucket
	limited, lost int
	unsent        [24]int // in each twelfth of the outage's sixfold
}

type bucket struct{ first, last, full time.Time }

func newBuckets(burst int, latency time.Duration) *buckets {
	return &buckets{burst: burst, latency: latency, buckets: map[string]*bucket{}}
}

func (s *buckets) outage(from, to time.Duration) { s.from, s.to = from, to }

func (s *buckets) client(t *testing.T, opts ...api.Option) *api.Client {
	t.Helper()
	s.start = time.Now()
	client, err := api.New(key, append(opts, api.WithHTTPClient(&http.Client{Transport: roundTripper(s.roundTrip)}))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var errDown = errors.New("connection reset by peer")

func (s *buckets) roundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	since := now.Sub(s.start)
	if since > s.from && since < s.to {
		s.lost++
		return nil, errDown
	}
	id := r.Header.Get("X-Connection-Id")
	if s.buckets[id] == nil {
		s.buckets[id] = &bucket{first: now, full: now}
	}
	b := s.buckets[id]
	if b.full.Before(now) {
		b.full = now
	}
	left := s.burst - int((b.full.Sub(now)+time.Second-1)/time.Second)
	header := http.Header{"X-Ratelimit-Limit": {strconv.Itoa(s.burst)}}
	if left < 1 {
		s.limited++
		header.Set("Retry-After", "1")
		header.Set("X-Ratelimit-Remaining", "0")
		body := strings.NewReader(`{"error":"Too many requests","type":"RATE_LIMIT_EXCEEDED"}`)
		return respond(r, http.StatusTooManyRequests, header, body), nil
	}
	b.last, b.full = now, b.full.Add(time.Second)
	if s.to > 0 {
		s.unsent[min(int(since*6/s.to), len(s.unsent)-1)]++
	}
	header.Set("X-Ratelimit-Remaining", strconv.Itoa(left-1))
	return respond(r, http.StatusOK, header, strings.NewReader(`{"success":true,"queue":null}`)), nil
}
