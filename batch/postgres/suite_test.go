package postgres

import (
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// openStore opens a store on a schema of the test's own, or of address.
func openStore(t testing.TB, address, run string) *store {
	t.Helper()
	s, err := newStore(address, run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.open(t.Context(), batch.StoreOptions{Service: "mock"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	storetest.Run(t, func(t *testing.T) batch.Store { return openStore(t, server.Address(t), "june") })
}
