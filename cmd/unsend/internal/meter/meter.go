// Package meter shows how far a long run is: a bar of a few lines on a terminal, which is
// drawn over itself, and a line every so often elsewhere.
package meter

import (
	"io"
	"sync"
	"time"
)

// State is how far the run is.
type State struct {
	Total    int
	Unsent   int // gone already included
	Failed   int
	Skipped  int
	Earlier  int           // of these three, done before the run began
	Waiting  int           // to be tried again
	AtLeast  time.Duration // that the rest takes whatever the rate is
	Parts    []Part        // shown one by one where they are 2 to MaxParts
	Stopping bool          // nothing new is begun
}

// Part is one of several that go on side by side.
type Part struct {
	Name   string
	Total  int
	Done   int
	Failed int
	Note   string // what is special about it
}

func (s State) done() int { return s.Unsent + s.Failed + s.Skipped }

func (s State) rest() int { return max(s.Total-s.done(), 0) }

// How often the meter looks, draws and writes.
const (
	drawEvery = 200 * time.Millisecond
	lineEvery = 30 * time.Second
)

// Meter shows the state of one run.
type Meter struct {
	w     io.Writer
	width func() int
	state func() State
	quit  chan struct{}
	ended chan struct{}

	mu     sync.Mutex
	screen screen
	pace   pace
}

// Start shows state until Stop is called. Where width is nil w is no terminal; else it tells
// how many columns there are.
func Start(w io.Writer, width func() int, state func() State) *Meter {
	m := &Meter{w: w, width: width, state: state, quit: make(chan struct{}), ended: make(chan struct{})}
	m.draw(m.look())
	go m.follow()
	return m
}

func (m *Meter) follow() {
	defer close(m.ended)
	every := lineEvery
	if m.width != nil {
		every = drawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-m.quit:
			return
		case <-ticker.C:
			m.tick()
		}
	}
}

func (m *Meter) tick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.look()
	if m.width == nil {
		_, _ = io.WriteString(m.w, textLine(s, &m.pace)+"\n")
		return
	}
	m.draw(s)
}

// look asks for the state, and notes how fast it changes.
func (m *Meter) look() State {
	s := m.state()
	m.pace.add(time.Now(), s.done()-s.Earlier)
	return s
}

// draw shows a state on a terminal.
func (m *Meter) draw(s State) {
	if m.width != nil {
		m.screen.draw(m.w, barLines(s, &m.pace, m.width()))
	}
}

// Say writes a line that stays, above the bar where there is one.
func (m *Meter) Say(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.screen.clear(m.w)
	_, _ = io.WriteString(m.w, line+"\n")
	m.draw(m.state())
}

// Stop ends it, and leaves of it what was said and written in lines.
func (m *Meter) Stop() {
	close(m.quit)
	<-m.ended
	m.mu.Lock()
	defer m.mu.Unlock()
	m.screen.clear(m.w)
}
