package mock_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// drawn sends a request for each message, from the first to the last, and returns the faults that
// they met, in the order of the messages.
func drawn(t *testing.T, seed uint64, ids ...string) []string {
	t.Helper()
	met := map[string]string{}
	synctest.Test(t, func(t *testing.T) {
		g := overPipe(t, mock.WithFaults(seed, 0.5), mock.WithoutRateLimit())
		for _, id := range ids {
			g.tryUnchecked(g.request("7", id))
		}
		for _, e := range g.server.Journal() {
			met[e.MessageID] = e.Fault
		}
	})
	var list []string
	for _, id := range slices.Sorted(maps.Keys(met)) {
		list = append(list, met[id])
	}
	return list
}

func TestDrawnFaultsFollowFromTheSeed(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 120 {
		ids = append(ids, strconv.Itoa(i))
	}
	first := drawn(t, 1, ids...)
	if other := drawn(t, 2, ids...); slices.Equal(first, other) {
		t.Error("another seed draws the same faults")
	}
	slices.Reverse(ids)
	if again := drawn(t, 1, ids...); !slices.Equal(first, again) {
		t.Error("the same seed draws other faults for the same messages, in another order")
	}
	plain := 0
	for _, name := range first {
		if name == "" {
			plain++
		}
	}
	if plain < 40 || plain > 80 {
		t.Errorf("%d of %d plain at a rate of 0.5", plain, len(ids))
	}
}

func TestFaultsToDrawFrom(t *testing.T) {
	t.Parallel()
	drawn := map[mock.Fault]bool{}
	for _, f := range append(mock.DefaultFaults(), mock.TransientFaults()...) {
		if f == (mock.Fault{}) {
			t.Error("a fault cannot be read from its text")
		}
		drawn[f] = true
	}
	for _, kind := range mock.FaultKinds() {
		if isHuge := kind == mock.Oversized || kind == mock.OversizedLate; drawn[mock.Fault{Kind: kind}] == isHuge {
			t.Errorf("%s is drawn: %v", kind, !isHuge)
		}
	}
	for _, f := range []mock.Fault{
		{Status: 500}, {Status: 500, Acted: true}, {Kind: mock.Drop, Acted: true}, {Delay: 2 * time.Second, Acted: true},
		{Set: "success=", Acted: true},
	} {
		if !drawn[f] {
			t.Errorf("%v is not drawn", f)
		}
	}
	transient := mock.TransientFaults()
	if len(transient) < 10 {
		t.Errorf("%d transient faults: %v", len(transient), transient)
	}
	for _, f := range transient {
		if f.Status != 0 && f.Status != http.StatusTooManyRequests && f.Status < 500 {
			t.Errorf("%v is not over when the request is sent again", f)
		}
	}
}
