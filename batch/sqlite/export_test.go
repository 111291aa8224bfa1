package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/batch"
)

// FileSystemWarning is what a ledger at the path warns of.
var FileSystemWarning = fileSystemWarning

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

// Pragma returns a setting of the connection that writes.
func Pragma(s batch.Store, name string) (value int, err error) {
	own, ok := s.(*store)
	if !ok {
		return 0, errNoLedger
	}
	err = exec(own.db, "PRAGMA "+name, func(row *sqlite.Stmt) { value = row.ColumnInt(0) })
	return value, err
}
