package postgres

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

// recordedFirst looks in the ledger, at each fifth request, whether that is recorded.
type recordedFirst struct {
	next    http.Handler
	address string
	t       *testing.T

	mu    sync.Mutex
	db    *store
	seen  int
	early struct {
		n    int
		path string
	}
}

func (h *recordedFirst) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.look(r.URL.Path)
	h.next.ServeHTTP(w, r)
}

func (h *recordedFirst) look(path string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen++; h.seen%5 != 0 {
		return
	}
	if h.db == nil {
		db, err := newStore(h.address, "june")
		if err == nil {
			err = db.open(h.t.Context(), batch.StoreOptions{ReadOnly: true})
		}
		if err != nil {
			return // the server is being restarted
		}
		h.db = db
		h.t.Cleanup(func() { _ = db.Close() })
	}
	part := strings.Split(path, "/")
	list, err := query(h.t.Context(), h.db, pgx.RowTo[bool], "SELECT maybe_unsent OR final FROM message WHERE message_id = $1", part[len(part)-1])
	if err == nil && (len(list) != 1 || !list[0]) {
		h.early.n++
		h.early.path = cmp.Or(h.early.path, path)
	}
}
