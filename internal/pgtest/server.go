// Package pgtest gives tests a real PostgreSQL: that of UNSEND_TEST_POSTGRES, or a throw-away
// server from the programs on this machine.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	Dir      string // of a throw-away server, whose socket is in it; empty for another
	address  string // of its administrator
	programs string
	settings []string
	stdin    io.WriteCloser
	ended    chan struct{}
}

// fast is without syncs, for tests that do not crash it.
var fast = sync.OnceValues(func() (*Server, error) { return start("fsync=off", "full_page_writes=off") })

// Shared returns a server that all tests of this process share. It does not sync. Where there is
// none the test is skipped; under CI it fails.
func Shared(t testing.TB) *Server {
	t.Helper()
	if address := os.Getenv("UNSEND_TEST_POSTGRES"); address != "" {
		return &Server{address: address}
	}
	s, err := fast()
	skipWithout(t, err)
	return s
}

// New starts a server of the test's own, which it may stop. It syncs what it commits.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	skipWithout(t, err)
	t.Cleanup(func() {
		s.Stop("QUIT")
		_ = os.RemoveAll(s.Dir)
	})
	return s
}

func skipWithout(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("no PostgreSQL: %v", err)
	default:
		t.Skipf("no PostgreSQL: %v; install its server, or set UNSEND_TEST_POSTGRES to the address of one", err)
	}
}

// programs returns the folder of initdb and postgres. Packages keep them off PATH.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	for _, folder := range []string{"/usr/lib/postgresql/*", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql*", "/usr/local/opt/postgresql*"} {
		if found, _ := filepath.Glob(folder + "/bin/initdb"); len(found) > 0 { // the pattern is well formed
			return filepath.Dir(slices.Max(found)), nil
		}
	}
	return "", errors.New("initdb is neither on PATH nor where packages put it")
}

func start(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "unsend-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, programs: bin, settings: settings}
	s.address = "postgres:///postgres?" + url.Values{"host": {dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()
	if os.Getuid() == 0 { // which PostgreSQL refuses
		out, err := exec.CommandContext(context.Background(), "chown", "postgres", dir).CombinedOutput() //nolint:gosec // a folder of ours
		if err != nil {
			return nil, fmt.Errorf("chown postgres %s: %s", dir, out)
		}
	}
	initdb := s.command(filepath.Join(bin, "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C",
		"--pgdata="+filepath.Join(dir, "data"))
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	// The user "guarded", whom a test may make, needs a password.
	rules := "local all guarded scram-sha-256\nlocal all all trust\n" //nolint:dupword // all databases, all users
	if err := os.WriteFile(filepath.Join(dir, "data", "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		return nil, err
	}
	return s, s.Start()
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	if os.Getuid() == 0 {
		args = append([]string{"-u", "postgres", "--", name}, args...)
		name = "runuser"
	}
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // a program of PostgreSQL
	cmd.Dir = s.Dir
	return cmd
}

// guard runs a server until its standard input has the signal by which to stop it, or ends because
// the test has: then nothing of the server is left.
const guard = `"$@" </dev/null >>"$0/log" 2>&1 & pid=$!; how=; read -r how
kill -"${how:-QUIT}" $pid; wait $pid; test -n "$how" || rm -rf "$0"`

// Start starts a server that was stopped, and waits until it responds.
func (s *Server) Start() error {
	args := []string{"-c", guard, s.Dir, filepath.Join(s.programs, "postgres"), "-D", filepath.Join(s.Dir, "data"),
		"-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.Dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := s.command("sh", args...)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	s.stdin, s.ended = stdin, ended
	go func() {
		_ = cmd.Wait() // the log has it
		close(ended)
	}()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if err = s.exec(context.Background(), "SELECT 1"); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // nothing can be waited for in a server
	}
	log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return fmt.Errorf("postgres does not respond: %w: %s", err, log)
}

// Stop stops the server with a signal: INT ends all sessions, QUIT is a crash.
func (s *Server) Stop(signal string) {
	_, _ = io.WriteString(s.stdin, signal+"\n") // it may have been stopped before
	_ = s.stdin.Close()
	<-s.ended
}

func (s *Server) exec(ctx context.Context, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	db, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, text, args...)
	return errors.Join(err, db.Close(ctx))
}

// Exec runs statements as the administrator.
func (s *Server) Exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if err := s.exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// Address returns an address with a schema of the test's own, which goes with the test.
func (s *Server) Address(t testing.TB) string {
	t.Helper()
	schema := fmt.Sprintf("test_%d_%s", os.Getpid(), strings.ToLower(rand.Text()))
	t.Cleanup(func() {
		_ = s.exec(context.Background(), "DROP SCHEMA IF EXISTS "+schema+" CASCADE") // a test that stopped its server may leave it so
	})
	return With(s.address, "schema", schema)
}

// With sets parameters of an address, such as "user", "worker".
func With(address string, more ...string) string {
	base, query, _ := strings.Cut(address, "?")
	values, _ := url.ParseQuery(query) // an address of ours
	for pair := range slices.Chunk(more, 2) {
		values.Set(pair[0], pair[1])
	}
	return base + "?" + values.Encode()
}

// Param returns a parameter of an address.
func Param(address, name string) string {
	_, query, _ := strings.Cut(address, "?")
	values, _ := url.ParseQuery(query) // an address of ours
	return values.Get(name)
}
