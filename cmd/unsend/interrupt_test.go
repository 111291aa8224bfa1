//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// TestMessageInterrupted sends a signal while the service holds its response back.
func TestMessageInterrupted(t *testing.T) {
	t.Parallel()
	g := newGate(t, 0)
	s := start(t, "", g.url, nil, "message", "--json", "5", "6")
	<-g.held
	s.signal(t, os.Interrupt)
	s.end(t, exitInterrupted)
	s.want(t, `unsend message: interrupted; the message may have been unsent; run it again.*`)
	if !strings.Contains(s.stdout.String(), `"maybe_unsent": true`) {
		t.Errorf("standard output is %q, want maybe_unsent in it", &s.stdout)
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
	s := start(t, "", front.URL, nil, "message", "--verbose", "5", "6")
	s.waitFor(t, "level=DEBUG.* status=429")
	s.signal(t, os.Interrupt)
	s.end(t, exitInterrupted)
	s.waitFor(t, "^unsend message: interrupted; the message was not unsent$")
}

// TestBatchTerminated ends a batch as a cluster ends a container, or a connection that breaks its
// terminal: it prints lines, and can be resumed. While it runs no other process gets its ledger.
func TestBatchTerminated(t *testing.T) {
	t.Parallel()
	for _, sent := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sent.String(), func(t *testing.T) {
			t.Parallel()
			wantTerminated(t, sent)
		})
	}
}

func wantTerminated(t *testing.T, sent os.Signal) {
	t.Helper()
	caught := make(chan os.Signal, 1) // else the command ignores what this process ignores, as under nohup
	signal.Notify(caught, sent)
	defer signal.Stop(caught)
	dir, g := messages(t), newGate(t, 10)
	s := start(t, dir, g.url, nil, "batch", "messages.csv", "--yes")
	<-g.held
	second := start(t, dir, g.url, nil, "batch", "messages.csv", "--yes")
	second.end(t, exitUsage)
	second.want(t, `unsend batch: ledger messages\.csv\.unsend\.db is in use by another process; .*`)
	s.signal(t, sent)
	const finishing = `Finishing what is in flight; Ctrl-C again stops at once\.`
	s.waitFor(t, finishing)
	g.open()
	s.end(t, exitInterrupted)
	s.want(t, `messages\.csv: 60 messages on 2 connections of .*`, "  30 on conn_a", "  30 on conn_b",
		`  ledger: messages\.csv\.unsend\.db`, finishing)
	if !strings.HasSuffix(s.stdout.String(), "\n  unsend batch messages.csv --yes\n") {
		t.Errorf("standard output does not end with the command that resumes the run:\n%s", &s.stdout)
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
	s := start(t, messages(t), g.url, func(cmd *exec.Cmd) { cmd.Stdout = outcomes }, "batch", "messages.csv", "--yes", "--json")
	<-g.held
	s.signal(t, os.Interrupt)
	s.waitFor(t, "^Finishing what is in flight")
	s.signal(t, os.Interrupt)
	s.end(t, exitInterrupted)
	s.waitFor(t, `^  unsend batch messages\.csv --yes --json$`)
}

// TestBatchInterruptedWhileReading sends a signal while standard input is silent.
func TestBatchInterruptedWhileReading(t *testing.T) {
	t.Parallel()
	var in io.WriteCloser
	s := start(t, "", "", func(cmd *exec.Cmd) { in, _ = cmd.StdinPipe() }, "batch", "--mock", "--yes", "-")
	// More than a pipe holds: once it is written, the command is reading.
	if _, err := io.WriteString(in, "user_id,message_id\n"+strings.Repeat("5,6\n", 50_000)); err != nil {
		t.Fatal(err)
	}
	s.signal(t, os.Interrupt)
	s.end(t, exitInterrupted)
	s.want(t, "unsend batch: interrupted; nothing was sent")
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
