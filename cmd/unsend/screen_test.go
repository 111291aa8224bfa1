//go:build unix

package main

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a terminal of the few things that the command asks of one. It keeps what stands
// on it, and wakes those who wait for something to appear.
type screen struct {
	mu      sync.Mutex
	all     []byte // that was written
	pending []byte // of a sequence that has not ended
	rows    []string
	row     int // of the cursor
	changed chan struct{}
}

func newScreen() *screen { return &screen{rows: []string{""}, changed: make(chan struct{})} }

var sequence = regexp.MustCompile(`^\x1b\[([0-9]*)([A-Z])`)

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p...)
	s.pending = append(s.pending, p...)
	for len(s.pending) > 0 && s.step() {
		continue
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return len(p), nil
}

// step carries out what comes next, and reports whether all of it is there.
func (s *screen) step() bool {
	switch c := s.pending[0]; c {
	case '\r':
		s.pending = s.pending[1:]
	case '\n':
		if s.row++; s.row == len(s.rows) {
			s.rows = append(s.rows, "")
		}
		s.pending = s.pending[1:]
	case 0x1b:
		match := sequence.FindSubmatch(s.pending)
		if match == nil {
			return false
		}
		s.carryOut(string(match[1]), string(match[2]))
		s.pending = s.pending[len(match[0]):]
	default:
		s.rows[s.row] += string([]byte{c})
		s.pending = s.pending[1:]
	}
	return true
}

func (s *screen) carryOut(number, command string) {
	switch command {
	case "A":
		n, _ := strconv.Atoi(number)
		// A terminal stops at its top. It comes to that where Ctrl-C had the system throw away
		// lines that were written and not yet read.
		s.row = max(s.row-n, 0)
	case "J":
		s.rows = s.rows[:s.row+1]
		s.rows[s.row] = ""
	}
}

// text is what stands on the screen.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.rows, "\n")
}

// written is all that was ever written.
func (s *screen) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.all)
}

// waitFor waits until a pattern stands on the screen, ^ and $ being the ends of a line.
func (s *screen) waitFor(t *testing.T, pattern string) {
	t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	timeout := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if re.MatchString(s.text()) {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no match for %s on the screen:\n%s", pattern, s.text())
		}
	}
}

// want asks that the screen reads so, line for line, each a pattern.
func (s *screen) want(t *testing.T, lines ...string) {
	t.Helper()
	got := strings.Split(strings.TrimRight(s.text(), "\n"), "\n")
	for i, line := range got {
		if i >= len(lines) || !regexp.MustCompile("^"+lines[i]+"$").MatchString(line) {
			t.Errorf("line %d of the screen is %q; want these lines:\n%s\nbut it shows:\n%s", i+1, line, strings.Join(lines, "\n"), s.text())
			return
		}
	}
	if len(got) < len(lines) {
		t.Errorf("the screen ends before %q:\n%s", lines[len(got)], s.text())
	}
}
