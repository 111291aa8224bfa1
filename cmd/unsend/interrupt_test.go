//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// process is the command as a process of its own, without a terminal.
type process struct {
	*exec.Cmd

	stdout bytes.Buffer
	stderr *bufio.Scanner
}

// start starts the command in dir against the server, after prepare, if it is not nil.
func start(t *testing.T, dir, url string, prepare func(*process), args ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, dir, url, args...)}
	p.Stdout = &p.stdout
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewScanner(stderr)
	if prepare != nil {
		prepare(p)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Error(err)
	}
}

// wantInterrupted reads standard error to its end, calls seen for each line, and returns the
// lines. The exit code must be that of an interruption.
func (p *process) wantInterrupted(t *testing.T, seen func(line string)) []string {
	t.Helper()
	var lines []string
	for p.stderr.Scan() {
		lines = append(lines, p.stderr.Text())
		if seen != nil {
			seen(p.stderr.Text())
		}
	}
	_ = p.Wait() // its error has no more than the exit code
	if got := p.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code %d, want %d; standard error:\n%s", got, exitInterrupted, strings.Join(lines, "\n"))
	}
	return lines
}

// TestMessageInterrupted sends a signal while the service holds its response back.
func TestMessageInterrupted(t *testing.T) {
	t.Parallel()
	g := newGate(t, 0)
	p := start(t, "", g.url, nil, "message", "--json", "5", "6")
	<-g.held
	p.signal(t, os.Interrupt)
	lines := p.wantInterrupted(t, nil)
	const want = "unsend message: interrupted; the message may have been unsent; run it again"
	if len(lines) != 1 || !strings.HasPrefix(lines[0], want) {
		t.Errorf("standard error is %q, want one line that starts with %q", lines, want)
	}
	if !strings.Contains(p.stdout.String(), `"maybe_unsent": true`) {
		t.Errorf("standard output is %q, want maybe_unsent in it", &p.stdout)
	}
}

// TestMessageInterruptedWhileWaiting sends a signal while the client waits after a 429. The message
// was not unsent, which is printed.
func TestMessageInterruptedWhileWaiting(t *testing.T) {
	t.Parallel()
	server := mock.New()
	server.Next(mock.Fault{Status: http.StatusTooManyRequests, RetryAfter: "50"})
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	p := start(t, "", front.URL, nil, "message", "--verbose", "5", "6")
	lines := p.wantInterrupted(t, func(line string) {
		if strings.Contains(line, "status=429") && strings.Contains(line, "level=DEBUG") {
			p.signal(t, os.Interrupt)
		}
	})
	const want = "unsend message: interrupted; the message was not unsent"
	if len(lines) == 0 || lines[len(lines)-1] != want {
		t.Errorf("standard error is %q, want %q as its last line", lines, want)
	}
}

// TestBatchTerminated ends a batch as a cluster ends a container, by SIGTERM, without a terminal:
// it prints lines, and can be resumed. While it runs no other process gets its ledger.
func TestBatchTerminated(t *testing.T) {
	t.Parallel()
	dir, g := messages(t), newGate(t, 10)
	p := start(t, dir, g.url, nil, "batch", "messages.csv", "--yes")
	<-g.held
	second := command(t, dir, g.url, "batch", "messages.csv", "--yes")
	out, _ := second.CombinedOutput() // whose exit code is read below
	if got := second.ProcessState.ExitCode(); got != exitUsage {
		t.Errorf("a second run on the ledger ends with %d, want %d", got, exitUsage)
	}
	if want := "unsend batch: ledger messages.csv.unsend.db is in use by another process"; !strings.Contains(string(out), want) {
		t.Errorf("a second run on the ledger prints\n%s\nwant %s", out, want)
	}
	p.signal(t, syscall.SIGTERM)
	lines := p.wantInterrupted(t, func(line string) {
		if strings.HasPrefix(line, "Finishing what is in flight") {
			g.open()
		}
	})
	if len(lines) != 5 {
		t.Errorf("standard error is %q, want the plan and a line about the end", lines)
	}
	if !strings.HasSuffix(p.stdout.String(), "\n  unsend batch messages.csv --yes\n") {
		t.Errorf("standard output does not end with the command that resumes the run:\n%s", &p.stdout)
	}
}

// TestBatchOfStalledReader presses Ctrl-C twice while nobody reads a pipe that is full.
func TestBatchOfStalledReader(t *testing.T) {
	t.Parallel()
	g := newGate(t, 1)
	unread, outcomes, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = unread.Close(), outcomes.Close() }()
	for err == nil {
		_ = outcomes.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, err = outcomes.Write(make([]byte, 1<<10))
	}
	p := start(t, messages(t), g.url, func(p *process) { p.Stdout = outcomes }, "batch", "messages.csv", "--yes", "--json")
	<-g.held
	p.signal(t, os.Interrupt)
	lines := p.wantInterrupted(t, func(line string) {
		if strings.HasPrefix(line, "Finishing what is in flight") {
			p.signal(t, os.Interrupt)
		}
	})
	if want := "  unsend batch messages.csv --yes --json"; lines[len(lines)-1] != want {
		t.Errorf("standard error is %q, want %q as its last line", lines, want)
	}
}

// TestBatchInterruptedWhileReading sends a signal while standard input is silent.
func TestBatchInterruptedWhileReading(t *testing.T) {
	t.Parallel()
	var in io.WriteCloser
	p := start(t, "", "", func(p *process) { in, _ = p.StdinPipe() }, "batch", "--mock", "--yes", "-")
	// More than a pipe holds: once it is written, the command is reading.
	if _, err := io.WriteString(in, "user_id,message_id\n"+strings.Repeat("5,6\n", 50_000)); err != nil {
		t.Fatal(err)
	}
	p.signal(t, os.Interrupt)
	if lines := p.wantInterrupted(t, nil); len(lines) != 1 || lines[0] != "unsend batch: interrupted; nothing was sent" {
		t.Errorf("standard error is %q, want one line", lines)
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
