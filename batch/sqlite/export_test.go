package sqlite

import (
	"testing"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/batch"
)

// FileSystemWarning is what a ledger at the path warns of.
var FileSystemWarning = fileSystemWarning

// Pragmas returns what reads the settings of a ledger's connection that writes.
func Pragmas(t *testing.T, path string) func(name string) int {
	t.Helper()
	s := &store{path: path}
	if err := s.open(batch.StoreOptions{Service: "mock"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(false) })
	return func(name string) (value int) {
		if err := exec(s.db, "PRAGMA "+name, func(row *sqlite.Stmt) { value = row.ColumnInt(0) }); err != nil {
			t.Fatal(err)
		}
		return value
	}
}
