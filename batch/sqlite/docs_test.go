package sqlite_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// The queries of docs/batch/ledger.md find what they promise in the ledger of a run with errors.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/batch/ledger.md")
	must(t, err)
	server := newMock(1, mock.WithConnections(mock.Connection{ID: "conn_1", State: mock.Expired}))
	items := append(messages(0, 10), messages(1, 5)...)
	items[3].MaybeUnsent = true
	server.NextFor(items[2].UserID, items[2].MessageID, mock.Fault{Status: 422})
	server.NextFor(items[3].UserID, items[3].MessageID, mock.Fault{Status: 422})
	path := filepath.Join(t.TempDir(), "messages.db")
	ledger := openLedger(t, path)
	add(t, ledger, items)
	for range eachResult(t, batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{})) {
		continue
	}
	must(t, ledger.Close())
	db, err := zsqlite.OpenConn(path, zsqlite.OpenReadOnly)
	must(t, err)
	defer func() { _ = db.Close() }()
	// Failed 422 twice, and once for the connection; four were skipped.
	rows := []int{3, 3, 2, 1, 1, 1}
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(page, -1)
	if len(queries) != len(rows) {
		t.Fatalf("%d queries; want %d", len(queries), len(rows))
	}
	for i, query := range queries {
		n := 0
		counted := &sqlitex.ExecOptions{ResultFunc: func(*zsqlite.Stmt) error { n++; return nil }}
		err := sqlitex.ExecuteTransient(db, strings.TrimSpace(string(query[1])), counted)
		if err != nil || n != rows[i] {
			t.Errorf("query %d gives %d rows, %v; want %d", i+1, n, err, rows[i])
		}
	}
}
