package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

// smallDisk mounts a file system of so many bytes, if that is allowed.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		t.Skip("a small disk cannot be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A disk that becomes full, at whatever point of a write, stops the run with one line; once there is
// room it can be resumed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for room := range 48 {
		dir := smallDisk(t, 4<<20)
		path := filepath.Join(dir, "messages.db")
		items := messages(0, 60)
		ledger := openLedger(t, path)
		add(t, ledger, items)
		filler, err := os.Create(filepath.Join(dir, "filler"))
		must(t, err)
		page := make([]byte, 4096)
		for err == nil {
			_, err = filler.Write(page)
		}
		if info, err := filler.Stat(); err != nil || filler.Truncate(info.Size()-int64(room*4096)) != nil {
			t.Fatal(err)
		}
		server := newMock(1, mock.WithoutRateLimit())
		client := newClient(t, server, api.WithoutRateLimit())
		results, early := collectRun(batch.Run(t.Context(), client, ledger, batch.Options{}))
		want := "ledger " + path + " cannot be written: the disk is full; make room, then run it again"
		if early == nil || early.Error() != want {
			t.Errorf("room for %d pages: the run ends with %v; want %s", room, early, want)
		}
		storetest.OnRecord(t, ledger, server, storetest.IDs(results))
		must(t, errors.Join(filler.Close(), os.Remove(filler.Name()), ledger.Close()))
		resume(t, path, server, items)
	}
}

// A disk that is full from the start is reported as full, whichever file finds no room: the ledger, its
// log or the log's index.
func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	for pages := range 30 {
		path := filepath.Join(smallDisk(t, (1+pages)*4096), "messages.db")
		ledger, err := sqlite.Open(path, batch.ForMock())
		if err == nil {
			_, err = ledger.Add(t.Context(), rows(messages(0, 1000)))
			_ = ledger.Close() // may find no room either
		}
		if want := "ledger " + path + " cannot be written: the disk is full; make room, then run it again"; err == nil || err.Error() != want {
			t.Errorf("with %d pages: %v; want %s", 1+pages, err, want)
		}
	}
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 400<<10)
	path := filepath.Join(dir, "messages.db")
	closedLedger(t, path, batch.ForMock())
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	if _, err := sqlite.Open(path, batch.ForMock()); !errors.Is(err, batch.ErrLedger) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
	wantOpen(t, path, 10)
}

// If syncs fail, no message is sent before it is recorded, and none yielded that is not stored.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	server, url, path := servedLedger(t, 2000)
	child := childCommand(t, "run", url, "", path, "4")
	var said strings.Builder
	trace(t, child, "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=100+")
	child.Stderr = &said
	printed, _ := child.Output()
	if want := "child: ledger " + path + " cannot be written or read: the disk fails ("; !strings.HasPrefix(said.String(), want) {
		t.Fatalf("the process prints %q; want %s", said.String(), want)
	}
	yielded := map[string]bool{}
	for line := range strings.Lines(string(printed)) {
		id, _, _ := strings.Cut(line, " ")
		yielded[id] = true
	}
	if len(yielded) == 0 || len(yielded) == 2000 {
		t.Errorf("%d were yielded; want some", len(yielded))
	}
	storetest.OnRecord(t, openFor(t, path, batch.ReadOnly()), server, yielded)
}

// servedLedger returns a mock, its address, and the path of its ledger with n messages.
func servedLedger(t *testing.T, n int) (server *mock.Server, url, path string) {
	t.Helper()
	server = newMock(1, mock.WithoutRateLimit())
	url, path = start(t, server), filepath.Join(t.TempDir(), "messages.db")
	ledger := openFor(t, path, batch.ForService(clientOf(t, url)))
	add(t, ledger, messages(0, n))
	must(t, ledger.Close())
	return server, url, path
}

// Under a tracer: with one request at a time, each is sent after a sync of its own.
func TestEachSendIsSynced(t *testing.T) {
	t.Parallel()
	const n = 40
	_, url, path := servedLedger(t, n)
	log := filepath.Join(t.TempDir(), "trace")
	runTraced(t, childCommand(t, "run", url, "", path, "1"), log)
	syncs, sends := 0, 0
	for _, c := range readTrace(t, log) {
		switch {
		case strings.HasPrefix(string(c.data), "DELETE "):
			if sends++; syncs == 0 {
				t.Errorf("request %d was sent without a sync since the one before", sends)
			}
			syncs = 0
		case strings.HasSuffix(c.name, "sync"):
			syncs++
		}
	}
	if sends != n || syncs == 0 {
		t.Errorf("%d requests, and %d syncs after the last; want %d, and some", sends, syncs, n)
	}
}
