package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/unsend-go/unsend/batch"
)

const (
	insertTuple   = `(?, ?, ?, ?, ?, ?, ?)`
	insertColumns = 7
	insertWidth   = 32 // rows of one statement
	// OR ROLLBACK avoids the statement journal.
	insertRows = `INSERT OR ROLLBACK INTO %s (line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref) VALUES `

	keepRepeated = `UPDATE message SET maybe_unsent = 1 WHERE maybe_unsent = 0 AND (connection_id, user_id, message_id) IN
		(SELECT connection_id, user_id, message_id FROM message WHERE maybe_unsent = 1)`
	dropRepeated = `DELETE FROM message WHERE id NOT IN (SELECT min(id) FROM message GROUP BY connection_id, user_id, message_id)`

	countAll     = `SELECT count(*) FROM message`
	makeIncoming = `CREATE TEMPORARY TABLE incoming (id INTEGER PRIMARY KEY, line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref)`
	// The same input again has the same rows in the same places, which one join finds.
	countSame = `SELECT count(*) FROM incoming i JOIN message m USING (id, line, connection_id, user_id, message_id)
		WHERE NOT m.set_aside AND m.ref = i.ref AND (m.final OR m.with_user_id = i.with_user_id AND m.maybe_unsent >= i.maybe_unsent)`
	// Looking up a list in another order would read and write all over the file. So the rows are
	// sorted by key, as the index is, and then by id, as the file is.
	makeListed = `CREATE TEMPORARY TABLE listed (message_id, user_id, connection_id, n, line, maybe_unsent, with_user_id, ref,
		PRIMARY KEY (message_id, user_id, connection_id)) WITHOUT ROWID`
	fillListed = `INSERT INTO listed SELECT message_id, user_id, connection_id, min(id), line, sum(maybe_unsent) > 0, with_user_id, ref
		FROM incoming GROUP BY 1, 2, 3` // min picks the first of the rows that repeat a message
	makeKnown = `CREATE TEMPORARY TABLE known (id INTEGER PRIMARY KEY, line, maybe_unsent, with_user_id, ref)`
	fillKnown = `INSERT INTO known SELECT m.id, l.line, l.maybe_unsent, l.with_user_id, l.ref FROM listed l CROSS JOIN message m
		ON (m.message_id, m.user_id, m.connection_id) = (l.message_id, l.user_id, l.connection_id) ORDER BY m.id`
	setAsideRows = `UPDATE message SET set_aside = 1 WHERE %s AND id NOT IN (SELECT id FROM known)`
	updateRows   = `UPDATE message SET line = k.line, ref = k.ref, set_aside = 0, maybe_unsent = message.maybe_unsent OR k.maybe_unsent AND NOT final,
			with_user_id = iif(final, message.with_user_id, k.with_user_id)
		FROM known k WHERE k.id = message.id AND (message.line <> k.line OR message.ref <> k.ref OR set_aside
			OR NOT final AND (message.with_user_id <> k.with_user_id OR k.maybe_unsent > message.maybe_unsent))`
	appendRows = `INSERT INTO message (line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref)
		SELECT line, maybe_unsent, connection_id, user_id, message_id, with_user_id, ref FROM listed l WHERE NOT EXISTS (SELECT 1 FROM message m
			WHERE (m.message_id, m.user_id, m.connection_id) = (l.message_id, l.user_id, l.connection_id)) ORDER BY n`
)

// errPreview rolls back a preview's transaction.
var errPreview = fmt.Errorf("%w: a preview", batch.ErrOptions)

// Add stores the items. It fills an empty ledger first and indexes it afterwards, which takes a third
// of the time. Into another it merges them from a temporary table, and writes only what changes.
func (s *store) Add(ctx context.Context, items iter.Seq2[batch.Item, error], how batch.AddMode) (added batch.Added, err error) {
	if how.Preview == nil {
		if err := s.enterWAL(); err != nil {
			return batch.Added{}, err
		}
	}
	err = s.transaction(func() error {
		count, err := s.count(countAll)
		if err != nil {
			return err
		}
		if count == 0 {
			added, err = s.fill(ctx, items)
		} else {
			added, err = s.merge(ctx, items, how.Replace, count)
		}
		if err != nil || how.Preview == nil {
			s.written = checkpointEvery
			return err
		}
		*how.Preview, err = readTotals(s.db)
		return cmp.Or(err, errPreview)
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return added, err
}

// fill adds the items to a ledger that has none.
func (s *store) fill(ctx context.Context, items iter.Seq2[batch.Item, error]) (added batch.Added, err error) {
	if err := execAll(s.db, "DROP INDEX message_key", "DROP INDEX message_open"); err != nil {
		return added, err
	}
	rows, err := s.load(ctx, "message", items)
	if err != nil {
		return added, err
	}
	added.Repeated, err = s.indexKey()
	added.New = rows - added.Repeated
	if err != nil {
		return added, err
	}
	return added, exec(s.db, openIndex, nil)
}

// merge adds the items to a ledger that has messages already, before of them.
func (s *store) merge(ctx context.Context, items iter.Seq2[batch.Item, error], replace bool, before int) (added batch.Added, err error) {
	if err := exec(s.db, makeIncoming, nil); err != nil {
		return added, err
	}
	rows, err := s.load(ctx, "incoming", items)
	if err != nil {
		return added, err
	}
	same, err := s.count(countSame)
	if err != nil {
		return added, err
	}
	if same == rows && (rows == before || !replace) {
		added.Known = rows
	} else if added, err = s.mergeIncoming(replace, rows, same); err != nil {
		return added, err
	}
	return added, exec(s.db, "DROP TABLE incoming", nil)
}

// mergeIncoming merges rows, of which same are as before.
func (s *store) mergeIncoming(replace bool, rows, same int) (added batch.Added, err error) {
	steps := []struct {
		text   string
		count  *int
		unless bool
	}{
		{text: makeListed}, {text: fillListed, count: &added.Known},
		{text: makeKnown}, {text: fillKnown},
		{text: "DROP INDEX message_open", unless: 2*same > rows}, // making it anew is faster than changing it
		{text: fmt.Sprintf(setAsideRows, isFinalFailure), unless: !replace},
		{text: fmt.Sprintf(setAsideRows, isOpen), count: &added.SetAside, unless: !replace},
		{text: updateRows}, {text: appendRows, count: &added.New},
		{text: openIndex, unless: 2*same > rows},
		{text: "DROP TABLE listed"}, {text: "DROP TABLE known"},
	}
	for _, step := range steps {
		if step.unless {
			continue
		}
		if err := exec(s.db, step.text, nil); err != nil {
			return added, err
		}
		if step.count != nil {
			*step.count = s.db.Changes()
		}
	}
	added.Repeated = rows - added.Known
	added.Known -= added.New
	return added, nil
}

func (s *store) count(text string) (n int, err error) {
	err = exec(s.db, text, func(row *sqlite.Stmt) { n = row.ColumnInt(0) })
	return n, err
}

// load appends the items to a table, and returns how many there are.
func (s *store) load(ctx context.Context, table string, items iter.Seq2[batch.Item, error]) (rows int, err error) {
	insert := fmt.Sprintf(insertRows, table)
	flush := func(args []any) error {
		if len(args) == 0 {
			return ctx.Err()
		}
		text := insert + strings.Repeat(insertTuple+",", len(args)/insertColumns-1) + insertTuple
		return errors.Join(ctx.Err(), exec(s.db, text, nil, args...))
	}
	args := make([]any, 0, insertColumns*insertWidth)
	for item, err := range items {
		if err != nil {
			return rows, err
		}
		args = append(args, item.Line, item.MaybeUnsent, item.ConnectionID, item.UserID, item.MessageID, item.WithUserID, item.Ref)
		if rows++; len(args) == cap(args) {
			if err := flush(args); err != nil {
				return rows, err
			}
			args = args[:0]
		}
	}
	return rows, flush(args)
}

// indexKey makes the index by key, and deletes rows that repeat a message, which it counts.
func (s *store) indexKey() (repeated int, err error) {
	err = exec(s.db, keyIndex, nil)
	if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultConstraint {
		return 0, err
	}
	if err := execAll(s.db, keepRepeated, dropRepeated); err != nil {
		return 0, err
	}
	repeated = s.db.Changes()
	return repeated, exec(s.db, keyIndex, nil)
}
