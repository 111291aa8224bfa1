package batch_test

import (
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/batch"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newMock(2)
		items := append(messages(0, 100), messages(1, 50)...)
		var p batch.Progress
		results := collect(t.Context(), t, newClient(t, server), items, batch.Options{Progress: &p})
		wantTally(t, results, "150 unsent")
		unsentOnce(t, server, items)
		t.Log(p.Err(), p.Counts())
	})
}
