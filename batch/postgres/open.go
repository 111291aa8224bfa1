// Package postgres keeps a ledger in PostgreSQL, so that many machines work on one list of
// messages.
//
//	ledger, err := postgres.Open(ctx, "postgres://unsend@db.example.com/ops", "june", batch.ForService(client))
//	…
//	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
//
// Every machine runs the same program, and claims connections that no other worker has. If a
// machine dies, its session with the database ends, its claims become free within seconds, and
// the others take them over. Each request is recorded before it is sent, through the session that
// holds the claims: a worker that has lost its claims records nothing, and so sends nothing.
//
// # Address
//
// The address is a URL or key=value pairs, as PostgreSQL's own clients accept them, completed by
// the environment (PGHOST, PGPASSWORD, PGSERVICE and others), the service file and the password
// file. The parameter schema is this package's own: it names the schema of the tables, by default
// unsend.
//
// # Poolers
//
// A claim lasts as long as a session. A pooler that assigns sessions for one transaction at a time,
// such as pgBouncer with pool_mode=transaction, is refused by Open.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

const (
	defaultSchema  = "unsend"
	connectTimeout = 15 * time.Second
	openTimeout    = time.Minute
	poolerTimeout  = 10 * time.Second
	maxTries       = 15 // to open a server that restarts
	tryAgain       = time.Second
	maxRunName     = 100
)

// Open opens the ledger of a named run in the database of dsn, and creates its tables if they are
// missing. The caller chooses the name, of 1 to 100 printable characters. A new run belongs to the
// service of [batch.ForService] or [batch.ForMock], one of which is required unless
// [batch.ReadOnly] is given. Every error matches [batch.ErrLedger] or [batch.ErrOptions], or is
// that of ctx; none holds the password.
func Open(ctx context.Context, dsn, run string, opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(func(want batch.StoreOptions) (batch.Store, error) {
		s, err := newStore(dsn, run)
		if err != nil {
			return nil, err
		}
		if err := s.openLasting(ctx, want); err != nil {
			return nil, err
		}
		return s, nil
	}, opts...)
}

func newStore(dsn, run string) (*store, error) {
	unprintable := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if run == "" || utf8.RuneCountInString(run) > maxRunName || strings.ContainsFunc(run, unprintable) {
		return nil, fmt.Errorf("%w: the name of a run has 1 to %d printable characters, not %q", batch.ErrOptions, maxRunName, run)
	}
	config, err := parseAddress(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w: the ledger's address %w", batch.ErrOptions, err)
	}
	s := &store{run: run, config: config, schema: defaultSchema}
	if schema, ok := config.RuntimeParams["schema"]; ok {
		delete(config.RuntimeParams, "schema")
		if s.schema = schema; schema == "" || schema == "information_schema" || strings.HasPrefix(schema, "pg_") {
			return nil, fmt.Errorf("%w: schema=%s in the ledger's address names no schema that can be used", batch.ErrOptions, schema)
		}
	}
	// pgx relies on these, whatever the role's defaults are.
	config.RuntimeParams["client_encoding"], config.RuntimeParams["standard_conforming_strings"] = "UTF8", "on"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "unsend"
	}
	address := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		address = config.Host // of a socket
	}
	s.name = fmt.Sprintf("%s on %s (run %s)", config.Database, address, run)
	if host, err := os.Hostname(); err == nil {
		s.worker = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	return s, nil
}

// parseAddress does not quote the parser's errors, which may hold a part of the password. A
// password with an @ or a / that is not percent-encoded leaves an @ in the host or the database.
func parseAddress(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if file, ok := errors.AsType[*os.PathError](err); ok {
		return nil, fmt.Errorf("names a file that cannot be read: %w", file)
	}
	_, rest, _ := strings.Cut(dsn, "://")
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	if err != nil || strings.Contains(rest, "@") {
		return nil, errors.New("cannot be read; want postgres://USER@HOST:PORT/DATABASE, characters of a password such as @ and / percent-encoded, or key=value pairs of PostgreSQL's")
	}
	return config, nil
}

// openLasting opens the ledger, and outlasts a restart: if the server responds that it is stopping
// or starting, openLasting tries again for some 15 seconds.
func (s *store) openLasting(ctx context.Context, want batch.StoreOptions) error {
	for try := 1; ; try++ {
		within, cancel := context.WithTimeout(ctx, openTimeout)
		err := s.explain(ctx, s.open(within, want))
		cancel()
		if err == nil {
			return nil
		}
		_ = s.Close(false) // the first error explains more
		e, ok := errors.AsType[*ledgerError](err)
		if !ok || !e.lost || try == 1 && !e.restarts || try == maxTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tryAgain):
		}
	}
}

// open connects, and creates the tables and the run if they are missing.
func (s *store) open(ctx context.Context, want batch.StoreOptions) (err error) {
	s.readOnly = want.ReadOnly
	if s.reader, err = s.connect(ctx); err != nil {
		return err
	}
	if !s.readOnly {
		within, cancel := context.WithTimeout(ctx, poolerTimeout)
		defer cancel()
		if s.session, err = s.connect(within); err == nil {
			err = s.refusePooler(within)
		}
		if err != nil && within.Err() != nil && ctx.Err() == nil {
			return s.refuse("gave no second session within %v, as a pooler with too small a pool_size does; raise it, or connect to PostgreSQL itself", poolerTimeout)
		}
		if err != nil {
			return err
		}
		if err := s.createTables(ctx); err != nil {
			return err
		}
	}
	if err := s.checkFormat(ctx); err != nil {
		return err
	}
	return s.findRun(ctx, want)
}

// configure overrides the role's defaults: each commit is durable when it returns, each statement
// sees what others have committed, and no session ends because it waits. The server ends a session
// whose client has been unreachable for half a minute, unless the address sets another time.
// Settings that the server does not have are left out.
const configure = `SELECT set_config(s.name, w.value, false)
	FROM (VALUES ('search_path', $1::text), ('synchronous_commit', 'on'),
		('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'), ('statement_timeout', '0'), ('lock_timeout', '0'), ('transaction_timeout', '0'),
		('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
		('tcp_keepalives_idle', '15'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '30000')) AS w (name, value)
	JOIN pg_settings s USING (name)
	WHERE NOT (s.name = 'synchronous_commit' AND s.setting = 'remote_apply') AND NOT (s.name LIKE 'tcp%' AND s.source = 'client')`

// connect makes a session, and refuses a server that cannot hold a ledger. The simple protocol, of
// one round trip, works through any pooler.
func (s *store) connect(ctx context.Context) (*pgx.Conn, error) {
	within, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	db, err := pgx.ConnectConfig(within, s.config)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	if db.PgConn().ParameterStatus("server_encoding") != "UTF8" {
		err = s.refuse("cannot be used: its encoding is not UTF8; name a database whose encoding is")
	} else if !s.readOnly {
		err = s.refuseReadOnly(within, db)
	}
	if err == nil {
		_, err = db.Exec(within, configure, pgx.QueryExecModeSimpleProtocol, pgx.Identifier{s.schema}.Sanitize())
	}
	if err != nil {
		_ = db.Close(within)
		return nil, s.explain(ctx, err)
	}
	return db, nil
}

// refuseReadOnly refuses a standby, and a role that may only read.
func (s *store) refuseReadOnly(ctx context.Context, db *pgx.Conn) error {
	var readOnly bool
	err := db.QueryRow(ctx, "SELECT current_setting('transaction_read_only') = 'on'", pgx.QueryExecModeSimpleProtocol).Scan(&readOnly)
	if err == nil && readOnly {
		err = s.refuse(isReadOnly)
	}
	return err
}

// refusePooler refuses a pooler that assigns sessions by transaction. Behind one the worker's
// session changes while another transaction is open, or both use the same.
func (s *store) refusePooler(ctx context.Context) error {
	pooler := s.refuse("is reached through a pooler that assigns sessions by transaction, in which no claim can last; connect to PostgreSQL itself, or set the pooler's pool_mode=session")
	for range 5 { // a pooler may assign the same sessions by chance
		var before, other, after int
		if err := backend(ctx, s.session, &before); err != nil {
			return err
		}
		err := pgx.BeginFunc(ctx, s.reader, func(pgx.Tx) error {
			if err := backend(ctx, s.reader, &other); err != nil {
				return err
			}
			return backend(ctx, s.session, &after)
		})
		switch {
		case isCode(err, "08P01"): // a pooler that accepts no transactions at all
			return pooler
		case err != nil:
			return err
		case before != after, before == other:
			return pooler
		}
	}
	return nil
}

// backend reads the id of the process that serves the session now.
func backend(ctx context.Context, db *pgx.Conn, pid *int) error {
	return db.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(pid)
}
