package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// What is wrong with a journal, for [errors.Is].
var (
	// ErrJournal is a journal that cannot be opened, read or written: the text says why.
	ErrJournal = errors.New("journal error")
	// ErrJournalExists is a journal that is there already, where none was to be resumed. It is
	// an ErrJournal too.
	ErrJournalExists = errors.New("journal exists")
	// ErrJournalInUse is a journal that another process has open. It is an ErrJournal too.
	ErrJournalInUse = errors.New("another process is using it; wait until that has ended, or choose another path")
)

// Journal records a run in a file, so that it can be resumed by another: each item before it
// is sent, and when it ends. Lines are written before what they announce is done, so that a
// killed process loses none, and synced each second, so that a power cut takes at most the
// last moments: resuming finds out how those ended.
//
// While it is open no other process can open it; "<path>.lock" sees to that.
type Journal struct {
	path  string
	lock  *flock.Flock
	input Input
	out   *writer
	file  journalFile

	created bool  // it was not there before
	fresh   bool  // nothing is in it
	used    bool  // a run has begun
	rows    *rows // what earlier runs left, for the run
	ended   map[string]int
}

// OpenJournal opens the journal of a run over input, as [Inspect] returned it. Without resume
// a journal that is there already is an [ErrJournalExists]; with it, the run goes on where
// that one ended, or starts anew where there is none. A journal of another input or shard, or
// in use, or damaged other than by a torn last line, is an [ErrJournal].
func OpenJournal(path string, input Input, resume bool) (*Journal, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // one lock, whatever name it goes by
	}
	lock, err := lockJournal(path)
	if err != nil {
		return nil, journalFailure(path, err)
	}
	j := &Journal{path: path, lock: lock, input: input, rows: newRows(), ended: map[string]int{}}
	if err := j.open(resume); err != nil {
		return nil, errors.Join(journalFailure(path, err), j.release())
	}
	return j, nil
}

func (j *Journal) open(resume bool) error {
	_, absent := os.Stat(j.path)
	file, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	j.file, j.created = file, errors.Is(absent, fs.ErrNotExist)
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file; choose another path")
	}
	if info.Size() > 0 && !resume {
		return fmt.Errorf("%w: resume it, or choose another path", ErrJournalExists)
	}
	return j.load(file)
}

// load reads what earlier runs left, and closes what was torn.
func (j *Journal) load(file *os.File) error {
	j.fresh = true
	end, err := readJournal(file, false, func(rec record) error {
		if j.fresh {
			j.fresh = false
			return j.isOf(rec)
		}
		return j.remember(&rec)
	})
	if err != nil {
		return err
	}
	if err := file.Truncate(end.at); err != nil {
		return err
	}
	j.out = newWriter(file, end.at)
	if end.open {
		return j.out.commit([]byte("\n"))
	}
	return nil
}

func (j *Journal) isOf(header record) error {
	switch {
	case header.Shard != j.input.Shard.String():
		return fmt.Errorf("it is of the shard %q, not %q; resume with that, or choose another path", cut(header.Shard), j.input.Shard)
	case header.Input != j.input.Fingerprint:
		return errors.New("it is of another input; resume with the input that it was begun with, or choose another path")
	}
	return nil
}

func (j *Journal) remember(rec *record) error {
	if rec.Event == eventRun || rec.Event == eventStop {
		return nil
	}
	before, after, row, err := j.rows.remember(rec)
	if err != nil {
		return err
	}
	if rec.Event == eventEnd {
		j.rows.setFailure(row, rec.failure())
	}
	switch {
	case after&final > before&final:
		j.ended[rec.ConnectionID]++
	case after&final < before&final:
		j.ended[rec.ConnectionID]--
	}
	return nil
}

// endedByConnection is how many messages of each connection earlier runs ended.
func (j *Journal) endedByConnection() map[string]int {
	if j == nil {
		return nil
	}
	return j.ended
}

// begin hands over what is known, once.
func (j *Journal) begin(shard Shard) (*rows, error) {
	switch {
	case j.used || j.file == nil:
		return nil, fmt.Errorf("%w: the journal was used or closed before; open it anew", ErrOptions)
	case shard != j.input.Shard:
		return nil, fmt.Errorf("%w: the journal is of the shard %q, the run of %q", ErrOptions, j.input.Shard, shard)
	}
	j.used = true
	var lines []byte
	if j.fresh {
		header, err := headerLine(j.input)
		if err != nil {
			return nil, err
		}
		lines = header
	}
	if err := j.commit(appendMark(lines, eventRun, time.Now())); err != nil {
		return nil, err
	}
	known := j.rows
	j.rows = nil
	return known, writeFailure(j.path, j.out.sync())
}

// commit writes lines; see writer. A nil journal takes them all.
func (j *Journal) commit(lines []byte) error {
	if j == nil {
		return nil
	}
	return writeFailure(j.path, j.out.commit(lines))
}

// finish ends the run.
func (j *Journal) finish() error {
	if j == nil {
		return nil
	}
	if err := j.commit(appendMark(nil, eventStop, time.Now())); err != nil {
		return err
	}
	return writeFailure(j.path, j.out.sync())
}

// Close syncs the journal and lets others open it. It is not to be called while a run goes
// on. A journal in which nothing was recorded is removed.
func (j *Journal) Close() error {
	if j == nil || j.lock == nil {
		return nil
	}
	var err error
	if j.out != nil {
		err = j.out.sync()
	}
	return errors.Join(writeFailure(j.path, err), j.release())
}

// release gives up what is held.
func (j *Journal) release() error {
	var errs []error
	if j.file != nil {
		errs = append(errs, j.file.Close())
		j.file = nil
	}
	if j.created && (j.out == nil || j.out.size == 0) {
		errs = append(errs, os.Remove(j.path)) //nolint:gosec // it is where the caller wants it
	}
	if j.lock != nil {
		errs = append(errs, unlockJournal(j.lock))
		j.lock = nil
	}
	return journalFailure(j.path, errors.Join(errs...))
}

// journalError is one line about a journal.
type journalError struct {
	path  string
	cause error
}

func (e *journalError) Error() string { return fmt.Sprintf("journal %s: %v", e.path, e.cause) }

func (e *journalError) Is(target error) bool { return target == ErrJournal }

func (e *journalError) Unwrap() error { return e.cause }

// journalFailure names the path once, whether or not the cause does.
func journalFailure(path string, cause error) error {
	if cause == nil {
		return nil
	}
	if named, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = fmt.Errorf("%s: %w; mend this, or choose another path", named.Op, named.Err)
	}
	return &journalError{path: path, cause: cause}
}

// writeFailure is what ends a run.
func writeFailure(path string, cause error) error {
	if cause == nil {
		return nil
	}
	if named, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = fmt.Errorf("%s: %w", named.Op, named.Err)
	}
	return &journalError{path: path, cause: fmt.Errorf("%w; mend this, then resume", cause)}
}
