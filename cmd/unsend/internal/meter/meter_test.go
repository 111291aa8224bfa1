package meter

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBarLines(t *testing.T) {
	halfway := State{Total: 3000, Unsent: 1497, Failed: 3, AtLeast: 10 * time.Minute}
	tests := []struct {
		name  string
		state State
		rate  int // a minute
		width int
		want  []string
	}{
		{"begun", State{Total: 10}, 0, 80, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10"}},
		{"begun, with a known pace", State{Total: 10, AtLeast: time.Minute}, 0, 80, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10, 1 min left"}},
		{"halfway", halfway, 60, 80, []string{"████████████░░░░░░░░░░░░ 1,500 of 3,000, 3 failed, 60 a minute, 25 min left"}},
		{"faster than allowed", halfway, 600, 80, []string{"████████████░░░░░░░░░░░░ 1,500 of 3,000, 3 failed, 600 a minute, 10 min left"}},
		{"narrow", halfway, 60, 50, []string{"████████████░░░░░░░░░░░░ 1,500 of 3,000, 3 faile…"}},
		{"no room at all", halfway, 60, 1, []string{""}},
		{"one left", State{Total: 1000, Unsent: 999}, 0, 80, []string{"███████████████████████░ 999 of 1,000"}},
		{"all done", State{Total: 10, Unsent: 7, Failed: 1, Skipped: 2}, 0, 80, []string{"████████████████████████ 10 of 10, 1 failed, 2 skipped"}},
		{"nothing to do", State{}, 0, 80, []string{"████████████████████████ 0 of 0"}},
		{"stopping", State{Total: 10, Unsent: 5, Waiting: 2, Stopping: true, AtLeast: time.Hour}, 0, 80, []string{"████████████░░░░░░░░░░░░ 5 of 10, 2 to try again, stopping"}},
		{"parts", State{Total: 20, Unsent: 6, Failed: 4, Parts: []Part{
			{Name: "conn_a", Total: 10, Done: 5},
			{Name: "connection_b", Total: 10, Done: 5, Failed: 4, Note: "stopped: SESSION_EXPIRED"},
		}}, 0, 80, []string{
			"████████████░░░░░░░░░░░░ 10 of 20, 4 failed",
			"  conn_a        5 of 10",
			"  connection_b  5 of 10, 4 failed, stopped: SESSION_EXPIRED",
		}},
		{"one part", State{Total: 2, Parts: make([]Part, 1)}, 0, 80, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2"}},
		{"many parts", State{Total: 2, Parts: make([]Part, 7)}, 0, 80, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2"}},
		{"a long name", State{Total: 2, Parts: []Part{{Name: strings.Repeat("a", 64)}, {Name: "b"}}}, 0, 60, []string{
			"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2",
			"  aaaaaaaaaaaaaaaaaaaaaaa…  0 of 0",
			"  b                         0 of 0",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := barLines(tt.state, steady(tt.rate), tt.width); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// steady is a pace of so many a minute.
func steady(rate int) *pace {
	var p pace
	p.add(time.Unix(0, 0), 0)
	p.add(time.Unix(60, 0), rate)
	return &p
}

func TestPaceForgets(t *testing.T) {
	var p pace
	for second := range 300 {
		done := min(second, 100) * 10 // ten a second, and none from 100 s on
		p.add(time.Unix(int64(second), 0), done)
		switch rate := p.perMinute(); {
		case second > 0 && second <= 100 && math.Abs(rate-600) > 0.001:
			t.Errorf("after %d s the rate is %v, want 600", second, rate)
		case second >= 160 && rate != 0:
			t.Errorf("after %d s the rate is %v, want 0", second, rate)
		}
	}
	if len(p.samples) > 62 {
		t.Errorf("%d samples are kept for a minute", len(p.samples))
	}
	if got := p.left(10, 0); got >= 0 {
		t.Errorf("at a standstill %v are left, want nothing said", got)
	}
}

// TestStartOnATerminal reads what stands on the screen as time goes by.
func TestStartOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		state := State{Total: 4}
		var mu sync.Mutex
		set := func(s State) { mu.Lock(); defer mu.Unlock(); state = s }
		m := Start(&out, func() int { return 60 }, func() State { mu.Lock(); defer mu.Unlock(); return state })
		wantScreen(t, &out, "░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 4")
		two := []Part{{Name: "a", Total: 2, Done: 1}, {Name: "b", Total: 2}}
		set(State{Total: 4, Unsent: 1, Parts: two})
		elapse(drawEvery)
		wantScreen(t, &out, "██████░░░░░░░░░░░░░░░░░░ 1 of 4", "  a  1 of 2", "  b  0 of 2")
		set(State{Total: 4, Unsent: 4})
		elapse(drawEvery)
		wantScreen(t, &out, "████████████████████████ 4 of 4")
		m.Say("two lines")
		m.Say("that stay")
		wantScreen(t, &out, "two lines", "that stay", "████████████████████████ 4 of 4")
		m.Stop()
		wantScreen(t, &out, "two lines", "that stay")
	})
}

func TestStartElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		began := time.Now()
		state := func() State {
			return State{Total: 600, Unsent: 100 + int(time.Since(began)/time.Second), Earlier: 100}
		}
		m := Start(&out, nil, state)
		elapse(lineEvery*2 + time.Second)
		m.Say("nearly there")
		m.Stop()
		want := "130 of 600 done, 60 a minute, 7 min 50 s left\n160 of 600 done, 60 a minute, 7 min 20 s left\nnearly there\n"
		if got := out.written.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// elapse lets virtual time pass, and what is due then happen.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// terminal carries out what the meter asks of one.
type terminal struct {
	written strings.Builder
	rows    []string
}

func (s *terminal) Write(p []byte) (int, error) {
	s.written.Write(p)
	text := string(p)
	if strings.HasPrefix(text, "\x1b[") {
		var up int
		for _, digit := range text[2:strings.Index(text, "A")] {
			up = up*10 + int(digit-'0')
		}
		text = strings.TrimPrefix(text[strings.Index(text, "A")+1:], "\r\x1b[J")
		s.rows = s.rows[:len(s.rows)-up]
	}
	for line := range strings.Lines(text) {
		s.rows = append(s.rows, strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

func wantScreen(t *testing.T, s *terminal, want ...string) {
	t.Helper()
	if !slices.Equal(s.rows, want) {
		t.Errorf("the screen shows\n%s\nwant\n%s", strings.Join(s.rows, "\n"), strings.Join(want, "\n"))
	}
}
