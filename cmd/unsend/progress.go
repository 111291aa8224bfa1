package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
)

// progressState is how far a run is.
type progressState struct {
	total    int // 0 until it is known
	done     int
	failed   int // of done
	skipped  int // not of done: their connection was stopped
	waiting  int // to be sent again
	atLeast  time.Duration
	failure  string // why requests fail now; empty if they do not
	stopping string // why nothing new is begun; empty if it is
}

// showProgress shows how far the job is, on standard error, until stop is called.
func (j *job) showProgress() (stop func()) {
	w := j.cmd.ErrOrStderr()
	terminal := terminalOf(w)
	shared := j.client.verbose || j.json && terminalOf(j.cmd.OutOrStdout()) != nil // with other lines
	if shared || terminal == nil || os.Getenv("TERM") == "dumb" || !enableSequences(terminal) {
		return startProgress(w, nil, j.progressState)
	}
	return startProgress(w, func() (int, int) { return sizeOf(terminal) }, j.progressState)
}

func (j *job) progressState() progressState {
	c := j.progress.Counts()
	s := progressState{
		skipped: c.Skipped,
		waiting: c.Waiting,
		atLeast: j.plan.Duration(j.client.rate, j.client.burst) - time.Since(j.began),
	}
	switch {
	case j.shutdown.signaled.Load():
		s.stopping = "Finishing what is in flight; Ctrl-C again stops at once."
	case j.shutdown.begun():
		s.stopping = "Finishing what is in flight, since " + unwrittenText(unwritten(j.cmd.OutOrStdout())) + "."
	}
	if c.Items > 0 { // what the plan counted, without what had ended before it
		s.total = j.plan.Messages
		s.done = max(0, c.Ended()-c.Skipped-j.plan.Ended)
		s.failed = c.Failed
	}
	if !j.retryFailed {
		s.failed = max(0, s.failed-j.plan.Failed)
	}
	if err := j.progress.Trouble(); err != nil {
		s.failure = errorText(err) + "; trying again"
		if failed, ok := errors.AsType[*api.Error](err); ok && failed.StatusCode == 0 && !failed.MaybeUnsent {
			s.failure = advised(err) // about this machine, perhaps
		}
	}
	return s
}

// words returns how far the run is, the time left behind the least important.
func (s *progressState) words(perMinute float64) []string {
	words := []string{number(s.done) + " of " + number(s.total)}
	for _, part := range []struct {
		n    int
		what string
	}{
		{s.failed, "failed"},
		{s.skipped, "skipped"},
		{s.waiting, "to try again"},
		{int(math.Round(perMinute)), "a minute"},
	} {
		if part.n > 0 {
			words = append(words, number(part.n)+" "+part.what)
		}
	}
	if left := s.left(perMinute); left != "" {
		words = append(words, left)
	}
	return words
}

// left returns how long the rest will take: at the present rate, and no less than the rate limit
// allows.
func (s *progressState) left(perMinute float64) string {
	rest, took := s.total-s.done-s.skipped, s.atLeast
	if perMinute > 0 {
		took = max(took, time.Duration(float64(rest)/perMinute*float64(time.Minute)))
	}
	switch {
	case rest <= 0, took <= 0 && s.stopping == "":
		return ""
	case s.stopping != "":
		return "stopping"
	}
	return duration(took) + " left"
}

const (
	barWidth        = 24 // columns
	maxFailureLines = 3
)

// barLines are the lines of the bar: how far the run is, in as many words as there is room for,
// and why requests fail. A full row may wrap, so that the last column stays free.
func barLines(s *progressState, perMinute float64, columns, rows int) []string {
	filled := barWidth // only when nothing is left
	if s.done < s.total {
		filled = s.done * barWidth / s.total
	}
	bar := strings.Repeat("█", filled) + strings.Repeat("░", barWidth-filled)
	words := s.words(perMinute)
	first := bar + " " + strings.Join(words, ", ")
	for utf8.RuneCountInString(first) >= columns {
		first = strings.Join(words, ", ")
		if least := len(words) - 2; least >= 0 {
			words = slices.Delete(words, least, least+1)
		} else {
			words = nil
		}
	}
	list := []string{first}
	const narrow = 10
	if s.failure == "" || columns < narrow {
		return list
	}
	below := wrap("  failing now: "+s.failure, columns)
	return append(list, below[:max(0, min(len(below), rows-2, maxFailureLines))]...)
}

// throughput measures how fast a run is, by samples of the last minute, the oldest first.
type throughput []sample

type sample struct {
	at   time.Time
	done int
}

func (t *throughput) add(at time.Time, done int) {
	*t = append(*t, sample{at, done})
	for len(*t) > 2 && at.Sub((*t)[1].at) >= time.Minute {
		*t = (*t)[1:]
	}
}

// perMinute returns the recent rate, 0 until it is known.
func (t throughput) perMinute() float64 {
	first, last := t[0], t[len(t)-1]
	took := last.at.Sub(first.at)
	if took < time.Second {
		return 0
	}
	return float64(last.done-first.done) / took.Minutes()
}

// How often the state is read: to draw it on a terminal, or to write a line elsewhere, which is
// done every lineEvery, and when requests begin to fail.
const (
	drawEvery = 200 * time.Millisecond
	lookEvery = time.Second
	lineEvery = 30 * time.Second
)

// progressBar shows how far a run is: a bar on a terminal that is drawn over itself, and a line
// every so often elsewhere.
type progressBar struct {
	w     io.Writer
	size  func() (columns, rows int) // nil if w is not a terminal
	state func() progressState

	rate      throughput
	announced bool      // that the run stops
	wrote     time.Time // when the last line was written
	alarmed   time.Time // when the last line about failing requests was written
}

// startProgress shows state, once it is known, until stop is called, which removes the bar and leaves
// the lines. If size is nil, w is not a terminal.
func startProgress(w io.Writer, size func() (columns, rows int), state func() progressState) (stop func()) {
	p := &progressBar{w: w, size: size, state: state, wrote: time.Now()}
	every := lookEvery
	if size != nil {
		every = drawEvery
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			p.update()
			select {
			case <-quit:
				p.update()
				p.clear()
				return
			case <-ticker.C:
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

func (p *progressBar) update() {
	s := p.state()
	if s.stopping != "" && !p.announced {
		p.clear()
		line(p.w, "%s", s.stopping)
		p.announced = true
	}
	if s.total == 0 {
		return
	}
	now := time.Now()
	p.rate.add(now, s.done)
	if p.size != nil {
		p.draw(&s)
		return
	}
	alarm := s.failure != "" && now.Sub(p.alarmed) >= lineEvery
	if !alarm && now.Sub(p.wrote) < lineEvery {
		return
	}
	p.wrote = now
	full := strings.Join(s.words(p.rate.perMinute()), ", ")
	if s.failure != "" {
		p.alarmed = now
		full += "; failing now: " + s.failure
	}
	line(p.w, "%s", full)
}

// Sequences of a terminal.
const (
	clearBelow = "\r\x1b[J"
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
	lineUp     = "\x1b[%dA"
)

// draw replaces the bar, in one write, so that nothing flickers. The cursor stays at the
// bar's beginning: however a resized terminal breaks the bar's lines, they are below it.
func (p *progressBar) draw(s *progressState) {
	columns, rows := p.size()
	lines := barLines(s, p.rate.perMinute(), columns, rows)
	text := clearBelow + wrapOff + strings.Join(lines, "\n") + wrapOn
	if up := len(lines) - 1; up > 0 {
		text += fmt.Sprintf(lineUp, up)
	}
	_, _ = io.WriteString(p.w, text+"\r")
}

func (p *progressBar) clear() {
	if p.size != nil {
		_, _ = io.WriteString(p.w, clearBelow)
	}
}
