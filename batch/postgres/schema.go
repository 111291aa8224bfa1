package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

//go:embed schema.sql
var tables string

// format is the version of the tables that this program makes and reads.
const format = 2

// exist reports whether the schema exists, and a ledger in it. It reads the server's catalog, where
// it sees what was just committed; to_regclass may read the session's cache.
func (s *store) exist(ctx context.Context, db querier) (schema, ledger bool, err error) {
	err = db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
		EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'ledger')`, s.schema).Scan(&schema, &ledger)
	return schema, ledger, err
}

// createTables creates the tables if they are missing. Many programs may call it at once.
func (s *store) createTables(ctx context.Context) error {
	if _, ledger, err := s.exist(ctx, s.session); err != nil || ledger {
		return err
	}
	return pgx.BeginFunc(ctx, s.session, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('unsend schema ' || $1, 0))", s.schema); err != nil {
			return err
		}
		schema, ledger, err := s.exist(ctx, tx)
		if err != nil || ledger {
			return err
		}
		if !schema { // IF NOT EXISTS would require the right to create one even if it exists
			if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{s.schema}.Sanitize()); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, tables); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO ledger (format) VALUES ($1)", format)
		return err
	})
}

// checkFormat refuses tables of another version.
func (s *store) checkFormat(ctx context.Context) error {
	_, ledger, err := s.exist(ctx, s.reader)
	if err != nil {
		return err
	}
	if !ledger {
		return s.missing("has no ledger in the schema %s; name the schema with schema=NAME in the address, or load messages first", s.schema)
	}
	var found int
	err = s.reader.QueryRow(ctx, "SELECT coalesce(max(format), 0) FROM ledger").Scan(&found)
	switch {
	case isCode(err, "42P01"): // it exists, but the user may not see it
		return s.denied("permission denied for schema " + s.schema)
	case err != nil:
		return err
	case found > format:
		return s.refuse("was made by a newer version of this program (format %d; this one reads %d); update it", found, format)
	case found < format:
		return s.refuse("has tables of an older format (%d; this one requires %d); name another schema", found, format)
	}
	return nil
}

// findRun finds the run, or creates it.
func (s *store) findRun(ctx context.Context, want batch.StoreOptions) error {
	if want.Service != "" && !s.readOnly {
		// ON CONFLICT alone would take an id each time.
		_, err := s.session.Exec(ctx, `INSERT INTO run (name, service) SELECT $1, $2
			WHERE NOT EXISTS (SELECT FROM run WHERE name = $1) ON CONFLICT DO NOTHING`, s.run, want.Service)
		if err != nil {
			return err
		}
	}
	err := s.reader.QueryRow(ctx, "SELECT id, service FROM run WHERE name = $1", s.run).Scan(&s.runID, &s.service)
	switch {
	case err == nil:
		return want.Check(s.name, s.service)
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	case !s.readOnly:
		return fmt.Errorf("%w: %s is new: name its service with ForService or ForMock", batch.ErrOptions, s.name)
	}
	var others string // in case the name was mistyped
	err = s.reader.QueryRow(ctx, "SELECT coalesce(string_agg(name, ', '), 'none') FROM (SELECT name FROM run ORDER BY id DESC LIMIT 10) AS latest").Scan(&others)
	if err != nil {
		return err
	}
	return s.missing("holds no run of that name; it has %s", others)
}
