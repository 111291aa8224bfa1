package batch

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// smallDisk has room for so many bytes more.
type smallDisk struct {
	journalFile
	mu          sync.Mutex
	room        int
	cannotUndo  bool
	cannotSync  atomic.Bool
	writes      int
	syncs       atomic.Int64
	blockWrites chan struct{} // each write waits for one
}

func (d *smallDisk) WriteAt(p []byte, off int64) (int, error) {
	if d.blockWrites != nil {
		<-d.blockWrites
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	if len(p) <= d.room {
		d.room -= len(p)
		return d.journalFile.WriteAt(p, off)
	}
	n, err := d.journalFile.WriteAt(p[:d.room], off)
	d.room = 0
	return n, errors.Join(err, syscall.ENOSPC)
}

func (d *smallDisk) Truncate(size int64) error {
	if d.cannotUndo {
		return syscall.EIO
	}
	return d.journalFile.Truncate(size)
}

func (d *smallDisk) Sync() error {
	d.syncs.Add(1)
	if d.cannotSync.Load() {
		return syscall.EIO
	}
	return d.journalFile.Sync()
}

// A full disk ends the run before a message is sent that is not on record, wherever in a line
// the room ends; and the journal can be resumed.
func TestFullDisk(t *testing.T) {
	for room := 700; room < 1500; room += 37 {
		for _, cannotUndo := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "run.jsonl")
				items := messages(0, 50)
				server := newMock(1, mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
				client := newClient(t, server)
				j := openJournal(t, path, items, false)
				j.out.file = &smallDisk{journalFile: j.out.file, room: room, cannotUndo: cannotUndo}
				var progress Progress
				results := collect(t.Context(), client, items, Options{Journal: j, Progress: &progress})
				err := progress.Err()
				if want := "journal " + path + ": " + syscall.ENOSPC.Error() + "; mend this, then resume"; !errors.Is(err, ErrJournal) || !errors.Is(err, syscall.ENOSPC) || err.Error() != want {
					t.Fatalf("room for %d: progress says %v; want %s", room, err, want)
				}
				if err := j.Close(); !errors.Is(err, ErrJournal) {
					t.Errorf("closing says %v", err)
				}
				recorded := readFile(t, path)
				seen := map[string]bool{}
				for _, e := range server.Journal() {
					seen[e.MessageID] = true
					if !bytes.Contains(recorded, appendSend(nil, Item{ConnectionID: e.ConnectionID, UserID: e.UserID, MessageID: e.MessageID})) {
						t.Fatalf("room for %d: %s was sent, and is not on record", room, e.MessageID)
					}
				}
				if len(results) != len(seen) || len(seen) > 20 {
					t.Errorf("room for %d: %d results of %d messages that were sent", room, len(results), len(seen))
				}
				for _, r := range runJournaled(t, client, path, items, Options{}) {
					if r.Outcome != Unsent && r.Outcome != AlreadyGone {
						t.Errorf("resumed: %+v: %v", r, r.Err)
					}
				}
			})
		}
	}
}

func TestFailingSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := messages(0, 200)
		server := newMock(1)
		j := openJournal(t, filepath.Join(t.TempDir(), "run.jsonl"), items, false)
		disk := &smallDisk{journalFile: j.out.file, room: 1 << 30}
		j.out.file = disk
		time.AfterFunc(10*time.Second, func() { disk.cannotSync.Store(true) })
		var progress Progress
		results := collect(t.Context(), newClient(t, server), items, Options{Journal: j, Progress: &progress})
		if err := progress.Err(); !errors.Is(err, ErrJournal) || !strings.Contains(err.Error(), syscall.EIO.Error()) {
			t.Errorf("progress says %v", err)
		}
		if len(results) > 110 || len(results) < 90 {
			t.Errorf("%d results; want what could be sent in ten seconds", len(results))
		}
		if n := disk.syncs.Load(); n < 8 || n > 14 {
			t.Errorf("%d syncs in ten seconds; want one a second", n)
		}
		if err := j.Close(); !errors.Is(err, ErrJournal) {
			t.Errorf("closing says %v", err)
		}
	})
}

// A journal that cannot even be begun sends nothing.
func TestFullDiskAtOnce(t *testing.T) {
	items := messages(0, 3)
	server := newMock(1)
	j := openJournal(t, filepath.Join(t.TempDir(), "run.jsonl"), items, false)
	j.out.file = &smallDisk{journalFile: j.out.file, room: 10}
	var progress Progress
	results := collect(t.Context(), newClient(t, server), items, Options{Journal: j, Progress: &progress})
	wantTally(t, results, "3 failed")
	if !errors.Is(results[0].Err, syscall.ENOSPC) || len(server.Journal()) != 0 {
		t.Errorf("%v, and %d requests", results[0].Err, len(server.Journal()))
	}
	_ = j.Close() // says so again
}

// Lines that come while others are written are written together.
func TestCommitsAreGrouped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openJournal(t, filepath.Join(t.TempDir(), "run.jsonl"), nil, false)
		disk := &smallDisk{journalFile: j.out.file, room: 1 << 20, blockWrites: make(chan struct{})}
		j.out.file = disk
		var done sync.WaitGroup
		for n := range 100 {
			done.Go(func() {
				if err := j.commit(fmt.Appendf(nil, "line %d\n", n)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(disk.blockWrites)
		done.Wait()
		if disk.writes != 2 {
			t.Errorf("%d writes; want one for the first, and one for all that came meanwhile", disk.writes)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(readFile(t, j.path)), "\n"); lines != 100 {
			t.Errorf("%d lines; want 100", lines)
		}
	})
}
