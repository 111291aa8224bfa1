package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// wantAtRest fails unless the folder holds the ledger's one file, which is in rollback mode.
func wantAtRest(t *testing.T, path string) {
	t.Helper()
	files := snapshot(t, filepath.Dir(path))
	name := filepath.Base(path)
	if len(files) != 1 || len(files[name]) < 20 {
		t.Fatalf("the folder holds %d files; want %s alone", len(files), name)
	}
	if mode := files[name][18:20]; !bytes.Equal(mode, []byte{1, 1}) {
		t.Errorf("the file's modes are %v; want rollback mode, 1 and 1", mode)
	}
}

// A reader that has come half way when the run ends, as "report | less" has, holds nothing: all
// is in the one file, and copied anywhere it is whole.
func TestOneFileAtRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	ledger := openLedger(t, path)
	add(t, ledger, messages(0, 1200))
	read := openFor(t, path, batch.ReadOnly())
	n := 0
	for _, err := range read.Messages(t.Context(), batch.All) {
		must(t, err)
		if n++; n == 1 {
			if got := report(t, read); got.Open != 1200 {
				t.Errorf("beside what is added the reader sees %+v; want 1200 open", got.Counts)
			}
			runAll(t, ledger)
			if got := report(t, read); got.Unsent != 1200 {
				t.Errorf("after the run the reader sees %+v; want 1200 unsent", got.Counts)
			}
			must(t, ledger.Close())
			wantAtRest(t, path)
		}
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	text, err := os.ReadFile(path)
	must(t, err)
	write(t, copied, string(text))
	moved := openLedger(t, copied)
	if got := report(t, moved); got.Unsent != 1200 || n != 1200 {
		t.Errorf("%d messages were read, and the copy holds %+v; want 1200, unsent", n, got.Counts)
	}
}

// Somebody else's open transaction at the end of a run: one line says which files belong together.
// At the beginning of one: one line, within ten seconds, says what to close.
func TestForeignTransaction(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	ledger := openLedger(t, path)
	add(t, ledger, messages(0, 50))
	other, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
	must(t, err)
	begin := func() {
		must(t, sqlitex.ExecuteTransient(other, "BEGIN", nil))
		must(t, sqlitex.ExecuteTransient(other, "SELECT count(*) FROM message", nil))
	}
	begin()
	runAll(t, ledger)
	want := "another program is reading the ledger: its newest part is in messages.db-wal until the next run; " +
		"keep that file beside messages.db"
	if got := ledger.Warning(); got != want {
		t.Errorf("after the run the ledger warns %q; want %q", got, want)
	}
	must(t, ledger.Close())
	must(t, sqlitex.ExecuteTransient(other, "COMMIT", nil))
	must(t, openLedger(t, path).Close())
	must(t, sqlitex.ExecuteTransient(other, "PRAGMA journal_mode = DELETE", nil))
	begin()
	start := time.Now()
	ledger = openLedger(t, path)
	_, err = ledger.Add(t.Context(), rows(messages(0, 60)))
	want = "ledger " + path + " is being read by another program with an open transaction, such as a database browser; " +
		"close that, then run it again"
	if took := time.Since(start); err == nil || err.Error() != want || took > 10*time.Second {
		t.Errorf("after %v adding is %v; want %s, within 10 s", took, err, want)
	}
	added, err := ledger.Replace(t.Context(), rows(messages(0, 60)), batch.Preview())
	if err != nil || added.Plan(false).Messages != 10 {
		t.Errorf("beside a reader a preview is %+v, %v; want 10 messages", added.Plan(false), err)
	}
	must(t, errors.Join(ledger.Close(), other.Close()))
	wantAtRest(t, path)
}

// Readers leave no file and change none: at rest, during a run, and after one that was killed,
// with its log and with a copy of that alone.
func TestReadersLeaveNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "messages.db")
	open := 10
	same := func(when string) {
		t.Helper()
		before := snapshot(t, dir)
		wantOpen(t, path, open)
		t.Log("read", when)
		wantSame(t, before, snapshot(t, dir))
	}
	closedLedger(t, path, batch.ForMock())
	same("at rest")
	ledger := openLedger(t, path)
	add(t, ledger, messages(0, 12))
	open = 12
	same("while a process works on it")
	killed := snapshot(t, dir)
	if len(killed) != 3 {
		t.Fatalf("while a process works on it there are %d files; want 3", len(killed))
	}
	must(t, ledger.Close())
	for name, text := range killed {
		write(t, filepath.Join(dir, name), string(text))
	}
	same("after a kill")
	must(t, os.Remove(path+"-shm"))
	same("with a log alone")
	must(t, openLedger(t, path).Close())
	wantAtRest(t, path)
}

// bind mounts a file at another path, as "docker -v file:file" does.
func bind(t *testing.T, path, at string) {
	t.Helper()
	write(t, at, "")
	if err := syscall.Mount(path, at, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("nothing can be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// The lock is on the file, by any name and mount, and while others read it.
func TestLockIsOnTheFile(t *testing.T) {
	t.Parallel()
	path, mounted := filepath.Join(t.TempDir(), "messages.db"), filepath.Join(t.TempDir(), "mounted.db")
	client := clientOf(t, "http://127.0.0.1:1")
	closedLedger(t, path, batch.ForService(client))
	bind(t, path, mounted)
	ledger := openFor(t, path, batch.ForService(client))
	wantOpen(t, path, 10)
	cmd := childCommand(t, "run", "http://127.0.0.1:1", "", mounted, "1")
	cmd.Stderr = nil
	said, err := cmd.CombinedOutput()
	if want := "child: ledger " + mounted + " is in use by another process; wait until that has ended\n"; err == nil || string(said) != want {
		t.Errorf("another process prints %q, %v; want %q", said, err, want)
	}
	must(t, ledger.Close())
	ledger = openFor(t, mounted, batch.ForService(client))
	if want := "the ledger is mounted as a single file"; !strings.HasPrefix(ledger.Warning(), want) {
		t.Errorf("the ledger warns %q; want %q", ledger.Warning(), want)
	}
	must(t, ledger.Close())
}

// A file system in user space is warned of. No program serves this one: Linux itself responds to
// users other than its own.
func TestFUSE(t *testing.T) {
	t.Parallel()
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no FUSE here:", err)
	}
	defer func() { _ = device.Close() }()
	dir := t.TempDir()
	if err := syscall.Mount("test", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=1,group_id=1", device.Fd())); err != nil {
		t.Skip("FUSE cannot be mounted here:", err)
	}
	defer func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
	if got, want := sqlite.FileSystemWarning(dir), "the ledger is on a file system in user space (FUSE)"; !strings.HasPrefix(got, want) {
		t.Errorf("the warning is %q; want %q", got, want)
	}
}

// A process that is being started elsewhere in the program has copies of all descriptors for a moment.
func TestLockEndsWithTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.db")
	ledger := openLedger(t, path)
	descriptors, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	copies := 0
	for _, entry := range descriptors {
		if name, _ := os.Readlink("/proc/self/fd/" + entry.Name()); name != path {
			continue
		}
		number, err := strconv.Atoi(entry.Name())
		must(t, err)
		duplicate, err := syscall.Dup(number)
		must(t, err)
		t.Cleanup(func() { _ = syscall.Close(duplicate) })
		copies++
	}
	if copies == 0 {
		t.Fatal("no descriptor of the ledger is open; want at least that of its lock")
	}
	must(t, ledger.Close())
	must(t, openLedger(t, path).Close())
}

// A volume that holds the ledger is enough: the folder for temporary files may be full.
func TestTemporaryFilesStandBesideTheLedger(t *testing.T) {
	t.Parallel()
	full := smallDisk(t, 64<<10)
	write(t, filepath.Join(full, "filler"), strings.Repeat("x", 60<<10))
	cmd := childCommand(t, "reorder", filepath.Join(t.TempDir(), "messages.db"))
	cmd.Env = append(cmd.Env, "TMPDIR="+full, "SQLITE_TMPDIR="+full)
	if err := cmd.Run(); err != nil {
		t.Errorf("with a full folder for temporary files: %v; want the ledger's used", err)
	}
}
