package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

// failing is a store whose writes fail from one on.
type failing struct {
	batch.Store
	left int
	err  error
}

func (f *failing) Write(ctx context.Context, entries []batch.Entry) error {
	if f.left--; f.left < 0 {
		return f.err
	}
	return f.Store.Write(ctx, entries)
}

// Whichever write fails, no message is sent or yielded before it is recorded.
func TestFailingWrites(t *testing.T) {
	for n := range 12 {
		synctest.Test(t, func(t *testing.T) {
			items := append(messages(0, 20), messages(1, 20)...)
			server := newMock(2, mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
			path := filepath.Join(t.TempDir(), "messages.db")
			broken := fmt.Errorf("%w: the disk is full", batch.ErrLedger)
			fails := func(s batch.Store) batch.Store { return &failing{Store: s, left: n, err: broken} }
			ledger, err := sqlite.OpenWrapped(path, fails, batch.ForMock())
			must(t, err)
			defer func() { _ = ledger.Close() }()
			add(t, ledger, items)
			var progress batch.Progress
			results, early := collectRun(batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{Progress: &progress}))
			if !errors.Is(early, broken) {
				t.Fatalf("write %d: the run ends with %v; want %v", n, early, broken)
			}
			if c := progress.Counts(); c.InFlight != 0 || c.Ended() != len(results) {
				t.Errorf("write %d: progress is %+v", n, c)
			}
			wantOnRecord(t, ledger, server, idsOf(results))
			must(t, ledger.Close())
			resume(t, path, server, items)
		})
	}
}

// Each commit is synced to the drive, which a Mac does with fullfsync alone.
func TestSyncs(t *testing.T) {
	t.Parallel()
	var store batch.Store
	keep := func(s batch.Store) batch.Store { store = s; return s }
	ledger, err := sqlite.OpenWrapped(filepath.Join(t.TempDir(), "messages.db"), keep, batch.ForMock())
	must(t, err)
	defer func() { _ = ledger.Close() }()
	const full = 2
	for name, want := range map[string]int{"synchronous": full, "fullfsync": 1, "checkpoint_fullfsync": 1} {
		got, err := sqlite.Pragma(store, name)
		must(t, err)
		if got != want {
			t.Errorf("%s is %d; want %d", name, got, want)
		}
	}
}

func idsOf(results []batch.Result) map[string]bool {
	ids := map[string]bool{}
	for _, r := range results {
		ids[r.Item.MessageID] = true
	}
	return ids
}

// wantOnRecord fails if a message was sent that the ledger does not hold as ambiguous or complete, or
// if one was yielded that is still open.
func wantOnRecord(t *testing.T, ledger *batch.Ledger, server *mock.Server, yielded map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range server.Journal() {
		seen[e.MessageID] = true
	}
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		must(t, err)
		if seen[r.Item.MessageID] && !r.MaybeUnsent && r.Outcome == "" {
			t.Errorf("message %s was sent, and is not recorded", r.Item.MessageID)
		}
		if yielded[r.Item.MessageID] && r.Outcome == "" {
			t.Errorf("message %s was yielded, and is open", r.Item.MessageID)
		}
	}
}

// resume runs what is left, after which every message is unsent once.
func resume(t *testing.T, path string, server *mock.Server, items []batch.Item) {
	t.Helper()
	ledger := openLedger(t, path)
	for r := range eachResult(t, batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{})) {
		if r.Outcome != batch.Unsent && r.Outcome != batch.AlreadyGone {
			t.Errorf("resumed: %+v: %v", r, r.Err)
		}
	}
	if got := report(t, ledger); got.Unsent+got.AlreadyGone != len(items) {
		t.Errorf("the report is %+v; want %d unsent or already gone", got, len(items))
	}
	unsentOnce(t, server, items)
	must(t, ledger.Close())
}

// A ledger that somebody deletes, replaces or damages stops its run before the next request. Unless its
// newest part is lost, it can be resumed.
func TestLedgerIsMeddledWith(t *testing.T) {
	move := func(path string) error { return os.Rename(path, path+".old") }
	for name, c := range map[string]struct {
		meddle func(path string) error
		want   string
		lost   bool
	}{
		"deleted": {meddle: os.Remove, want: "is gone", lost: true},
		"moved":   {meddle: move, want: "is gone"},
		"log cut": {meddle: func(path string) error { return os.Truncate(path+"-wal", 4096) }, want: "has lost its newest part", lost: true},
		"log replaced": {meddle: func(path string) error {
			return errors.Join(os.Rename(path+"-wal", path+"-wal.old"), os.WriteFile(path+"-wal", make([]byte, 1<<20), 0o600))
		}, want: "has lost its newest part"},
		"index cut":   {meddle: func(path string) error { return os.Truncate(path+"-shm", 0) }, want: "was cut by another program", lost: true},
		"log deleted": {meddle: func(path string) error { return os.Remove(path + "-wal") }, want: "has lost its newest part"},
		"truncated":   {meddle: func(path string) error { return os.Truncate(path, 0) }, want: "was changed by another program", lost: true},
		"replaced": {meddle: func(path string) error {
			return errors.Join(move(path), os.WriteFile(path, []byte("x"), 0o600))
		}, want: "was replaced by another file"},
		"written into": {meddle: func(path string) error {
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			_, err = file.WriteAt([]byte("xxxx"), 5000)
			return errors.Join(err, file.Close())
		}, want: "was changed by another program", lost: true},
		"touched": {meddle: func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) }, want: "was changed by another program"},
		"log moved into it": {meddle: func(path string) error {
			db, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
			if err != nil {
				return err
			}
			return errors.Join(sqlitex.ExecuteTransient(db, "PRAGMA wal_checkpoint(TRUNCATE)", nil), db.Close())
		}, want: "was changed by another program"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "messages.db")
				ledger := openLedger(t, path)
				items := messages(0, 120)
				add(t, ledger, items)
				server := newMock(1)
				yielded, seen := 0, 0
				var early error
				for _, err := range batch.Run(t.Context(), newClient(t, server), ledger, batch.Options{InFlight: 1}) {
					early = err
					if yielded++; yielded == 95 { // the bucket is empty: the next goes in a second
						synctest.Wait()
						time.Sleep(50 * time.Millisecond) //nolint:forbidigo // virtual, but for the time in which a file's clock advances
						if err := c.meddle(path); err != nil {
							t.Skip(err)
						}
						seen = len(server.Journal())
					}
				}
				if !errors.Is(early, batch.ErrLedger) || !strings.HasPrefix(early.Error(), "ledger "+path+" "+c.want) {
					t.Errorf("the run ends with %v; want ledger %s %s", early, path, c.want)
				}
				if n := len(server.Journal()); n != seen {
					t.Errorf("%d requests after it", n-seen)
				}
				_ = ledger.Close() // may report the damage again
				if c.lost {
					return
				}
				_ = os.Rename(path+".old", path) // if it was moved
				resume(t, path, server, items)
			})
		})
	}
}
