package sqlite_test

import (
	"errors"
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

// Each commit is synced to the drive, which a Mac does with fullfsync alone.
func TestSyncs(t *testing.T) {
	t.Parallel()
	pragma := sqlite.Pragmas(t, filepath.Join(t.TempDir(), "messages.db"))
	const full = 2
	for name, want := range map[string]int{"synchronous": full, "fullfsync": 1, "checkpoint_fullfsync": 1} {
		if got := pragma(name); got != want {
			t.Errorf("%s is %d; want %d", name, got, want)
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

// A ledger that another program deletes, replaces or damages stops its run before the next request. Unless its
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
		"touched": {meddle: func(path string) error {
			return os.Chtimes(path, time.Time{}, time.Unix(1, 0))
		}, want: "was changed by another program"},
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
