package batch

import (
	"context"
	"iter"
	"strings"

	"zombiezen.com/go/sqlite"
)

const (
	insertInto  = ` INTO message (line, maybe_unsent, connection_id, user_id, message_id, with_user_id) VALUES `
	insertTuple = `(?, ?, ?, ?, ?, ?)`
	insertRows  = `INSERT OR ROLLBACK` + insertInto // which needs no way back from the middle of it
	insertRow   = `INSERT OR IGNORE` + insertInto + insertTuple
	insertWidth = 32 // rows of one statement, while the ledger is filled

	relistRow    = `UPDATE message SET line = ?, set_aside = 0, maybe_unsent = ?, with_user_id = ? WHERE id = ?`
	setAsideRows = `SELECT id FROM message WHERE id > ? AND ` + isOpen + ` ORDER BY id LIMIT 4096`
	setAsideRow  = `UPDATE message SET set_aside = 1 WHERE id = ?`

	oldRows = `SELECT id, line, maybe_unsent, set_aside, final, with_user_id, connection_id, user_id, message_id FROM message `
	oldNext = oldRows + `WHERE id > ? ORDER BY id`
	oldFind = oldRows + `WHERE connection_id = ? AND user_id = ? AND message_id = ?`

	dropIndexes  = `DROP INDEX message_key; DROP INDEX message_open`
	keepRepeated = `UPDATE message SET maybe_unsent = 1 WHERE maybe_unsent = 0 AND (connection_id, user_id, message_id) IN
		(SELECT connection_id, user_id, message_id FROM message WHERE maybe_unsent = 1)`
	dropRepeated = `DELETE FROM message WHERE id NOT IN (SELECT min(id) FROM message GROUP BY connection_id, user_id, message_id)`
)

// Add keeps the items. An empty ledger is filled first and indexed afterwards, which takes a
// third of the time. The same input again is compared with what is there, and writes nothing.
func (s *sqliteStore) Add(ctx context.Context, items iter.Seq2[Item, error], replace bool) (Added, error) {
	defer s.changes.Add(1)
	var added Added
	err := s.transaction(func() error {
		empty := true
		err := exec(s.db, "SELECT id FROM message LIMIT 1", func(*sqlite.Stmt) { empty = false })
		if err != nil {
			return err
		}
		a := adding{ctx: ctx, db: s.db}
		if empty {
			err = a.fill(items)
		} else {
			s.read.Lock()
			defer s.read.Unlock()
			a.old = cursor{db: s.reader}
			err = a.merge(items, replace)
		}
		added = a.added
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
	ctx    context.Context //nolint:containedctx // that of one Add
	db     *sqlite.Conn
	added  Added
	old    cursor
	listed bits // messages that the ledger had or has been given, by id
}

// fill adds the items to a ledger that has none.
func (a *adding) fill(items iter.Seq2[Item, error]) error {
	if err := script(a.db, dropIndexes); err != nil {
		return err
	}
	part := make([]Item, 0, insertWidth)
	rows := 0
	for item, err := range items {
		if err != nil {
			return err
		}
		if part = append(part, item); len(part) == insertWidth {
			if err := a.insert(part); err != nil {
				return err
			}
			part = part[:0]
		}
		rows++
	}
	if err := a.insert(part); err != nil {
		return err
	}
	err := script(a.db, keyIndex)
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultConstraint {
		err = script(a.db, keepRepeated+";"+dropRepeated+";"+keyIndex)
	}
	if err == nil {
		err = script(a.db, openIndex)
	}
	if err == nil {
		err = exec(a.db, "SELECT count(*) FROM message", func(row *sqlite.Stmt) { a.added.New = row.ColumnInt(0) })
	}
	a.added.Repeated = rows - a.added.New
	return err
}

// insert adds rows in one statement.
func (a *adding) insert(part []Item) error {
	if len(part) == 0 {
		return a.ctx.Err()
	}
	stmt, err := a.db.Prepare(insertRows + strings.Repeat(insertTuple+",", len(part)-1) + insertTuple)
	if err != nil {
		return err
	}
	for i, item := range part {
		bindItem(stmt, 6*i, item)
	}
	if err := step(stmt, nil); err != nil {
		return err
	}
	return a.ctx.Err()
}

// bindItem binds the six columns of an insertTuple, behind so many others.
func bindItem(stmt *sqlite.Stmt, behind int, item Item) {
	stmt.BindInt64(behind+1, int64(item.Line))
	stmt.BindBool(behind+2, item.MaybeUnsent)
	stmt.BindText(behind+3, item.ConnectionID)
	stmt.BindText(behind+4, item.UserID)
	stmt.BindText(behind+5, item.MessageID)
	stmt.BindText(behind+6, item.WithUserID)
}

// merge adds the items to a ledger that has some.
func (a *adding) merge(items iter.Seq2[Item, error], replace bool) error {
	defer a.old.close()
	err := a.old.seek(0)
	for item, bad := range items {
		if err == nil {
			err = bad
		}
		if err == nil {
			err = a.row(item)
		}
		if err != nil {
			return err
		}
	}
	if !replace {
		return nil
	}
	return a.setAsideRest()
}

func (a *adding) row(item Item) error {
	if a.old.is(item) {
		if err := a.known(item, a.old.oldRow); err != nil {
			return err
		}
		return a.old.next()
	}
	stmt, err := a.db.Prepare(insertRow)
	if err != nil {
		return err
	}
	bindItem(stmt, 0, item)
	if err := step(stmt, nil); err != nil {
		return err
	}
	if a.db.Changes() == 1 {
		a.added.New++
		a.listed.set(a.db.LastInsertRowID())
		return a.ctx.Err()
	}
	var found oldRow
	if err := exec(a.db, oldFind, found.read, item.ConnectionID, item.UserID, item.MessageID); err != nil {
		return err
	}
	if err := a.known(item, found); err != nil || found.id > a.old.last {
		return err
	}
	return a.old.seek(found.id) // the input may go on from there as it did before
}

// known takes over what the input says of a message that the ledger has.
func (a *adding) known(item Item, old oldRow) error {
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
	total := 0
	err := exec(a.db, "SELECT count(*) FROM message", func(row *sqlite.Stmt) { total = row.ColumnInt(0) })
	if err != nil || total == a.added.New+a.added.Known {
		return err
	}
	for after, more := int64(0), true; more; {
		var rest []int64
		more = false
		err := exec(a.db, setAsideRows, func(row *sqlite.Stmt) {
			more, after = true, row.ColumnInt64(0)
			if !a.listed.has(after) {
				rest = append(rest, after)
			}
		}, after)
		for _, id := range rest {
			if err == nil {
				err = exec(a.db, setAsideRow, nil, id)
			}
		}
		if err != nil {
			return err
		}
		a.added.SetAside += len(rest)
	}
	return nil
}

// oldRow is a row that the ledger has.
type oldRow struct {
	id                  int64
	line                int
	maybe, aside, final bool
	with                string
}

func (r *oldRow) read(row *sqlite.Stmt) {
	r.id, r.line, r.maybe = row.ColumnInt64(0), row.ColumnInt(1), row.ColumnBool(2)
	r.aside, r.final, r.with = row.ColumnBool(3), row.ColumnBool(4), row.ColumnText(5)
}

// cursor is at a row that the ledger had before the Add, or behind the last of them.
type cursor struct {
	oldRow
	db   *sqlite.Conn
	stmt *sqlite.Stmt // nil behind the last
	buf  [64]byte
	last int64 // the id of the last row
}

// seek goes to the first row behind an id.
func (c *cursor) seek(after int64) (err error) {
	if c.last == 0 {
		err = exec(c.db, "SELECT max(id) FROM message", func(row *sqlite.Stmt) { c.last = row.ColumnInt64(0) })
		if err != nil {
			return err
		}
	}
	c.close()
	if c.stmt, err = c.db.Prepare(oldNext); err != nil {
		return err
	}
	c.stmt.BindInt64(1, after)
	return c.next()
}

func (c *cursor) next() error {
	more, err := c.stmt.Step()
	if err != nil || !more {
		c.close()
		return err
	}
	c.read(c.stmt)
	return nil
}

// is reports whether the row is that of the item's message.
func (c *cursor) is(item Item) bool {
	return c.stmt != nil && c.has(8, item.MessageID) && c.has(7, item.UserID) && c.has(6, item.ConnectionID)
}

func (c *cursor) has(column int, text string) bool {
	n := c.stmt.ColumnLen(column)
	return n == len(text) && n <= len(c.buf) && string(c.buf[:c.stmt.ColumnBytes(column, c.buf[:])]) == text
}

func (c *cursor) close() {
	if c.stmt != nil {
		_ = c.stmt.Reset() // says again what Step said
		c.stmt = nil
	}
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
