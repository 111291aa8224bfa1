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
	Parts    []Part        // shown one by one while they are few
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

// Start shows state until the function it returns is called, which leaves w as it was but for
// lines. Where width is nil w is no terminal; else it tells how many columns there are.
func Start(w io.Writer, width func() int, state func() State) (stop func()) {
	m := &meter{w: w, width: width, state: state}
	every := lineEvery
	if width != nil {
		every = drawEvery
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	m.show()
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				m.show()
			case <-quit:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
		m.screen.clear(w)
	})
}

type meter struct {
	w      io.Writer
	width  func() int
	state  func() State
	screen screen
	pace   pace
	begun  bool
}

func (m *meter) show() {
	s, now := m.state(), time.Now()
	m.pace.add(now, s.done()-s.Earlier)
	if m.width != nil {
		m.screen.draw(m.w, barLines(s, &m.pace, m.width()))
		return
	}
	if m.begun { // the first look has nothing to tell yet
		_, _ = io.WriteString(m.w, textLine(s, &m.pace)+"\n")
	}
	m.begun = true
}
