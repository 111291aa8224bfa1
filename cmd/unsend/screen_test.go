package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// screen is a terminal with the few sequences that the command uses. It keeps the lines, and
// wakes those who wait for something to appear.
type screen struct {
	mu           sync.Mutex
	all          []byte   // that was written
	pending      []byte   // of a sequence or a character that has not ended
	lines        [][]rune // that were written, however a window breaks them
	line, column int      // of the cursor
	changed      chan struct{}
}

func newScreen() *screen { return &screen{lines: make([][]rune, 1), changed: make(chan struct{})} }

// token matches a sequence, or a character.
var token = regexp.MustCompile(`^(?s:\x1b\[(\??[0-9]*)([A-Za-z])|[^\x1b])`)

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p...)
	s.pending = append(s.pending, p...)
	for utf8.FullRune(s.pending) {
		match := token.FindSubmatch(s.pending)
		if match == nil {
			break
		}
		s.step(string(match[0]), string(match[1]), string(match[2]))
		s.pending = s.pending[len(match[0]):]
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return len(p), nil
}

// step carries out a sequence, or puts a character.
func (s *screen) step(text, number, command string) {
	switch {
	case text == "\r":
		s.column = 0
	case text == "\n": // as a terminal takes it that a program has not made raw
		s.column = 0
		if s.line++; s.line == len(s.lines) {
			s.lines = append(s.lines, nil)
		}
	case command == "A":
		n, _ := strconv.Atoi(number)
		s.line = max(s.line-n, 0)
	case command == "J":
		s.lines = s.lines[:s.line+1]
		s.lines[s.line] = s.lines[s.line][:min(s.column, len(s.lines[s.line]))]
	case command == "":
		for len(s.lines[s.line]) <= s.column {
			s.lines[s.line] = append(s.lines[s.line], ' ')
		}
		s.lines[s.line][s.column], _ = utf8.DecodeRuneInString(text)
		s.column++
	}
}

// text is what stands on the screen, and has scrolled off it.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(string(line) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
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

// want fails unless each line of the screen matches its pattern.
func (s *screen) want(t *testing.T, lines ...string) {
	t.Helper()
	got := strings.Split(strings.TrimRight(s.text(), "\n"), "\n")
	if !slices.EqualFunc(got, lines, func(line, pattern string) bool {
		return regexp.MustCompile("^" + pattern + "$").MatchString(line)
	}) {
		t.Errorf("the screen shows:\n%s\nwant these lines:\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}
