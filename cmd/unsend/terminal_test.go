//go:build unix

package main

import (
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
	"testing"

	"github.com/creack/pty"

	"github.com/unsend-go/unsend/mock"
)

// session is the command on a terminal.
type session struct {
	*screen

	cmd      *exec.Cmd
	terminal *os.File
	read     chan struct{}
}

// onTerminal starts the command on a new terminal, in dir, against the server.
func onTerminal(t *testing.T, dir, url string, args ...string) *session {
	t.Helper()
	if os.Getenv("TERM") == "" {
		t.Setenv("TERM", "xterm")
	}
	s := &session{screen: newScreen(), cmd: exec.CommandContext(t.Context(), "unsend", args...), read: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envBaseURL+"="+url)
	terminal, err := pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 40, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	s.terminal = terminal
	go func() {
		defer close(s.read)
		_, _ = io.Copy(s.screen, terminal) // ends with an error of the terminal that has gone
	}()
	return s
}

func (s *session) keys(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.terminal, text); err != nil {
		t.Fatal(err)
	}
}

// end waits for the command and asks for its exit code.
func (s *session) end(t *testing.T, want int) {
	t.Helper()
	_ = s.cmd.Wait() // says no more than the exit code
	<-s.read
	_ = s.terminal.Close()
	if got := s.cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit code %d, want %d:\n%s", got, want, s.text())
	}
}

const ctrlC = "\x03"

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

// TestBatchSession is a batch as a person lives it: plan, question, bar, Ctrl-C, and on again.
func TestBatchSession(t *testing.T) {
	dir := messages(t)
	g := newGate(t, 30)
	s := onTerminal(t, dir, g.url, "batch", "messages.csv")
	s.waitFor(t, `This cannot be undone\. \[y/N\] $`)
	s.want(t,
		`messages\.csv: 60 messages on 2 connections, within the burst of 90 that each has`,
		`Take back 60 messages\? This cannot be undone\. \[y/N\] `,
	)
	s.keys(t, "y\n")
	s.waitFor(t, `^█+░+ 30 of 60\b`)
	s.waitFor(t, `^  conn_b  \d+ of 30$`)
	s.want(t,
		`messages\.csv: 60 messages on 2 connections, within the burst of 90 that each has`,
		`Take back 60 messages\? This cannot be undone\. \[y/N\] y`,
		`████████████░░░░░░░░░░░░ 30 of 60(, [0-9,]+ a minute, .* left)?`,
		`  conn_a  \d+ of 30`,
		`  conn_b  \d+ of 30`,
	)
	s.keys(t, ctrlC)
	s.waitFor(t, `^Finishing what is in flight; Ctrl-C again stops at once\.$`)
	s.waitFor(t, `30 of 60.*, stopping$`)
	g.open()
	s.end(t, exitInterrupted)
	unsent := g.server.Counts().Unsent
	s.want(t,
		`messages\.csv: 60 messages on 2 connections, within the burst of 90 that each has`,
		`Take back 60 messages\? This cannot be undone\. \[y/N\] y`,
		`Finishing what is in flight; Ctrl-C again stops at once\.`,
		`60 messages, \d+ s:`,
		fmt.Sprintf(`  %d  unsent`, unsent),
		fmt.Sprintf(`  %d  not sent`, 60-unsent),
		fmt.Sprintf(`To go on with %d messages:`, 60-unsent),
		`  unsend batch messages\.csv --resume`,
	)

	s = onTerminal(t, dir, g.url, "batch", "messages.csv", "--resume")
	s.waitFor(t, `This cannot be undone\. \[y/N\] $`)
	s.keys(t, "y\n")
	s.end(t, exitOK)
	s.want(t,
		fmt.Sprintf(`messages\.csv: %d messages on [12] connections?, within the burst of 90 that each has`, 60-unsent),
		fmt.Sprintf(`  %d messages ended in an earlier run`, unsent),
		fmt.Sprintf(`Take back %d messages\? This cannot be undone\. \[y/N\] y`, 60-unsent),
		`60 messages, \d+ s:`,
		`  60  unsent`,
	)
	if got := g.server.Counts(); got.Unsent != 60 || got.Requests != 60 {
		t.Errorf("the mock saw %+v, want each of 60 messages unsent by one request", got)
	}
}

// TestBatchStoppedAtOnce presses Ctrl-C twice while nothing is answered.
func TestBatchStoppedAtOnce(t *testing.T) {
	g := newGate(t, 0)
	s := onTerminal(t, messages(t), g.url, "batch", "messages.csv", "--yes")
	<-g.held
	<-g.held // one on each connection
	s.waitFor(t, `^░+ 0 of 60$`)
	s.keys(t, ctrlC)
	s.waitFor(t, `^Finishing what is in flight`)
	s.keys(t, ctrlC)
	s.end(t, exitInterrupted)
	s.waitFor(t, `^   0  unsent$`)
	s.waitFor(t, `^   2  failed$`)
	s.waitFor(t, `^  58  not sent$`)
	s.waitFor(t, `^  2  interrupted  resume \(2 may have been unsent\)$`)
	s.waitFor(t, `^To go on with 60 messages:$`)
	s.waitFor(t, `^  unsend batch messages\.csv --yes --resume$`)
}

// TestBatchQuestion answers it with anything but yes.
func TestBatchQuestion(t *testing.T) {
	for name, answer := range map[string]struct {
		keys string
		code int
		says string
	}{
		"no":      {"n\n", exitFailed, `^unsend batch: not confirmed; nothing was sent$`},
		"nothing": {"\n", exitFailed, `^unsend batch: not confirmed; nothing was sent$`},
		"Ctrl-D":  {"\x04", exitFailed, `^unsend batch: not confirmed; nothing was sent$`},
		"Ctrl-C":  {ctrlC, exitInterrupted, `^unsend batch: interrupted; nothing was sent$`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := messages(t)
			g := newGate(t, 60)
			s := onTerminal(t, dir, g.url, "batch", "messages.csv")
			s.waitFor(t, `\[y/N\] $`)
			s.keys(t, answer.keys)
			s.end(t, answer.code)
			s.waitFor(t, answer.says)
			if n := g.server.Counts().Requests; n != 0 {
				t.Errorf("%d requests were sent", n)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*journal*")); left != nil {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

// TestBatchWithoutBar draws none where it could not be drawn over, nor among other lines. A bar
// that is taken away in the end leaves no trace, so that all that was written is searched.
func TestBatchWithoutBar(t *testing.T) {
	for name, args := range map[string][]string{
		"dumb terminal": {"batch", "messages.csv", "--yes"},
		"outcomes":      {"batch", "messages.csv", "--yes", "--json"},
		"log":           {"batch", "messages.csv", "--yes", "--verbose"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "dumb terminal" {
				t.Setenv("TERM", "dumb")
			}
			s := onTerminal(t, messages(t), newGate(t, 60).url, args...)
			s.end(t, exitOK)
			if strings.ContainsAny(s.written(), "█░") {
				t.Error("a bar was drawn")
			}
		})
	}
}
