//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// TestMessageInterrupted sends a signal while the service holds its answer back.
func TestMessageInterrupted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		signal os.Signal
		json   bool
	}{
		{"Ctrl-C", os.Interrupt, false},
		{"SIGTERM", syscall.SIGTERM, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server, arrived := heldServer(t)
			cmd := exec.CommandContext(t.Context(), "unsend", "message", "--json="+map[bool]string{true: "true", false: "false"}[tt.json], "5", "6")
			cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envConnection+"="+mock.DemoConnection, envBaseURL+"="+server.URL)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-arrived
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // says no more than the exit code
			if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
				t.Errorf("exit code %d, want %d", got, exitInterrupted)
			}
			const want = "unsend message: interrupted; the message may have been unsent; run it again"
			if got := stderr.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
				t.Errorf("standard error is %q, want one line that starts with %q", got, want)
			}
			if got := strings.Contains(stdout.String(), `"maybe_unsent": true`); got != tt.json {
				t.Errorf("standard output is %q", &stdout)
			}
		})
	}
}

// TestMessageInterruptedWhileWaiting sends a signal while the client waits as a 429 asks. The
// message was not unsent, and the line says so.
func TestMessageInterruptedWhileWaiting(t *testing.T) {
	t.Parallel()
	server := mock.New()
	server.Next(mock.Fault{Status: http.StatusTooManyRequests, RetryAfter: "50"})
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	cmd := exec.CommandContext(t.Context(), "unsend", "message", "--verbose", "5", "6")
	cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envConnection+"="+mock.DemoConnection, envBaseURL+"="+front.URL)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if last = lines.Text(); strings.Contains(last, "status=429") && strings.Contains(last, "level=DEBUG") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // says no more than the exit code
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d", got, exitInterrupted)
	}
	if want := "unsend message: interrupted; the message was not unsent"; last != want {
		t.Errorf("the last line on standard error is %q, want %q", last, want)
	}
}

// heldServer takes requests and answers none before the test ends. A value on the channel says
// that one has arrived.
func heldServer(t *testing.T) (*httptest.Server, <-chan struct{}) {
	t.Helper()
	arrived := make(chan struct{}, 1)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	t.Cleanup(func() {
		close(release)
		server.Close()
	})
	return server, arrived
}

// TestBatchTerminated ends a batch as a cluster ends a container, by SIGTERM, without a
// terminal: it says so in lines, and can be gone on with. While it runs no other process gets
// its ledger.
func TestBatchTerminated(t *testing.T) {
	t.Parallel()
	dir, g := messages(t), newGate(t, 10)
	cmd := exec.CommandContext(t.Context(), "unsend", "batch", "messages.csv", "--yes")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envBaseURL+"="+g.url)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-g.held
	second := exec.CommandContext(t.Context(), "unsend", "batch", "messages.csv", "--yes")
	second.Dir, second.Env = cmd.Dir, cmd.Env
	if out, _ := second.CombinedOutput(); second.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "unsend batch: ledger messages.csv.unsend.db is in use by another process") {
		t.Errorf("a second run on the ledger ends with %d:\n%s", second.ProcessState.ExitCode(), out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if said = append(said, lines.Text()); strings.HasPrefix(lines.Text(), "Finishing what is in flight") {
			g.open()
		}
	}
	_ = cmd.Wait() // says no more than the exit code
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d", got, exitInterrupted)
	}
	if len(said) != 5 {
		t.Errorf("standard error is %q, want the plan and a line about the end", said)
	}
	if !strings.HasSuffix(stdout.String(), "\n  unsend batch messages.csv --yes\n") {
		t.Errorf("standard output does not end with the command to go on with:\n%s", &stdout)
	}
}

// TestBatchOfStalledReader presses Ctrl-C twice while nobody reads a pipe that is full.
func TestBatchOfStalledReader(t *testing.T) {
	t.Parallel()
	dir, g := messages(t), newGate(t, 1)
	unread, outcomes, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = unread.Close(), outcomes.Close() }()
	for err == nil {
		_ = outcomes.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, err = outcomes.Write(make([]byte, 1<<10))
	}
	cmd := exec.CommandContext(t.Context(), "unsend", "batch", "messages.csv", "--yes", "--json")
	cmd.Dir, cmd.Stdout = dir, outcomes
	cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envBaseURL+"="+g.url)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-g.held
	lines := bufio.NewScanner(stderr)
	interrupt := func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	}
	interrupt()
	var said strings.Builder
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Finishing what is in flight") {
			interrupt()
		}
	}
	_ = cmd.Wait() // says no more than the exit code
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d", got, exitInterrupted)
	}
	if want := "\n  unsend batch messages.csv --yes --json\n"; !strings.HasSuffix(said.String(), want) {
		t.Errorf("standard error does not end with the command that resumes the run:\n%s", &said)
	}
}

// TestBatchInterruptedWhileReading sends a signal while standard input says nothing.
func TestBatchInterruptedWhileReading(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "unsend", "batch", "--mock", "--yes", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: once it is written, the command is reading.
	if _, err := io.WriteString(in, "user_id,message_id\n"+strings.Repeat("5,6\n", 50_000)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says no more than the exit code
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted || out.String() != "unsend batch: interrupted; nothing was sent\n" {
		t.Errorf("exit code %d, want %d:\n%s", got, exitInterrupted, &out)
	}
}

// gate lets a number of requests through to the mock and holds the others until it is opened.
type gate struct {
	server *mock.Server
	url    string
	left   atomic.Int64
	held   chan struct{} // a value for each request that is held
	opened chan struct{}
	open   func()
}

func newGate(t *testing.T, through int64) *gate {
	t.Helper()
	g := &gate{
		server: mock.New(mock.WithConnections(mock.Connection{ID: "conn_a"}, mock.Connection{ID: "conn_b"})),
		held:   make(chan struct{}, 100),
		opened: make(chan struct{}),
	}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	g.left.Store(through)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.left.Add(-1) < 0 {
			g.held <- struct{}{}
			<-g.opened
		}
		g.server.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		g.open()
		front.Close()
	})
	g.url = front.URL
	return g
}

// messages writes 60 of them, on two connections, and returns the directory.
func messages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("user_id,message_id,connection_id\n")
	for i := range 60 {
		fmt.Fprintf(&b, "5,%d,conn_%c\n", i+1, 'a'+i%2)
	}
	if err := os.WriteFile(filepath.Join(dir, "messages.csv"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
