package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// format1 makes the tables of format 1.
//
//go:embed schema.sql
var format1 string

// formats lead from each format to the next: the first from an empty schema to format 1. An
// entry is never changed once it was released.
func formats() []string { return []string{format1} }

// hasTables reports whether the schema has the table that names the format.
const hasTables = `SELECT count(*) > 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 AND c.relname = 'ledger' AND c.relkind = 'r'`

// format returns the format of the tables; 0 where there are none.
func (s *store) format(ctx context.Context, db interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}) (format int, err error) {
	var there bool
	if err := db.QueryRow(ctx, hasTables, s.schema).Scan(&there); err != nil || !there {
		return 0, err
	}
	err = db.QueryRow(ctx, "SELECT format FROM ledger").Scan(&format)
	if errors.Is(err, pgx.ErrNoRows) || isCode(err, "42703") { // no row, no such column
		return 0, s.refuse("has a table %s.ledger that is not of this program; name another schema", s.schema)
	}
	return format, err
}

// migrate brings the tables to the newest format. Many may do so at once: one at a time does.
func (s *store) migrate(ctx context.Context) error {
	format, err := s.format(ctx, s.session)
	if err != nil || format >= len(formats()) {
		return err
	}
	return pgx.BeginFunc(ctx, s.session, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('unsend schema ' || $1, 0))", s.schema); err != nil {
			return err
		}
		format, err := s.format(ctx, tx)
		if err != nil || format >= len(formats()) {
			return err
		}
		if format == 0 {
			if err := s.createSchema(ctx, tx); err != nil {
				return err
			}
		}
		for _, text := range formats()[format:] {
			if _, err := tx.Exec(ctx, text); err != nil {
				if isCode(err, "42501") && format > 0 {
					return s.refuse("has tables of an older format (%d; this program wants %d); let the owner of the schema %s run this program once", format, len(formats()), s.schema)
				}
				return err
			}
		}
		if format == 0 {
			_, err = tx.Exec(ctx, "INSERT INTO ledger (format) VALUES ($1)", len(formats()))
		} else {
			_, err = tx.Exec(ctx, "UPDATE ledger SET format = $1", len(formats()))
		}
		return err
	})
}

func (s *store) createSchema(ctx context.Context, tx pgx.Tx) error {
	var there bool
	err := tx.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_catalog.pg_namespace WHERE nspname = $1", s.schema).Scan(&there)
	if err == nil && !there {
		_, err = tx.Exec(ctx, fmt.Sprintf("CREATE SCHEMA %s", pgx.Identifier{s.schema}.Sanitize()))
	}
	return err
}

// checkFormat refuses tables that this version does not know.
func (s *store) checkFormat(ctx context.Context) error {
	format, err := s.format(ctx, s.reader)
	switch {
	case err != nil:
		return err
	case format == 0:
		return s.refuse("has no ledger in the schema %s; name the schema with schema=NAME in the address, or load messages first", s.schema)
	case format > len(formats()):
		return s.refuse("was made by a newer version of this program (format %d; this one knows %d); update it", format, len(formats()))
	case format < len(formats()):
		return s.refuse("has tables of an older format (%d; this program wants %d); load messages or run once with this version first", format, len(formats()))
	}
	return nil
}

// isCode reports whether the server has answered with that SQLSTATE.
func isCode(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}
