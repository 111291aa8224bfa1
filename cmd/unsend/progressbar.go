package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// How often the state is looked at: to draw it on a terminal, or to write a line elsewhere,
// which is done only every lineEvery, and when trouble begins.
const (
	drawEvery = 200 * time.Millisecond
	lookEvery = time.Second
	lineEvery = 30 * time.Second
)

// progressBar shows how far a run is: a few lines on a terminal that are drawn over themselves,
// and a line every so often elsewhere.
type progressBar struct {
	w     io.Writer
	size  func() (columns, rows int) // nil where w is no terminal
	state func() (progressState, bool)
	quit  chan struct{}
	ended chan struct{}

	mu      sync.Mutex // guards what follows, and what is written
	drawn   bool
	rate    throughput
	wrote   time.Time // a line
	alarmed time.Time // a line about trouble was written
}

// startProgress shows state, once it is known, until stop is called. Where size is nil w is no
// terminal.
func startProgress(w io.Writer, size func() (columns, rows int), state func() (progressState, bool)) *progressBar {
	p := &progressBar{w: w, size: size, state: state, quit: make(chan struct{}), ended: make(chan struct{}), wrote: time.Now()}
	p.update()
	go p.follow()
	return p
}

func (p *progressBar) follow() {
	defer close(p.ended)
	every := lookEvery
	if p.size != nil {
		every = drawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-ticker.C:
			p.update()
		}
	}
}

func (p *progressBar) update() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.updateLocked()
}

func (p *progressBar) updateLocked() {
	s, known := p.state()
	if !known {
		return
	}
	now := time.Now()
	p.rate.add(now, s.done())
	if p.size != nil {
		p.draw(&s)
		return
	}
	alarm := s.trouble != "" && now.Sub(p.alarmed) >= lineEvery
	if alarm {
		p.alarmed = now
	}
	if alarm || now.Sub(p.wrote) >= lineEvery {
		p.wrote = now
		line(p.w, "%s", progressLine(&s, &p.rate))
	}
}

// Sequences of a terminal.
const (
	clearBelow = "\r\x1b[J"
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
	lineUp     = "\x1b[%dA"
)

// draw puts the bar in the place of the one before, in one write, so that nothing flickers. The
// cursor waits at the bar's beginning: however a terminal that is resized breaks the lines
// below it, all of them are below it.
func (p *progressBar) draw(s *progressState) {
	lines := barLines(s, &p.rate, p.size)
	text := clearBelow + wrapOff + strings.Join(lines, "\n") + wrapOn
	if up := len(lines) - 1; up > 0 {
		text += fmt.Sprintf(lineUp, up)
	}
	_, _ = io.WriteString(p.w, text+"\r")
	p.drawn = true
}

func (p *progressBar) clear() {
	if p.drawn {
		_, _ = io.WriteString(p.w, clearBelow)
		p.drawn = false
	}
}

// say writes a line that stays, above the bar where there is one.
func (p *progressBar) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	line(p.w, "%s", text)
	if p.size != nil {
		p.updateLocked()
	}
}

// stop ends it, and leaves of it what was said and written in lines.
func (p *progressBar) stop() {
	close(p.quit)
	<-p.ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

const (
	barWidth        = 24 // columns
	shortBarWidth   = 10
	maxTroubleLines = 3
)

// barLines are the lines of the bar, as many and as long as there is room for: how far the run
// is, what the trouble is, and the connections.
func barLines(s *progressState, rate *throughput, size func() (columns, rows int)) []string {
	columns, rows := size()
	list := []string{fit(barText(s, rate, columns), columns)}
	if s.trouble != "" && rows > 2 {
		list = append(list, wrapped("  trouble: "+s.trouble, columns, min(maxTroubleLines, rows-2))...)
	}
	if len(s.parts) < 2 || len(s.parts) > maxListedConnections || len(list)+len(s.parts) >= rows {
		return list
	}
	longest := 0
	for _, part := range s.parts {
		longest = max(longest, utf8.RuneCountInString(part.name))
	}
	longest = min(longest, barWidth)
	for _, part := range s.parts {
		text := fmt.Sprintf("  %-*s  %s of %s", longest, fit(part.name, longest+1), number(part.done), number(part.total))
		if part.failed > 0 {
			text += ", " + number(part.failed) + " failed"
		}
		if part.stopped {
			text += ", stopped"
		}
		list = append(list, fit(text, columns))
	}
	return list
}

// barText is the first line of the bar: the time that is left stays, and what is less needed
// goes where there is no room for it.
func barText(s *progressState, rate *throughput, columns int) string {
	extent, failed, detail, left := extentText(s), failedText(s), detailText(s, rate), leftText(s, rate)
	texts := []string{
		bar(s, barWidth) + " " + extent + failed + detail + left,
		bar(s, shortBarWidth) + " " + extent + failed + detail + left,
		bar(s, shortBarWidth) + " " + extent + failed + left,
		extent + failed + left,
		extent + left,
	}
	for _, text := range texts {
		if utf8.RuneCountInString(text) < columns {
			return text
		}
	}
	return strings.TrimPrefix(left, ", ")
}

// bar is full only when nothing is left.
func bar(s *progressState, width int) string {
	full := width
	if s.rest() > 0 {
		full = s.done() * width / s.total
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// fit cuts a line so that it stays on one row of the terminal: a full row may wrap.
func fit(text string, columns int) string {
	if utf8.RuneCountInString(text) < columns {
		return text
	}
	if columns < 2 {
		return ""
	}
	return string([]rune(text)[:columns-2]) + "…"
}

// wrapped breaks a line between words into at most so many, and cuts the last.
func wrapped(text string, columns, most int) (list []string) {
	const indent = "    "
	for len(list) < most-1 && utf8.RuneCountInString(text) >= columns {
		head := string([]rune(text)[:max(columns-1, 0)])
		space := strings.LastIndex(head, " ")
		if space <= len(indent) {
			break
		}
		list = append(list, text[:space])
		text = indent + text[space+1:]
	}
	return append(list, fit(text, columns))
}
