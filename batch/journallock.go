package batch

import (
	"errors"
	"io/fs"
	"os"
	"runtime"

	"github.com/gofrs/flock"
)

// lockJournal locks a file beside the journal. The journal itself cannot be locked: on
// Windows that would keep its owner from writing too.
func lockJournal(path string) (*flock.Flock, error) {
	for {
		lock := flock.New(path + ".lock")
		locked, err := lock.TryLock()
		if err != nil {
			return nil, err
		}
		if !locked {
			return nil, ErrJournalInUse
		}
		same, err := stillThere(lock)
		if err == nil && same {
			return lock, nil
		}
		_ = lock.Unlock() // it locked a file that nobody else will find
		if err != nil {
			return nil, err
		}
	}
}

// stillThere says whether the locked file is the one that others would lock: whoever had it
// before removes it.
func stillThere(lock *flock.Flock) (bool, error) {
	mine, err := lock.Stat()
	if err != nil {
		return false, err
	}
	theirs, err := os.Stat(lock.Path()) //nolint:gosec // beside the journal, where the caller wants it
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, theirs), err
}

// unlockJournal removes the lock's file too, while nobody else can hold it: Windows refuses
// that to files that are open.
func unlockJournal(lock *flock.Flock) error {
	if runtime.GOOS != "windows" {
		_ = os.Remove(lock.Path()) //nolint:gosec // it is beside the journal; left behind, it harms nobody
		return lock.Unlock()
	}
	err := lock.Unlock()
	_ = os.Remove(lock.Path()) //nolint:gosec // as above
	return err
}
