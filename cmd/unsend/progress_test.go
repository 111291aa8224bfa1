package main

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestBarLines(t *testing.T) {
	t.Parallel()
	halfway := progressState{total: 3000, unsent: 1497, failed: 3, atLeast: 10 * time.Minute}
	outage := progressState{total: 3000, atLeast: 10 * time.Minute, waiting: 8, trouble: "dial tcp 127.0.0.1:1: connect: connection refused", parts: []progressPart{
		{name: "conn_a", total: 1000}, {name: "conn_b", total: 1000}, {name: "conn_c", total: 1000},
	}}
	tests := []struct {
		name    string
		state   progressState
		rate    int // a minute
		columns int
		rows    int
		want    []string
	}{
		{"begun", progressState{total: 10}, 0, 80, 24, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10"}},
		{"begun, with a known rate", progressState{total: 10, atLeast: time.Minute}, 0, 80, 24, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10, 1 min left"}},
		{"halfway", halfway, 60, 80, 24, []string{"████████████░░░░░░░░░░░░ 1,500 of 3,000, 3 failed, 60 a minute, 25 min left"}},
		{"faster than allowed", halfway, 600, 80, 24, []string{"████████████░░░░░░░░░░░░ 1,500 of 3,000, 3 failed, 600 a minute, 10 min left"}},
		{"narrower", halfway, 60, 70, 24, []string{"█████░░░░░ 1,500 of 3,000, 3 failed, 60 a minute, 25 min left"}},
		{"narrow", halfway, 60, 40, 24, []string{"1,500 of 3,000, 3 failed, 25 min left"}},
		{"narrower still", halfway, 60, 30, 24, []string{"1,500 of 3,000, 25 min left"}},
		{"hardly any room", halfway, 60, 12, 24, []string{"25 min left"}},
		{"no room at all", halfway, 60, 1, 24, []string{""}},
		{"one left", progressState{total: 1000, unsent: 999}, 0, 80, 24, []string{"███████████████████████░ 999 of 1,000"}},
		{"all done", progressState{total: 10, unsent: 7, failed: 1, skipped: 2}, 0, 80, 24, []string{"████████████████████████ 10 of 10, 1 failed, 2 skipped"}},
		{"nothing to do", progressState{}, 0, 80, 24, []string{"████████████████████████ 0 of 0"}},
		{"stopping", progressState{total: 10, unsent: 5, waiting: 2, stopping: true, atLeast: time.Hour}, 0, 80, 24, []string{"████████████░░░░░░░░░░░░ 5 of 10, 2 to try again, stopping"}},
		{"connections", progressState{total: 20, unsent: 6, failed: 4, parts: []progressPart{
			{name: "conn_a", total: 10, done: 5},
			{name: "connection_b", total: 10, done: 5, failed: 4, stopped: true},
		}}, 0, 80, 24, []string{
			"████████████░░░░░░░░░░░░ 10 of 20, 4 failed",
			"  conn_a        5 of 10",
			"  connection_b  5 of 10, 4 failed, stopped",
		}},
		{"one connection", progressState{total: 2, parts: make([]progressPart, 1)}, 0, 80, 24, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2"}},
		{"many connections", progressState{total: 2, parts: make([]progressPart, 7)}, 0, 80, 24, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2"}},
		{"a long name", progressState{total: 2, parts: []progressPart{{name: strings.Repeat("a", 64)}, {name: "b"}}}, 0, 60, 24, []string{
			"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 2",
			"  aaaaaaaaaaaaaaaaaaaaaaa…  0 of 0",
			"  b                         0 of 0",
		}},
		{"an outage", outage, 0, 80, 7, []string{
			"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3,000, 8 to try again, 10 min left",
			"  trouble: dial tcp 127.0.0.1:1: connect: connection refused",
			"  conn_a  0 of 1,000", "  conn_b  0 of 1,000", "  conn_c  0 of 1,000",
		}},
		{"an outage where it is low", outage, 0, 80, 5, []string{
			"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3,000, 8 to try again, 10 min left",
			"  trouble: dial tcp 127.0.0.1:1: connect: connection refused",
		}},
		{"an outage where it is narrow and low", outage, 0, 40, 7, []string{
			"░░░░░░░░░░ 0 of 3,000, 10 min left",
			"  trouble: dial tcp 127.0.0.1:1:",
			"    connect: connection refused",
			"  conn_a  0 of 1,000", "  conn_b  0 of 1,000", "  conn_c  0 of 1,000",
		}},
		{"an outage on two rows", outage, 0, 80, 2, []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3,000, 8 to try again, 10 min left"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := barLines(&tt.state, steady(tt.rate), func() (int, int) { return tt.columns, tt.rows })
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestBarLinesFit draws bars of every size: none is wider or higher than the terminal.
func TestBarLinesFit(t *testing.T) {
	t.Parallel()
	state := progressState{total: 123456, unsent: 65432, failed: 1234, waiting: 3, skipped: 12, atLeast: time.Hour, trouble: strings.Repeat("trouble ", 40), parts: make([]progressPart, 6)}
	for columns := 1; columns < 200; columns++ {
		for rows := 1; rows < 12; rows++ {
			lines := barLines(&state, steady(60), func() (int, int) { return columns, rows })
			if len(lines) > max(rows-1, 1) {
				t.Fatalf("%d lines on %d rows", len(lines), rows)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) >= columns {
					t.Fatalf("%q has no room in %d columns", line, columns)
				}
			}
		}
	}
}

// steady is a throughput of so many a minute.
func steady(rate int) *throughput {
	var t throughput
	t.add(time.Unix(0, 0), 0)
	t.add(time.Unix(60, 0), rate)
	return &t
}

func TestThroughputForgets(t *testing.T) {
	t.Parallel()
	var p throughput
	for second := range 300 {
		done := min(second, 100) * 10 // ten a second, and none from 100 s on
		p.add(time.Unix(int64(second), 0), done)
		rate := p.perMinute()
		if second > 0 && second <= 100 && math.Abs(rate-600) > 0.001 {
			t.Errorf("after %d s the rate is %v, want 600", second, rate)
		}
		if second >= 160 && rate != 0 {
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

// fakeRun is a run whose progress a test sets.
type fakeRun struct {
	mu    sync.Mutex
	state progressState
}

func (r *fakeRun) set(s progressState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
}

func (r *fakeRun) progress() (progressState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.state.total > 0
}

// TestBarKeepsItsPlace reads what stands on a terminal as time goes by and its window is resized.
func TestBarKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		terminal := newScreen(60, 10)
		var run fakeRun
		line(terminal, "a line above that is not to be lost, and long enough")
		p := startProgress(terminal, terminal.size, run.progress)
		two := []progressPart{{name: "a", total: 2, done: 1}, {name: "b", total: 2}}
		run.set(progressState{total: 4, unsent: 1, parts: two, atLeast: time.Minute})
		elapse(drawEvery)
		const above = "a line above that is not to be lost, and long enough"
		terminal.want(t, above, "██████░░░░░░░░░░░░░░░░░░ 1 of 4, 1 min left", "  a  1 of 2", "  b  0 of 2")
		terminal.resize(30, 10) // the bar is broken into two rows
		elapse(drawEvery)
		terminal.want(t, above, "██░░░░░░░░ 1 of 4, 1 min left", "  a  1 of 2", "  b  0 of 2")
		terminal.resize(80, 3)
		elapse(drawEvery)
		terminal.want(t, above, "██████░░░░░░░░░░░░░░░░░░ 1 of 4, 1 min left")
		terminal.resize(20, 4)
		elapse(drawEvery)
		terminal.resize(100, 24)
		p.say("a line that stays")
		terminal.want(t, above, "a line that stays", "██████░░░░░░░░░░░░░░░░░░ 1 of 4, 1 min left", "  a  1 of 2", "  b  0 of 2")
		_, _ = terminal.Write([]byte("^C")) // as the terminal shows it
		elapse(drawEvery)
		p.stop()
		terminal.want(t, above, "a line that stays")
	})
}

func TestProgressInLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		began := time.Now()
		var mu sync.Mutex
		trouble := ""
		p := startProgress(&out, nil, func() (progressState, bool) {
			mu.Lock()
			defer mu.Unlock()
			return progressState{total: 600, unsent: 100 + int(time.Since(began)/time.Second), trouble: trouble}, true
		})
		elapse(lineEvery*2 + time.Second)
		mu.Lock()
		trouble = "nobody answers"
		mu.Unlock()
		elapse(2 * time.Second) // trouble is told at once
		p.say("nearly there")
		p.stop()
		want := `130 of 600 done, 60 a minute, 7 min 50 s left
160 of 600 done, 60 a minute, 7 min 20 s left
162 of 600 done, 60 a minute, 7 min 18 s left; trouble: nobody answers
nearly there
`
		if got := out.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// elapse lets virtual time pass, and what is due then happen.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
