package mock_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/mock"
)

func TestScriptedFaultsComeInOrder(t *testing.T) {
	t.Parallel()
	g := overPipe(t)
	g.server.Next(mock.Fault{Status: 500}, mock.Fault{}, mock.Fault{Status: 502})
	g.server.Next(mock.Fault{Status: 503})
	g.server.NextFor("7", "1", mock.Fault{Status: 504})
	g.server.NextFor("7", "1", mock.Fault{Status: 408})
	refused := g.request("7", "2")
	refused.Header.Del("apiKey")
	g.try(refused).wantProblem(t, http.StatusUnauthorized, "UNAUTHORIZED") // leaves the faults alone

	var got []int
	for _, id := range []string{"2", "1", "3", "1", "4", "1", "5"} {
		got = append(got, g.try(g.request("7", id)).status)
	}
	if want := []int{500, 504, 200, 408, 502, 503, 200}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if n := g.server.Counts().Faulted; n != 5 {
		t.Errorf("%d faulted, want 5", n)
	}
}

// drawn sends n requests and returns the names of the faults that befell them.
func drawn(t *testing.T, n int, opts ...mock.Option) []string {
	t.Helper()
	var names []string
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, append(opts, mock.WithoutRateLimit(), mock.WithJournal(-1))...)
		for i := range n {
			g.tryUnchecked(g.request("7", strconv.Itoa(i)))
		}
		for _, e := range g.server.Journal() {
			names = append(names, e.Fault)
		}
	})
	return names
}

func TestDrawnFaultsFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	const n = 120
	first := drawn(t, n, mock.WithFaults(1, 0.5))
	if again := drawn(t, n, mock.WithFaults(1, 0.5)); !slices.Equal(first, again) {
		t.Error("the same seed draws other faults")
	}
	if other := drawn(t, n, mock.WithFaults(2, 0.5)); slices.Equal(first, other) {
		t.Error("another seed draws the same faults")
	}
	var backwards []string
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, mock.WithFaults(1, 0.5), mock.WithoutRateLimit())
		for i := range n {
			g.tryUnchecked(g.request("7", strconv.Itoa(n-1-i)))
		}
		for _, e := range g.server.Journal() {
			backwards = append([]string{e.Fault}, backwards...)
		}
	})
	if !slices.Equal(first, backwards) {
		t.Error("another order of requests draws other faults for the same messages")
	}
	plain := 0
	for _, name := range first {
		if name == "" {
			plain++
		}
	}
	if plain < 40 || plain > 80 {
		t.Errorf("%d of %d plain at a rate of 0.5", plain, n)
	}
}
