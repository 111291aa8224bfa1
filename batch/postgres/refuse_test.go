package postgres

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// planted is a password that no text may hold, nor a part of it.
const planted = "pl4nted/s3cret@x"

const plantedInURL = "pl4nted%2Fs3cret%40x"

// wantRefused fails unless err is one line that holds want and nothing of the password.
func wantRefused(t *testing.T, err, kind error, want string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), want) {
		t.Fatalf("refused with %v (%T); want a %q with %q", err, err, kind, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one line", err)
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, "pl4nted") || strings.Contains(text, "s3cret") {
			t.Errorf("%q holds the password", text)
		}
	}
	t.Log(err)
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, address, run, want string }{
		{name: "no URL", address: "postgres://u:" + planted + "@h/d%zz", run: "june", want: "address cannot be read"},
		{name: "a slash in the password", address: "postgres://u:pl4nted/s3cret@h/d", run: "june", want: "percent-encoded"},
		{name: "digits and a slash", address: "postgres://u:5432/s3cret@h/d", run: "june", want: "percent-encoded"},
		{name: "an @ in the password", address: "postgres://u:pl4nted@s3cret@h/d", run: "june", want: "percent-encoded"},
		{name: "a percent sign in the password", address: "postgres://u:pl4nted%s3cret@h/d", run: "june", want: "percent-encoded"},
		{name: "a blank in the password", address: "host=h password=pl4nted s3cret", run: "june", want: "address cannot be read"},
		{name: "a port that is none", address: "postgres://u:pl4nted@h:s3cret/d", run: "june", want: "address cannot be read"},
		{name: "a file that is missing", address: "postgres://u:pl4nted@h/d?sslmode=verify-full&sslrootcert=/none.pem", run: "june",
			want: "/none.pem"},
		{name: "a schema of the server's", address: "postgres://u:pl4nted@h/d?schema=pg_catalog", run: "june", want: "schema=pg_catalog"},
		{name: "the standard's schema", address: "postgres://u:pl4nted@h/d?schema=information_schema", run: "june", want: "information_schema"},
		{name: "no schema", address: "postgres://u:pl4nted@h/d?schema=", run: "june", want: "schema="},
		{name: "no run", address: "postgres://u:pl4nted@h/d", want: "name of a run"},
		{name: "a run of two lines", address: "postgres://u:pl4nted@h/d", run: "a\nb", want: "name of a run"},
		{name: "a run too long", address: "postgres://u:pl4nted@h/d", run: strings.Repeat("x", 101), want: "name of a run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), c.address, c.run, batch.ForMock())
			wantRefused(t, err, batch.ErrOptions, c.want)
		})
	}
	_, err := Open(t.Context(), "postgres://h/d", "june", nil)
	wantRefused(t, err, batch.ErrOptions, "option 1 is nil")
}

// TestRefusedServers connects to servers that are none, or do not respond.
func TestRefusedServers(t *testing.T) {
	t.Parallel()
	serve := func(response string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			var silent []net.Conn // kept, or else they would be closed as garbage
			for {
				conn, err := listener.Accept()
				if err != nil {
					break // the test is over
				}
				_, _ = conn.Write([]byte(response))
				if silent = append(silent, conn); response != "" {
					_ = conn.Close()
				}
			}
			for _, conn := range silent {
				_ = conn.Close()
			}
		}()
		return listener.Addr().String()
	}
	user := "postgres://u:" + plantedInURL + "@"
	for _, c := range []struct{ name, address, want string }{
		{name: "none", address: user + "127.0.0.1:1/d", want: "cannot be reached: connection refused"},
		{name: "no socket", address: user + "/d?host=/none", want: "no server listens at that path"},
		{name: "no such host", address: user + "h.invalid/d", want: "h.invalid"},
		{name: "of something else", address: user + serve("HTTP/1.1 400 Bad Request\r\n\r\n") + "/d?sslmode=disable", want: "cannot be reached"},
		{name: "without TLS", address: user + serve("N") + "/d?sslmode=require", want: "reached: tls error: server refused TLS connection"},
		{name: "silent", address: user + serve("") + "/d?sslmode=disable&connect_timeout=1", want: "does not respond"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), c.address, "june", batch.ForMock())
			wantRefused(t, err, batch.ErrLedger, c.want)
		})
	}
}

func TestRefusedUsers(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	if server.Dir == "" {
		t.Skip("UNSEND_TEST_POSTGRES is not a server on which a test may make users")
	}
	server.Exec(t, "DROP DATABASE IF EXISTS latin") // of an earlier -count, as the roles
	server.Exec(t, "DROP ROLE IF EXISTS guarded, stranger, poor, worker, reader")
	server.Exec(t, "CREATE ROLE guarded LOGIN PASSWORD '"+planted+"'")
	server.Exec(t, "CREATE ROLE stranger LOGIN")
	server.Exec(t, "CREATE ROLE poor LOGIN")
	server.Exec(t, "CREATE ROLE worker LOGIN")
	server.Exec(t, "CREATE ROLE reader LOGIN")
	server.Exec(t, "CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0")
	address := server.Address(t)
	ledger := openStore(t, address, "june")
	load(t, ledger, 2, 4)
	schema := ledger.schema
	server.Exec(t, "GRANT USAGE ON SCHEMA "+schema+" TO poor, worker, reader")
	for _, text := range documentedSQL(t) {
		server.Exec(t, strings.NewReplacer("unsend.", schema+".", "SCHEMA unsend", "SCHEMA "+schema,
			"FROM message m JOIN run", "FROM "+schema+".message m JOIN "+schema+".run").Replace(text))
	}

	for _, c := range []struct {
		name, address, want string
		opts                []batch.Option
	}{
		{name: "a wrong password", address: pgtest.With(address, "user", "guarded", "password", planted+"?"),
			want: "rejects the user guarded"},
		{name: "no password", address: pgtest.With(address, "user", "guarded"), want: "PGPASSWORD"},
		{name: "no such user", address: pgtest.With(address, "user", "nobody"), want: `role "nobody" does not exist`},
		{name: "no such database", address: pgtest.With(address, "dbname", "none"), want: `database "none" does not exist`},
		{name: "may not create", address: pgtest.With(address, "user", "poor", "schema", "poor"), want: "denies the user poor a right"},
		{name: "may not look", address: pgtest.With(address, "user", "stranger"), want: "a right: permission denied for schema"},
		{name: "may not read", address: pgtest.With(address, "user", "poor"), want: "a right: permission denied for table ledger"},
		{name: "may not write", address: pgtest.With(address, "user", "reader"), want: "denies the user"},
		{name: "read-only", address: pgtest.With(address, "options", "-cdefault_transaction_read_only=on"),
			want: "is read-only: a standby, or default_transaction_read_only is on"},
		{name: "nothing to read", address: server.Address(t), want: "has no ledger in the schema", opts: []batch.Option{batch.ReadOnly()}},
		{name: "another encoding", address: pgtest.With(address, "dbname", "latin"), want: "encoding is not UTF8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.opts == nil {
				c.opts = []batch.Option{batch.ForMock()}
			}
			l, err := Open(t.Context(), c.address, "june", c.opts...)
			if err == nil {
				_, err = l.Add(t.Context(), testItems(2, 5))
			}
			wantRefused(t, err, batch.ErrLedger, c.want)
		})
	}
	t.Run("the right password", func(t *testing.T) {
		t.Parallel()
		server.Exec(t, "GRANT worker TO guarded")
		s := openStore(t, pgtest.With(address, "user", "guarded", "password", planted), "june")
		if strings.Contains(s.Name(), "pl4nted") || !strings.Contains(s.Name(), "june") {
			t.Errorf("the ledger is called %s", s.Name())
		}
	})
	t.Run("the least rights", func(t *testing.T) {
		t.Parallel()
		s := openStore(t, pgtest.With(address, "user", "worker"), "july")
		load(t, s, 2, 2000)
		load(t, s, 1, 1)
		must(t, s.Begin(t.Context(), true))
		names, _ := claim(t, s)
		must(t, s.Write(t.Context(), sending(first(t, s, names[0]))))
		must(t, s.Release(t.Context(), names))
		must(t, s.End(t.Context()))
	})
	t.Run("the rights to read", func(t *testing.T) {
		t.Parallel()
		readOnly := pgtest.With(address, "user", "reader", "options", "-cdefault_transaction_read_only=on")
		l, err := Open(t.Context(), readOnly, "june", batch.ReadOnly())
		must(t, err)
		defer func() { _ = l.Close() }()
		report, err := l.Report(t.Context())
		must(t, err)
		if report.Items != 4 {
			t.Errorf("the report counts %d messages; want 4", report.Items)
		}
		_, err = l.Add(t.Context(), testItems(2, 5))
		wantRefused(t, err, batch.ErrLedger, "reading only")
	})
}

// documentedSQL returns the SQL of docs/batch/ledger-postgres.md for an administrator.
func documentedSQL(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "batch", "ledger-postgres.md"))
	must(t, err)
	for i, block := range strings.Split(string(text), "```") {
		if sql, ok := strings.CutPrefix(block, "sql\n"); ok && i%2 == 1 {
			list = append(list, sql)
		}
	}
	if len(list) != 2 {
		t.Fatalf("the page has %d blocks of SQL; want the rights and a query", len(list))
	}
	return list
}

func TestRefusedLedgers(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	for _, c := range []struct {
		name, run, spoil, want string
		opt                    batch.Option
	}{
		{name: "newer", spoil: "UPDATE ledger SET format = 3", want: "newer version of this program (format 3; this one reads 2)"},
		{name: "older", spoil: "UPDATE ledger SET format = 1", want: "older format (1; this one requires 2)"},
		{name: "somebody else's", spoil: "DROP TABLE ledger; CREATE TABLE ledger (account text)", want: "is not as this program made it"},
		{name: "half of one", spoil: "DROP TABLE ledger", want: "is not as this program made it"},
		{name: "a table is missing", spoil: "DROP TABLE run CASCADE", want: "is not as this program made it"},
		{name: "another service's", spoil: "UPDATE run SET service = 'https://api.example.com/v2'",
			want: "is of https://api.example.com/v2, not of the mock"},
		{name: "no such run", run: "juen", opt: batch.ReadOnly(), want: "holds no run of that name; it has june"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := server.Address(t)
			s := openStore(t, address, "june")
			if c.spoil != "" {
				_, err := s.session.Exec(t.Context(), c.spoil)
				must(t, err)
			}
			if c.run == "" {
				c.run, c.opt = "june", batch.ForMock()
			}
			_, err := Open(t.Context(), address, c.run, c.opt)
			wantRefused(t, err, batch.ErrLedger, c.want)
		})
	}
	_, err := Open(t.Context(), server.Address(t), "june")
	wantRefused(t, err, batch.ErrOptions, "ForService")
}
