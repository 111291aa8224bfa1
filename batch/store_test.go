package batch_test

import (
	"path/filepath"
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) batch.Store {
		return batch.StoreOf(openLedger(t, filepath.Join(t.TempDir(), "messages.db")))
	})
}
