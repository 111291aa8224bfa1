package batch_test

import (
	"path/filepath"
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		t.Helper()
		path := filepath.Join(t.TempDir(), "messages.db")
		return func(t *testing.T, opts ...batch.Option) *batch.Ledger {
			t.Helper()
			ledger, err := batch.Open(path, append([]batch.Option{batch.ForMock()}, opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ledger.Close() })
			return ledger
		}
	})
}
