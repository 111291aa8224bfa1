package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/api"
)

func TestInvalidIDsAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		items := messages(0, 4)
		items[0].MessageID = ".."
		items[1].UserID = ""
		items[2].ConnectionID = "a/b"
		items = append(items, Item{UserID: "1", MessageID: "2", ConnectionID: connectionID(0), WithUserID: "x y"})
		var progress Progress
		results := collect(t.Context(), newClient(t, server), items, Options{Progress: &progress})
		wantTally(t, results, "1 unsent, 4 failed")
		for _, r := range results {
			if r.Outcome == Failed && !errors.Is(r.Err, api.ErrInvalidID) {
				t.Errorf("%+v failed with %v", r.Item, r.Err)
			}
		}
		if c := progress.Counts(); c.Items != 5 || c.Ended() != 5 || progress.Err() != nil {
			t.Errorf("progress is %+v, %v", c, progress.Err())
		}
	})
}

// Where no item names a connection the client's acts; where that has none either, the run
// says so once.
func TestClientsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		items := messages(0, 5)
		for i := range items {
			items[i].ConnectionID = ""
		}
		wantTally(t, collect(t.Context(), newClient(t, server, api.WithConnection(connectionID(0))), items, Options{}), "5 unsent")
		results := collect(t.Context(), newClient(t, server), items, Options{})
		wantTally(t, results, "1 failed, 4 skipped")
		for _, r := range results {
			if !errors.Is(r.Err, api.ErrConfig) {
				t.Errorf("%s with %v; want an ErrConfig", r.Outcome, r.Err)
			}
		}
	})
}

func TestWithUserIDIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(1)
		var sent sync.Map
		client, err := api.New(testKey, api.WithHTTPClient(recordBodies(server, &sent)))
		if err != nil {
			t.Fatal(err)
		}
		items := messages(0, 3)
		items[1].WithUserID = "other_1"
		items[2].WithUserID = items[2].UserID
		wantTally(t, collect(t.Context(), client, items, Options{}), "3 unsent")
		for i, want := range []string{items[0].UserID, "other_1", items[2].UserID} {
			if body, _ := sent.Load(items[i].MessageID); !strings.Contains(fmt.Sprint(body), fmt.Sprintf("%q", want)) {
				t.Errorf("the body of item %d is %s; want withUserId %q", i, body, want)
			}
		}
	})
}

func TestOptionsThatCannotWork(t *testing.T) {
	for name, opts := range map[string]Options{
		"in flight":       {InFlight: -1},
		"too many":        {InFlight: maxInFlight + 1},
		"shard past end":  {Shard: Shard{Index: 3, Of: 3}},
		"shard before":    {Shard: Shard{Index: -1, Of: 3}},
		"shard of none":   {Shard: Shard{Index: 1}},
		"shard of minus":  {Shard: Shard{Of: -1}},
		"journal of none": {Journal: &Journal{}},
	} {
		server := newMock(1)
		results := collect(t.Context(), newClient(t, server), messages(0, 3), opts)
		if tally(results) != "3 failed" || !errors.Is(results[0].Err, ErrOptions) || len(server.Journal()) != 0 {
			t.Errorf("%s: %s, %v, %d requests; want nothing sent, and ErrOptions for each", name, tally(results), results[0].Err, len(server.Journal()))
		}
	}
	var none context.Context
	if r := collect(none, nil, messages(0, 1), Options{}); !errors.Is(r[0].Err, ErrOptions) {
		t.Errorf("without a context: %v", r[0].Err)
	}
	if r := collect(t.Context(), nil, messages(0, 1), Options{}); !errors.Is(r[0].Err, api.ErrConfig) {
		t.Errorf("without a client: %v", r[0].Err)
	}
}

func TestNothingToDo(t *testing.T) {
	var progress Progress
	if r := collect(t.Context(), newClient(t, newMock(1)), nil, Options{Progress: &progress}); len(r) != 0 || progress.Err() != nil {
		t.Errorf("%d results, %v", len(r), progress.Err())
	}
}
