package sqlite

import "github.com/unsend-go/unsend/batch"

// OpenWrapped is Open with a store between the ledger and its own.
func OpenWrapped(path string, with func(batch.Store) batch.Store, opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(func(want batch.StoreOptions) (batch.Store, error) {
		s, err := openStore(path, want)
		if err != nil {
			return nil, err
		}
		return with(s), nil
	}, opts...)
}
