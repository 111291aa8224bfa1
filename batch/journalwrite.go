package batch

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"time"
)

// syncInterval is how much of a run a power cut may take from its journal.
const syncInterval = time.Second

// maxSpare is the largest buffer that is kept.
const maxSpare = 64 << 10

// journalFile is what a journal needs of its file.
type journalFile interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// writer appends lines to a file. Those that come while it writes are written together.
type writer struct {
	file journalFile

	mu      sync.Mutex
	next    *group // that lines can still join
	current *group // that is being written, or was last
	spare   []byte // a buffer for the next group
	size    int64
	dirty   bool // written to since the last sync
	err     error
}

// group is lines that are written at once.
type group struct {
	lines   []byte
	written chan struct{} // closed when they are, or cannot be
}

func newWriter(file journalFile, size int64) *writer {
	begin := &group{written: make(chan struct{})}
	close(begin.written)
	return &writer{file: file, size: size, current: begin}
}

// commit returns once the lines are written: a process that is killed then does not lose
// them. After an error it writes nothing more.
func (w *writer) commit(lines []byte) error {
	w.mu.Lock()
	if w.err != nil || len(lines) == 0 {
		defer w.mu.Unlock()
		return w.err
	}
	mine, first := w.next, w.next == nil
	if first {
		mine = &group{lines: w.spare[:0], written: make(chan struct{})}
		w.next, w.spare = mine, nil
	}
	mine.lines = append(mine.lines, lines...)
	before := w.current
	w.mu.Unlock()

	if first { // who opens a group writes it
		<-before.written
		runtime.Gosched() // others may be about to join: a write costs more than their lines
		w.write(mine)
	} else {
		<-mine.written
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *writer) write(g *group) {
	w.mu.Lock()
	w.next, w.current = nil, g
	at, err := w.size, w.err
	w.mu.Unlock()
	if err == nil {
		if _, err = w.file.WriteAt(g.lines, at); err != nil {
			// What was written of the group goes, so that the journal stays whole. If it
			// cannot be undone, it is a torn line, which can be read too.
			_ = w.file.Truncate(at)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dirty = true
	if err == nil {
		w.size = at + int64(len(g.lines))
	} else if w.err == nil {
		w.err = err
	}
	if w.spare == nil && cap(g.lines) <= maxSpare {
		w.spare = g.lines
	}
	close(g.written)
}

// sync makes what was written survive a power cut.
func (w *writer) sync() error {
	w.mu.Lock()
	dirty, err := w.dirty, w.err
	w.dirty = false
	w.mu.Unlock()
	if !dirty || err != nil {
		return err
	}
	if err = w.file.Sync(); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = errors.Join(w.err, err)
		return w.err
	}
	return nil
}

func (w *writer) syncUntil(ended <-chan struct{}) {
	ticker := time.NewTicker(syncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
			_ = w.sync() // the next commit returns its error
		}
	}
}
