package api_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// seed is a new one for each run, unless UNSEND_SEED has that of a run to repeat.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := rand.Uint64()
	if text := os.Getenv("UNSEND_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("UNSEND_SEED: %v", err)
		}
		s = n
	}
	t.Logf("UNSEND_SEED=%d", s)
	return s
}

// TestNothingSaidIsFalse tells thousands of stories and holds what each call reported against
// what the mock did.
func TestNothingSaidIsFalse(t *testing.T) {
	const rounds, calls = 120, 50
	r := rand.New(rand.NewPCG(seed(t), 0))
	faults := mock.DefaultFaults()
	counts := map[string]int{}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) { tellRound(t, r, faults, round, calls, counts) })
		if t.Failed() {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d  %s", counts[name], name)
	}
	for _, name := range []string{
		"unsent, this call took it away",
		"already_gone, this call took it away",
		"already_gone, gone before the call",
		"already_gone, taken away by another during the call",
		"error with doubt, this call took it away",
		"error with doubt, still there",
		"error with doubt, gone before the call",
		"error with doubt, taken away by another during the call",
		"error without doubt, still there",
		"error without doubt, gone before the call",
		"error without doubt, taken away by another during the call",
	} {
		if counts[name] == 0 {
			t.Errorf("no call was of the class %q", name)
		}
		delete(counts, name)
	}
	for name, n := range counts {
		t.Errorf("%d calls were of the class %q, which must not be", n, name)
	}
}

// tellRound makes calls that share a client and its pace.
func tellRound(t *testing.T, r *rand.Rand, faults []mock.Fault, round, calls int, counts map[string]int) {
	t.Helper()
	server := newMock(mock.WithRateLimit(60+r.IntN(6000), 1+r.IntN(90)))
	retries := r.IntN(5)
	client, err := api.New(plantedKey, api.WithConnection(connection), api.WithRetries(retries), api.WithTimeout(time.Duration(1+r.IntN(10))*time.Second),
		api.WithRateLimit(60+r.IntN(6000), 1+r.IntN(90)), api.WithHTTPClient(&http.Client{Transport: judgedRequests(t, way{server, server.Client().Transport})}))
	if err != nil {
		t.Fatal(err)
	}
	stories := make([]*story, calls)
	results, errs := make([]*api.Result, calls), make([]error, calls)
	var told sync.WaitGroup
	for i := range stories {
		s := tell(r, fmt.Sprint(6_432_457_811_894+round*calls+i), faults)
		stories[i] = s
		server.NextFor(userID, s.message, s.faults...)
		if s.gone {
			server.Remove(userID, s.message)
		}
		told.Go(func() {
			ctx := context.WithValue(t.Context(), storyKey{}, s)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if s.cancelAt > 0 {
				defer time.AfterFunc(s.cancelAt, cancel).Stop()
			}
			if s.deadline > 0 {
				ctx, cancel = context.WithTimeout(ctx, s.deadline)
				defer cancel()
			}
			started := time.Now()
			results[i], errs[i] = unsendMessage(ctx, t, client, userID, s.message)
			if took := time.Since(started); s.deadline > 0 && took > s.deadline || s.cancelAt > 0 && took > s.cancelAt {
				t.Errorf("%s took %v, past its end: %+v", s.message, took, s)
			}
		})
	}
	told.Wait()
	synctest.Wait() // until the service has ended what it was asked
	for i, s := range stories {
		took := server.UnsentCount(userID, s.message) > 0
		name := class(s, results[i], errs[i], took)
		counts[name]++
		s.check(t, name, results[i], errs[i], server.Exists(userID, s.message), took, retries)
	}
}

// check is the promise of this package.
func (s *story) check(t *testing.T, name string, result *api.Result, err error, exists, took bool, retries int) {
	t.Helper()
	attempts, doubt := 0, false
	if err == nil {
		attempts = result.Attempts
		if exists {
			t.Errorf("%v is said of a message that exists: %+v", result.Outcome, s)
		}
		if result.Outcome == api.Unsent && !took {
			t.Errorf("unsent is said of a message that this call did not take away: %+v", s)
		}
	} else {
		e := apiError(t, err)
		attempts, doubt = e.Attempts, e.MaybeUnsent
		if took && !doubt {
			t.Errorf("%s: this call took the message away, and its error has no doubt: %v: %+v", name, err, s)
		}
		if doubt && !s.doubtful {
			t.Errorf("%s: there is doubt, and no answer gave cause for it: %v: %+v", name, err, s)
		}
	}
	if attempts != s.attempts || attempts > retries+1 {
		t.Errorf("%d attempts are reported, %d were made, %d are allowed: %+v", attempts, s.attempts, retries+1, s)
	}
}
