package main

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestBarLines(t *testing.T) {
	t.Parallel()
	halfway := progressState{total: 3000, done: 1500, failed: 3, atLeast: 10 * time.Minute}
	outage := progressState{total: 3000, atLeast: 10 * time.Minute, waiting: 8,
		failure: "no response came: connection refused; check the base url"}
	tests := []struct {
		name          string
		state         progressState
		perMinute     float64
		columns, rows int
		want          []string
	}{
		{name: "begun", state: progressState{total: 10}, columns: 80, rows: 24,
			want: []string{"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10"}},
		{name: "narrow", state: halfway, perMinute: 60, columns: 40, rows: 24, want: []string{"1,500 of 3,000, 3 failed, 25 min left"}},
		{name: "one left", state: progressState{total: 1000, done: 999}, columns: 80, rows: 24,
			want: []string{"███████████████████████░ 999 of 1,000"}},
		{name: "stopping", columns: 80, rows: 24,
			state: progressState{total: 10, done: 5, waiting: 2, stopping: "since Ctrl-C was pressed", atLeast: time.Hour},
			want:  []string{"████████████░░░░░░░░░░░░ 5 of 10, 2 to try again, stopping"}},
		{name: "an outage", state: outage, columns: 80, rows: 7, want: []string{
			"░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3,000, 8 to try again, 10 min left",
			"  failing now: no response came: connection refused; check the base url",
		}},
		{name: "an outage where it is narrow and low", state: outage, columns: 40, rows: 7, want: []string{
			"0 of 3,000, 8 to try again, 10 min left",
			"  failing now: no response came:",
			"  connection refused; check the base",
			"  url",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := barLines(&tt.state, tt.perMinute, tt.columns, tt.rows); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestBarLinesFit draws bars of every size: none is wider or higher than the terminal.
func TestBarLinesFit(t *testing.T) {
	t.Parallel()
	state := progressState{total: 123456, done: 66678, failed: 1234, waiting: 3, skipped: 12,
		atLeast: time.Hour, failure: strings.Repeat("failure ", 40)}
	for columns := 1; columns < 200; columns++ {
		for rows := 1; rows < 12; rows++ {
			lines := barLines(&state, 60, columns, rows)
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

func TestThroughputForgets(t *testing.T) {
	t.Parallel()
	var p throughput
	for second := range 300 {
		p.add(time.Unix(int64(second), 0), min(second, 100)*10) // ten a second, and none from 100 s on
	}
	if rate := p.perMinute(); rate != 0 || len(p) > 62 {
		t.Errorf("the rate is %v, of %d samples; want 0, and those of a minute", rate, len(p))
	}
}

// fakeRun is a run whose progress a test sets.
type fakeRun struct{ state atomic.Pointer[progressState] }

func (r *fakeRun) set(s progressState)     { r.state.Store(&s) }
func (r *fakeRun) progress() progressState { return *r.state.Load() }

// TestBarKeepsItsPlace reads what stands on a terminal as time goes by and its window is resized:
// the time left stays, and in the end nothing of the bar.
func TestBarKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const above = "a line above that is not to be lost, and long enough"
		const bar = "██████░░░░░░░░░░░░░░░░░░ 1 of 4, 1 min left"
		const failing = "  failing now: nobody answers"
		terminal := newScreen()
		var columns, rows atomic.Int32
		resize := func(c, r int32) { columns.Store(c); rows.Store(r) }
		resize(60, 10)
		var run fakeRun
		run.set(progressState{})
		line(terminal, "%s", above)
		stop := startProgress(terminal, func() (int, int) { return int(columns.Load()), int(rows.Load()) }, run.progress)
		run.set(progressState{total: 4, done: 1, failure: "nobody answers", atLeast: time.Minute})
		elapse(drawEvery)
		terminal.want(t, above, bar, failing)
		resize(30, 10) // the bar is broken into two rows
		elapse(drawEvery)
		terminal.want(t, above, "1 of 4, 1 min left", failing)
		resize(80, 2)
		elapse(drawEvery)
		terminal.want(t, above, bar)
		resize(20, 4)
		elapse(drawEvery)
		resize(100, 24)
		run.set(progressState{total: 4, done: 1, failure: "nobody answers", stopping: "a line that stays"})
		elapse(drawEvery)
		terminal.want(t, above, "a line that stays",
			"██████░░░░░░░░░░░░░░░░░░ 1 of 4, stopping", failing)
		_, _ = terminal.Write([]byte("^C")) // as the terminal shows it
		elapse(drawEvery)
		stop()
		terminal.want(t, above, "a line that stays")
	})
}

func TestProgressInLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		var run fakeRun
		run.set(progressState{total: 600, done: 100})
		stop := startProgress(&out, nil, run.progress)
		synctest.Wait()
		for second := range 62 {
			run.set(progressState{total: 600, done: 101 + second})
			elapse(time.Second)
		}
		run.set(progressState{total: 600, done: 163, failure: "nobody answers"})
		elapse(2 * time.Second) // failing requests are shown at once
		run.set(progressState{total: 600, done: 163, stopping: "nearly there"})
		stop()
		want := `130 of 600, 60 a minute, 7 min 50 s left
160 of 600, 60 a minute, 7 min 20 s left
163 of 600, 60 a minute, 7 min 17 s left; failing now: nobody answers
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
