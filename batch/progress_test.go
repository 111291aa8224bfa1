package batch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(2, mock.WithoutRateLimit(), mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
		a, b := messages(0, 6), messages(1, 3)
		server.NextFor(a[0].UserID, a[0].MessageID, mock.Fault{}, mock.Fault{})
		server.NextFor(a[1].UserID, a[1].MessageID, mock.Fault{Status: 404})
		server.NextFor(a[2].UserID, a[2].MessageID, slices.Repeat([]mock.Fault{{Status: 503}}, 20)...)
		server.SetConnection(mock.Connection{ID: connectionID(1), State: mock.Expired})
		var progress Progress
		if progress.Counts() != (Counts{}) || progress.Connections() != nil || progress.Err() != nil {
			t.Error("it tells of a run that there is not")
		}
		type state struct {
			counts Counts
			list   []ConnectionCounts
		}
		middle := make(chan state, 1)
		time.AfterFunc(100*time.Millisecond, func() { middle <- state{progress.Counts(), progress.Connections()} })
		var done Counts
		items := append(slices.Concat(a, b), a[0])
		for range Run(t.Context(), newClient(t, server, api.WithRetries(0), api.WithoutRateLimit()), slices.Values(items), Options{Progress: &progress}) {
			done = progress.Counts()
		}
		during, list := func() (Counts, []ConnectionCounts) { s := <-middle; return s.counts, s.list }()
		if want := (Counts{Items: 9, Unsent: 1, Failed: 2, Skipped: 2, InFlight: 3, Waiting: 1}); during != want {
			t.Errorf("on the way: %+v; want %+v", during, want)
		}
		if want := (Counts{Items: 9, Unsent: 4, Failed: 3, Skipped: 2}); done != want || want.Ended() != 9 {
			t.Errorf("at the end: %+v; want %+v", done, want)
		}
		if len(list) != 2 || list[0].ID != connectionID(0) || list[0].Items != 6 || list[0].InFlight != 3 || list[0].Stopped != nil ||
			list[1].Items != 3 || list[1].Skipped != 2 || list[1].Stopped == nil {
			t.Errorf("by connection: %+v", list)
		}
	})
}

func TestAskingForProgressIsCheap(t *testing.T) {
	server := newMock(100)
	var items []Item
	for i := range 100 {
		items = append(items, message(i, 0))
	}
	var progress Progress
	collect(t.Context(), newClient(t, server), items, Options{Progress: &progress})
	if n := testing.AllocsPerRun(100, func() { progress.Counts() }); n != 0 {
		t.Errorf("asking for the counts allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { progress.Connections() }); n > 1 {
		t.Errorf("asking for the connections allocates %v times", n)
	}
}
