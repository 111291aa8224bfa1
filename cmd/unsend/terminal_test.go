//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// session is the command as a process of its own. The screen shows what it prints: without a
// terminal on standard error alone.
type session struct {
	*screen

	cmd      *exec.Cmd
	stdout   bytes.Buffer
	terminal *os.File
	read     chan struct{}
}

// start starts the command without a terminal, in dir, against the server, after prepare, if it is
// not nil.
func start(t *testing.T, dir, url string, prepare func(*exec.Cmd), args ...string) *session {
	t.Helper()
	s := &session{screen: newScreen(), cmd: command(t, dir, url, args...)}
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, s.screen
	if prepare != nil {
		prepare(s.cmd)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// onTerminal starts it on a new terminal.
func onTerminal(t *testing.T, dir, url string, args ...string) *session {
	t.Helper()
	s := &session{screen: newScreen(), cmd: command(t, dir, url, args...), read: make(chan struct{})}
	if os.Getenv("TERM") == "" {
		s.cmd.Env = append(s.cmd.Env, "TERM=xterm")
	}
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

func (s *session) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

func (s *session) keys(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.terminal, text); err != nil {
		t.Fatal(err)
	}
}

// end waits for the command, and fails unless it ends with the exit code.
func (s *session) end(t *testing.T, want int) {
	t.Helper()
	_ = s.cmd.Wait() // its error has no more than the exit code
	if s.terminal != nil {
		<-s.read
		_ = s.terminal.Close()
	}
	if got := s.cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit code %d, want %d:\n%s", got, want, s.text())
	}
}

const ctrlC = "\x03"

// TestBatchSession is a batch as a person lives it: plan, question, bar, Ctrl-C, and on again.
func TestBatchSession(t *testing.T) {
	t.Parallel()
	dir := messages(t)
	g := newGate(t, 30)
	plan := []string{
		`messages\.csv: 60 messages on 2 connections of http://127\.0\.0\.1:\d+, within each connection's`,
		`burst of 90`,
		`  30 on conn_a`,
		`  30 on conn_b`,
		`  ledger: messages\.csv\.unsend\.db`,
	}
	const question = `Unsend 60 messages on conn_a, conn_b of http://127\.0\.0\.1:\d+\? This cannot be undone\. \[y/N\] `
	s := onTerminal(t, dir, g.url, "batch", "messages.csv")
	s.waitFor(t, question+"$")
	s.want(t, append(plan, question)...)
	s.keys(t, "y\n")
	s.waitFor(t, `^█+░+ 30 of 60\b`)
	s.want(t, append(plan, question+"y",
		`████████████░░░░░░░░░░░░ 30 of 60(, [0-9,]+ a minute)?(, .* left)?`,
	)...)
	s.keys(t, ctrlC)
	s.waitFor(t, `^Finishing what is in flight; Ctrl-C again stops at once\.$`)
	s.waitFor(t, `30 of 60.*, stopping$`)
	g.open()
	s.end(t, exitInterrupted)
	unsent := g.server.Counts().Unsent
	s.want(t, append(plan, question+"y",
		`Finishing what is in flight; Ctrl-C again stops at once\.`,
		`60 messages, \d+ s:`,
		fmt.Sprintf(`  %d  unsent`, unsent),
		fmt.Sprintf(`  %d  open: not sent, or without an outcome`, 60-unsent),
		`  The service was on this machine: if it was a mock, nothing real was unsent\.`,
		fmt.Sprintf(`To continue with %d messages:`, 60-unsent),
		`  unsend batch messages\.csv`,
	)...)

	s = onTerminal(t, dir, g.url, "batch", "messages.csv")
	s.waitFor(t, `This cannot be undone\. \[y/N\] $`)
	s.waitFor(t, fmt.Sprintf(`^messages\.csv: %d messages on [12] connections? of `, 60-unsent))
	s.waitFor(t, fmt.Sprintf(`^  %d messages final from earlier runs$`, unsent))
	s.keys(t, "y\n")
	s.end(t, exitOK)
	s.waitFor(t, `^60 messages, \d+ s:\n  60  unsent$`)
	if got := g.server.Counts(); got.Unsent != 60 || got.Requests != 60 {
		t.Errorf("the mock saw %+v, want each of 60 messages unsent by one request", got)
	}
}

// TestBarCountsThePlan: what was done before the run is neither done nor to be done in it.
func TestBarCountsThePlan(t *testing.T) {
	t.Parallel()
	dir := messages(t)
	file := filepath.Join(dir, "messages.csv")
	list := readFile(t, file)
	writeFile(t, file, strings.Join(strings.SplitAfter(list, "\n")[:31], ""))
	onTerminal(t, dir, newGate(t, 30).url, "batch", "messages.csv", "--yes").end(t, exitOK)
	writeFile(t, file, list)
	g := newGate(t, 10)
	s := onTerminal(t, dir, g.url, "batch", "messages.csv", "--yes")
	s.waitFor(t, `^messages\.csv: 30 messages on 2 connections`)
	s.waitFor(t, `^█+░+ 10 of 30\b`)
	s.keys(t, ctrlC)
	g.open()
	s.end(t, exitInterrupted)
}

// TestBatchStoppedAtOnce presses Ctrl-C twice while no response comes.
func TestBatchStoppedAtOnce(t *testing.T) {
	t.Parallel()
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
	s.waitFor(t, `^  58  open: not sent, or without an outcome$`)
	s.waitFor(t, `^  2 failed, this machine: canceled before a response came; 2 may have been unsent$`)
	s.waitFor(t, `^To continue with 60 messages:$`)
	s.waitFor(t, `^  unsend batch messages\.csv --yes$`)
}

// TestBatchQuestion: anything but yes sends nothing.
func TestBatchQuestion(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys string
		code int
		want string
	}{
		"no":     {"n\n", exitUsage, `^unsend batch: not confirmed by y or yes; nothing was sent$`},
		"Ctrl-D": {"\x04", exitUsage, `^unsend batch: not confirmed by y or yes; nothing was sent$`},
		"Ctrl-C": {ctrlC, exitInterrupted, `^unsend batch: interrupted; nothing was sent$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := messages(t)
			g := newGate(t, 60)
			s := onTerminal(t, dir, g.url, "batch", "messages.csv")
			s.waitFor(t, `\[y/N\] $`)
			s.keys(t, row.keys)
			s.end(t, row.code)
			s.waitFor(t, row.want)
			if n := g.server.Counts().Requests; n != 0 {
				t.Errorf("%d requests were sent", n)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.db*")); left != nil {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

// TestBatchTypedAhead: what is typed before the question is dropped.
func TestBatchTypedAhead(t *testing.T) {
	t.Parallel()
	dir, g := messages(t), newGate(t, 60)
	list := readFile(t, filepath.Join(dir, "messages.csv"))
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	s := onTerminal(t, dir, g.url, "batch", "pipe", "--ledger", "l.db")
	s.keys(t, "y\ny")
	s.waitFor(t, "^y\ny$") // as the terminal echoes it
	writeFile(t, pipe, list)
	s.waitFor(t, `\[y/N\] $`)
	s.keys(t, "\n")
	s.end(t, exitUsage)
	s.waitFor(t, `^unsend batch: not confirmed by y or yes; nothing was sent$`)
	if n := g.server.Counts().Requests; n != 0 {
		t.Errorf("%d requests were sent; want 0", n)
	}
}

// TestBatchOnMock: the question names the mock. If the file changes while
// the question is open, what the plan showed is sent.
func TestBatchOnMock(t *testing.T) {
	t.Parallel()
	dir := messages(t)
	s := onTerminal(t, dir, "", "batch", "messages.csv", "--mock")
	s.waitFor(t, `^Unsend 60 messages on conn_a, conn_b of the mock\? Nothing real is unsent\. \[y/N\] $`)
	writeFile(t, filepath.Join(dir, "messages.csv"), "user_id,message_id,connection_id\n6,1,conn_a\n")
	s.keys(t, "y\n")
	s.end(t, exitOK)
	s.waitFor(t, `^60 messages, \d+ s:\n  60  unsent$`)
}

// TestBatchWithoutNetwork: the bar has the reason within seconds.
func TestBatchWithoutNetwork(t *testing.T) {
	t.Parallel()
	s := onTerminal(t, messages(t), "http://127.0.0.1:1", "batch", "messages.csv", "--yes")
	s.waitFor(t, `^  failing now: no response came: connection refused; `)
	s.keys(t, ctrlC)
	s.end(t, exitInterrupted)
	s.waitFor(t, `^  [0-9]+ failed, service or network: no response came$`)
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
