package postgres

import (
	"sync"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// TestProgress has one worker do all, and another wait for it: both count the whole run.
func TestProgress(t *testing.T) {
	t.Parallel()
	address := pgtest.Shared(t).Address(t)
	service := newService(t, 2)
	client, err := api.New(testKey, api.WithHTTPClient(service.Client()), api.WithoutRateLimit())
	must(t, err)
	var wg sync.WaitGroup
	for range 2 {
		ledger, err := Open(t.Context(), address, "june", batch.ForMock())
		must(t, err)
		t.Cleanup(func() { _ = ledger.Close() })
		if _, err := ledger.Replace(t.Context(), testItems(2, 300)); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			progress := new(batch.Progress)
			for range batch.Run(t.Context(), client, ledger, batch.Options{Progress: progress}) {
			}
			if got := progress.Counts(); got.Unsent != 300 || got.Items != 300 || progress.Err() != nil {
				t.Errorf("in the end the progress is %+v, %v; want 300 unsent", got, progress.Err())
			}
		})
	}
	wg.Wait()
}
