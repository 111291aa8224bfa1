package postgres

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// TestPooler runs pgBouncer in each of its modes. What cannot work is refused in time, with what to do.
func TestPooler(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	for _, c := range []struct{ mode, want string }{
		{mode: "transaction", want: "pool_mode=session"},
		{mode: "statement", want: "pool_mode=session"},
		{mode: "session\ndefault_pool_size = 1", want: "no second session"},
		{mode: "session"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			address := pgtest.With(server.Address(t), "host", startPooler(t, server, c.mode), "port", "6432")
			for range 2 { // sessions are used again
				start := time.Now()
				l, err := Open(t.Context(), address, "june", batch.ForMock())
				if took := time.Since(start); took > 30*time.Second {
					t.Errorf("opening took %v; want at most 30 s", took)
				}
				if c.want != "" {
					wantRefused(t, err, batch.ErrLedger, c.want)
					return
				}
				must(t, err)
				_, err = l.Add(t.Context(), testItems(2, 5))
				must(t, err)
				must(t, l.Close())
			}
		})
	}
}

// startPooler starts pgBouncer before the server, and returns the folder of its socket.
func startPooler(t *testing.T, server *pgtest.Server, mode string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; os.Getenv("CI") == "true" {
			t.Fatal("pgbouncer is not installed")
		} else if _, err := os.Stat(program); err != nil {
			t.Skip("pgbouncer is not installed")
		}
	}
	if server.Dir == "" {
		t.Skip("UNSEND_TEST_POSTGRES may not have a pooler before it")
	}
	dir, err := os.MkdirTemp("", "unsend-pgb-") //nolint:usetesting // a short path, for the socket
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o777)) //nolint:gosec // pgBouncer is another user
	config := filepath.Join(dir, "pgbouncer.ini")
	must(t, os.WriteFile(config, []byte(fmt.Sprintf(`[databases]
* = host=%s user=postgres
[pgbouncer]
unix_socket_dir = %s
listen_port = 6432
auth_type = any
pool_mode = %s
`, server.Dir, dir, mode)), 0o644))
	args := []string{"-q", config}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "postgres"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended by then
	for range 500 {
		if conn, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.6432")); err == nil { // the file is there before it listens
			_ = conn.Close()
			return dir
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // it has no other way to say so
	}
	t.Fatal("pgbouncer does not listen")
	return ""
}
