package postgres

import (
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/internal/pgtest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	storetest.Run(t, func(t *testing.T) storetest.Open {
		t.Helper()
		address := server.Address(t)
		return func(t *testing.T, opts ...batch.Option) *batch.Ledger {
			t.Helper()
			ledger, err := Open(t.Context(), address, "june", append([]batch.Option{batch.ForMock()}, opts...)...)
			must(t, err)
			t.Cleanup(func() { _ = ledger.Close() })
			return ledger
		}
	})
}

// openStore opens a store that ends with the test.
func openStore(t testing.TB, address, run string) *store {
	t.Helper()
	s, err := newStore(address, run)
	must(t, err)
	t.Cleanup(func() { _ = s.Close(false) })
	must(t, s.open(t.Context(), batch.StoreOptions{Service: "mock"}))
	return s
}
