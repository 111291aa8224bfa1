package batch

import (
	"errors"
	"io"
	"sync"
	"time"
)

// syncInterval is how much of a run a power cut may take from its journal.
const syncInterval = 250 * time.Millisecond

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
	idle    sync.Cond
	writing bool
	next    []byte // lines to write
	spare   []byte // the buffer that next takes turns with
	taken   uint64 // number of the latest commit in next
	written uint64 // and in the file
	size    int64
	dirty   bool // written to since the last sync
	err     error
}

func newWriter(file journalFile, size int64) *writer {
	w := &writer{file: file, size: size}
	w.idle.L = &w.mu
	return w
}

// commit returns once the lines are written: a process that is killed then does not lose
// them. After an error it writes nothing more.
func (w *writer) commit(lines []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || len(lines) == 0 {
		return w.err
	}
	w.next = append(w.next, lines...)
	w.taken++
	for mine := w.taken; w.written < mine && w.err == nil; {
		if w.writing {
			w.idle.Wait()
			continue
		}
		w.write()
	}
	return w.err
}

// write writes what there is, without the mutex.
func (w *writer) write() {
	lines, upTo, at := w.next, w.taken, w.size
	w.next, w.writing = w.spare[:0], true
	w.mu.Unlock()
	_, err := w.file.WriteAt(lines, at)
	if err != nil {
		// What was written of the last lines goes, so that the journal stays whole. If it
		// cannot be undone, it is a torn line, which can be read too.
		_ = w.file.Truncate(at)
	}
	w.mu.Lock()
	w.spare, w.writing, w.dirty = lines, false, true
	if err != nil {
		w.err = errors.Join(w.err, err)
	} else {
		w.written, w.size = upTo, at+int64(len(lines))
	}
	w.idle.Broadcast()
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
