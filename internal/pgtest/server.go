// Package pgtest gives tests a real PostgreSQL: that of UNSEND_TEST_POSTGRES, or a throw-away
// server from the programs on this machine.
package pgtest

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	address  string // of its administrator
	dir      string // of a throw-away server: its data and its socket
	programs string
	settings []string
	stdin    io.WriteCloser
	ended    chan struct{}
	output   string // file that its log goes to
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns a server that all tests of this process share. It does not sync, so that it is
// fast. Where there is none the test is skipped; under CI it fails.
func Shared(t testing.TB) *Server {
	t.Helper()
	if address := os.Getenv("UNSEND_TEST_POSTGRES"); address != "" {
		return &Server{address: address}
	}
	shared.once.Do(func() {
		shared.server, shared.err = start("fsync=off", "full_page_writes=off")
	})
	if shared.err != nil {
		missing(t, shared.err)
	}
	return shared.server
}

// New starts a server of the test's own, which it may stop, with settings such as
// "wal_level=minimal". It syncs what it commits.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(settings...)
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(func() {
		s.Stop("QUIT")
		_ = os.RemoveAll(s.dir)
	})
	return s
}

func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no PostgreSQL: %v", err)
	}
	t.Skipf("no PostgreSQL: %v; install its server, or set UNSEND_TEST_POSTGRES to the address of one", err)
}

// programs returns the folder of initdb and postgres. Debian keeps them off PATH.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql*/bin/initdb", "/usr/local/opt/postgresql*/bin/initdb"} {
		found, _ := filepath.Glob(pattern) // the pattern is well formed
		if len(found) > 0 {
			return filepath.Dir(slices.Max(found)), nil
		}
	}
	return "", fmt.Errorf("initdb is neither on PATH nor where packages put it")
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
	s := &Server{dir: dir, programs: bin, settings: settings, output: filepath.Join(dir, "log")}
	s.address = "postgres:///postgres?" + url.Values{"host": {dir}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode()
	if os.Getuid() == 0 { // which PostgreSQL refuses
		if out, err := exec.CommandContext(context.Background(), "chown", "postgres", dir).CombinedOutput(); err != nil { //nolint:gosec // a folder of ours
			return nil, fmt.Errorf("chown postgres %s: %s", dir, out)
		}
	}
	initdb := s.command(filepath.Join(bin, "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--pgdata="+filepath.Join(dir, "data"))
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

// Throwaway reports whether the server is one of ours, of which a test may make users.
func (s *Server) Throwaway() bool { return s.dir != "" }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	if os.Getuid() == 0 {
		args = append([]string{"-u", "postgres", "--", name}, args...)
		name = "runuser"
	}
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // a program of PostgreSQL
	cmd.Dir = s.dir
	return cmd
}

// guard runs a server until its standard input says with what signal to stop it, or ends because
// the test has: then nothing of the server is left.
const guard = `"$@" </dev/null >>"$LOG" 2>&1 & pid=$!; how=; read -r how; kill -"${how:-QUIT}" $pid; wait $pid; test -n "$how" || rm -rf "$DIR"`

// Start starts a server that was stopped, and waits until it answers.
func (s *Server) Start() error {
	args := []string{"LOG=" + s.output, "DIR=" + s.dir, "sh", "-c", guard, "guard", filepath.Join(s.programs, "postgres"),
		"-D", filepath.Join(s.dir, "data"), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := s.command("env", args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.stdin, s.ended = stdin, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // the log has it
		close(ended)
	}(s.ended)
	deadline := time.Now().Add(time.Minute)
	for {
		if err = s.answers(); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(s.output)
			return fmt.Errorf("postgres does not answer: %w: %s", err, log)
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // a server has no other way to say so
	}
}

func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	db, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return err
	}
	return db.Close(ctx)
}

// Stop stops the server with a signal: INT ends all sessions, QUIT is a crash.
func (s *Server) Stop(signal string) {
	_, _ = io.WriteString(s.stdin, signal+"\n") // it may have been stopped before
	_ = s.stdin.Close()
	<-s.ended
}

// Admin returns a session of the administrator.
func (s *Server) Admin(t testing.TB) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	return db
}

// Exec runs statements as the administrator.
func (s *Server) Exec(t testing.TB, text string, args ...any) {
	t.Helper()
	db := s.Admin(t)
	if _, err := db.Exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	_ = db.Close(t.Context())
}

var schemas atomic.Int32

// Address returns an address with a schema of the test's own, which goes with the test. More is
// further parameters, such as "user", "worker".
func (s *Server) Address(t testing.TB, more ...string) string {
	t.Helper()
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if db, err := pgx.Connect(ctx, s.address); err == nil {
			_, _ = db.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
			_ = db.Close(ctx)
		}
	})
	return With(s.address, append([]string{"schema", schema}, more...)...)
}

// With sets parameters of an address.
func With(address string, more ...string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // of the test's making
	}
	values := u.Query()
	for pair := range slices.Chunk(more, 2) {
		values.Set(pair[0], pair[1])
	}
	u.RawQuery = values.Encode()
	return u.String()
}

// ProcessorTime returns what the sessions of a throw-away server that have ended have used; 0
// where the system does not say.
func (s *Server) ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(pid), "\n")
	stat, err := os.ReadFile(filepath.Join("/proc", first, "stat")) //nolint:gosec // a process of ours
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	ticks := 0
	for _, field := range fields[13:15] { // cutime and cstime, in hundredths of a second
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// Param returns a parameter of an address.
func Param(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // of the test's making
	}
	return u.Query().Get(name)
}

// Socket returns the folder of a throw-away server's socket.
func (s *Server) Socket() string { return s.dir }
