package batch

import (
	"context"
	"iter"

	"zombiezen.com/go/sqlite"
)

// Add keeps the items. What was listed is remembered in one bit for each message, so that the
// same input again writes nothing.
func (s *sqliteStore) Add(ctx context.Context, items iter.Seq2[Item, error], replace bool) (Added, error) {
	var added Added
	err := s.transaction(func() error {
		a := adding{db: s.db, replace: replace}
		var err error
		added, err = a.add(ctx, items)
		return err
	})
	if err != nil {
		return Added{}, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	return added, s.explain(s.checkpoint())
}

type adding struct {
	db      *sqlite.Conn
	replace bool
	listed  bits // by id
	added   Added
}

func (a *adding) add(ctx context.Context, items iter.Seq2[Item, error]) (Added, error) {
	for item, err := range items {
		if err == nil && (a.added.New+a.added.Known)%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = a.row(item)
		}
		if err != nil {
			return Added{}, err
		}
	}
	if a.replace {
		return a.added, a.setAsideRest()
	}
	return a.added, nil
}

func (a *adding) row(item Item) error {
	err := exec(a.db, insertRow, nil, item.Line, item.MaybeUnsent, item.ConnectionID, item.UserID, item.MessageID, item.WithUserID)
	if err != nil {
		return err
	}
	if a.db.Changes() == 1 {
		a.added.New++
		a.listed.set(a.db.LastInsertRowID())
		return nil
	}
	var old struct {
		id                  int64
		line                int
		maybe, aside, final bool
		with                string
	}
	err = exec(a.db, findRow, func(row *sqlite.Stmt) {
		old.id, old.line, old.maybe = row.ColumnInt64(0), row.ColumnInt(1), row.ColumnBool(2)
		old.aside, old.final, old.with = row.ColumnBool(3), row.ColumnBool(4), row.ColumnText(5)
	}, item.ConnectionID, item.UserID, item.MessageID)
	if err != nil {
		return err
	}
	if a.listed.has(old.id) {
		a.added.Repeated++
		item.Line, item.WithUserID = old.line, old.with // the first row counts
	} else {
		a.added.Known++
		a.listed.set(old.id)
	}
	if old.final {
		item.MaybeUnsent, item.WithUserID = false, old.with
	}
	if item.Line == old.line && item.WithUserID == old.with && (old.maybe || !item.MaybeUnsent) && !old.aside {
		return nil
	}
	return exec(a.db, relistRow, nil, item.Line, old.maybe || item.MaybeUnsent, item.WithUserID, old.id)
}

// setAsideRest sets the open messages aside that were not listed.
func (a *adding) setAsideRest() error {
	var rest []int64
	err := exec(a.db, openRows, func(row *sqlite.Stmt) {
		if id := row.ColumnInt64(0); !a.listed.has(id) {
			rest = append(rest, id)
		}
	})
	for _, id := range rest {
		if err == nil {
			err = exec(a.db, setAside, nil, id)
		}
	}
	a.added.SetAside = len(rest)
	return err
}

// bits is a set of small numbers.
type bits []uint64

func (b *bits) set(n int64) {
	for int64(len(*b)) <= n/64 {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bits) has(n int64) bool { return n/64 < int64(len(b)) && b[n/64]&(1<<(n%64)) != 0 }
