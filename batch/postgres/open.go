// Package postgres keeps a ledger in PostgreSQL, so that many machines work on one list of
// messages.
//
//	ledger, err := postgres.Open(ctx, "postgres://unsend@db.example.com/ops", "june", batch.ForService(client))
//	…
//	for result := range batch.Run(ctx, client, ledger, batch.Options{}) {
//
// Every machine runs the same program. Each claims connections that nobody works on; when a
// machine dies, its session with the database ends, its claims become free within seconds, and
// the others go on with them. Before a request is sent it is recorded, through the session that
// holds the claims: a worker that has lost them records nothing, and so sends nothing.
//
// # Address
//
// The address is what PostgreSQL's own clients take: a URL or key=value pairs, completed by the
// environment (PGHOST, PGPASSWORD, PGSERVICE and others), the service file and the password
// file. One parameter is this package's own: schema names the schema that the tables are in;
// the default is unsend.
//
// # Poolers
//
// A claim lives in a session. A pooler that hands out sessions for one transaction at a time,
// such as pgBouncer with pool_mode=transaction, is refused on opening.
package postgres

import (
	"context"
	_ "embed"
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
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsend-go/unsend/batch"
)

const (
	defaultSchema  = "unsend"
	connectTimeout = 15 * time.Second
	maxRunName     = 100
)

// Open opens the ledger of a named run in the database of dsn, and creates its tables where they
// are missing; the name, of 1 to 100 printable characters, is made up by who loads the messages.
// A new run is for the service of [batch.ForService] or [batch.ForMock], which must be given but
// for [batch.ReadOnly]. Every error is a [batch.ErrLedger], a [batch.ErrOptions] or that of ctx;
// no text of this package holds the password.
func Open(ctx context.Context, dsn, run string, opts ...batch.Option) (*batch.Ledger, error) {
	want, err := batch.StoreOptionsOf(opts...)
	if err != nil {
		return nil, err
	}
	s, err := newStore(dsn, run)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx, want); err != nil {
		_ = s.Close() // the first error says more
		return nil, err
	}
	return batch.NewLedger(s, opts...)
}

func newStore(dsn, run string) (*store, error) {
	if run == "" || utf8.RuneCountInString(run) > maxRunName || strings.ContainsFunc(run, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return nil, fmt.Errorf("%w: the name of a run has 1 to %d printable characters, not %q", batch.ErrOptions, maxRunName, run)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil || strandedPassword(dsn) {
		return nil, fmt.Errorf("%w: %s", batch.ErrOptions, explainAddress(err))
	}
	s := &store{run: run, config: config, schema: defaultSchema}
	if schema, ok := config.RuntimeParams["schema"]; ok {
		delete(config.RuntimeParams, "schema")
		if s.schema = schema; schema == "" || strings.HasPrefix(schema, "pg_") {
			return nil, fmt.Errorf("%w: schema=%s in the ledger's address names no schema that can be used", batch.ErrOptions, schema)
		}
	}
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

// strandedPassword reports whether an address has an @ where none can be: a password that holds
// one, or a slash, and is not percent-encoded, is then read as part of the host or the database.
func strandedPassword(dsn string) bool {
	_, rest, ok := strings.Cut(dsn, "://")
	if !ok {
		return false
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	return strings.Contains(rest, "@")
}

// explainAddress says why an address cannot be read. The parser's own text may hold a part of
// the password, so only errors of files are told.
func explainAddress(err error) string {
	if file, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Sprintf("the ledger's address names a file that cannot be read: %v", file)
	}
	return "the ledger's address cannot be read; want postgres://USER@HOST:PORT/DATABASE, characters of a password such as @ and / percent-encoded, or key=value pairs that PostgreSQL knows"
}

// open connects, and makes sure that the tables and the run are there.
func (s *store) open(ctx context.Context, want batch.StoreOptions) error {
	s.readOnly = want.ReadOnly
	var err error
	if s.reader, err = s.connect(ctx); err != nil {
		return err
	}
	if !s.readOnly {
		if s.session, err = s.connect(ctx); err != nil {
			return err
		}
		if err := checkSessions(ctx, s.session, s.reader); err != nil {
			return s.explain(ctx, err)
		}
		if err := s.migrate(ctx); err != nil {
			return s.explain(ctx, err)
		}
	}
	if err := s.checkFormat(ctx); err != nil {
		return s.explain(ctx, err)
	}
	return s.findRun(ctx, want.Service)
}

// connect makes a session.
func (s *store) connect(ctx context.Context) (*pgx.Conn, error) {
	within, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config := s.config.Copy()
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, db *pgconn.PgConn) error {
		if validate != nil {
			if err := validate(ctx, db); err != nil {
				return err
			}
		}
		return s.checkServer(ctx, db)
	}
	db, err := pgx.ConnectConfig(within, config)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	// The simple protocol needs one round trip, so that this works through any pooler.
	if _, err := db.Exec(within, configure, pgx.QueryExecModeSimpleProtocol, pgx.Identifier{s.schema}.Sanitize()); err != nil {
		_ = db.Close(within)
		return nil, s.explain(ctx, err)
	}
	return db, nil
}

// configure sets what a worker relies on, whatever the role's defaults are: each commit is on
// the disk before it returns, and no session ends because it waits. A session whose client can
// no longer be reached ends within half a minute, unless the address says otherwise. Settings
// that the server does not know are left out.
const configure = `SELECT set_config(s.name, w.value, false)
	FROM (VALUES ('search_path', $1::text), ('synchronous_commit', 'on'), ('statement_timeout', '0'), ('lock_timeout', '0'), ('transaction_timeout', '0'),
		('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
		('tcp_keepalives_idle', '15'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '30000')) AS w (name, value)
	JOIN pg_settings s USING (name)
	WHERE NOT (s.name = 'synchronous_commit' AND s.setting = 'remote_apply') AND NOT (s.name LIKE 'tcp%' AND s.source = 'client')`

var errReadOnly = errors.New("read-only")

// checkServer refuses a server that cannot keep a ledger, or goes on to the next of several.
func (s *store) checkServer(ctx context.Context, db *pgconn.PgConn) error {
	results, err := db.Exec(ctx, "SELECT current_setting('transaction_read_only'), current_setting('server_encoding')").ReadAll()
	if err != nil {
		return err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return errNoServer
	}
	switch row := results[0].Rows[0]; {
	case string(row[0]) == "on" && !s.readOnly:
		return errReadOnly
	case string(row[1]) != "UTF8":
		return errEncoding
	}
	return nil
}

// checkSessions refuses a pooler that gives a session to whoever begins a transaction: what a
// has left between two of its own then serves b, or a itself gets another.
func checkSessions(ctx context.Context, a, b *pgx.Conn) error {
	for range 5 {
		before, err := backend(ctx, a)
		if err != nil {
			return err
		}
		_, err = b.Exec(ctx, "BEGIN")
		if isCode(err, "08P01") {
			return errPooler // one that takes no transactions at all
		}
		if err != nil {
			return err
		}
		other, err := backend(ctx, b)
		if err != nil {
			return err
		}
		after, err := backend(ctx, a)
		if err != nil {
			return err
		}
		if _, err := b.Exec(ctx, "ROLLBACK"); err != nil {
			return err
		}
		if before != after || before == other {
			return errPooler
		}
	}
	return nil
}

// backend is the process that serves the session now.
func backend(ctx context.Context, db *pgx.Conn) (pid int, err error) {
	err = db.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid, err
}

// findRun finds the run, or makes it.
func (s *store) findRun(ctx context.Context, service string) error {
	find := func() error {
		return s.reader.QueryRow(ctx, "SELECT id, service FROM run WHERE name = $1", s.run).Scan(&s.runID, &s.service)
	}
	err := find()
	if errors.Is(err, pgx.ErrNoRows) && !s.readOnly && service != "" {
		if _, err = s.session.Exec(ctx, "INSERT INTO run (name, service) VALUES ($1, $2) ON CONFLICT DO NOTHING", s.run, service); err == nil {
			err = find()
		}
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows) && !s.readOnly:
		return fmt.Errorf("%w: %s is new: say with ForService or ForMock what it is for", batch.ErrOptions, s.name)
	case errors.Is(err, pgx.ErrNoRows):
		return s.refuse("holds no run of that name%s", s.otherRuns(ctx))
	case err != nil:
		return s.explain(ctx, err)
	}
	return batch.CheckService(s, service)
}

// otherRuns lists the latest runs, for somebody who has mistyped one.
func (s *store) otherRuns(ctx context.Context) string {
	rows, err := s.reader.Query(ctx, "SELECT name FROM run ORDER BY id DESC LIMIT 10")
	if err != nil {
		return ""
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return ""
	}
	return "; it has " + strings.Join(names, ", ")
}
