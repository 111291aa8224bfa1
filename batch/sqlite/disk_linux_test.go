package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
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
		wantOnRecord(t, ledger, server, idsOf(results))
		must(t, errors.Join(filler.Close(), os.Remove(filler.Name()), ledger.Close()))
		resume(t, path, server, items)
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

// failSyncs makes every later fsync and fdatasync of this process fail as on a broken disk.
func failSyncs() error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: unix.SYS_FSYNC},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_FDATASYNC},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]} //nolint:gosec // it has five instructions
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	at := uintptr(unsafe.Pointer(&filter)) //nolint:gosec // as the system call asks for it
	_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, at)
	if err != 0 {
		return err
	}
	return nil
}

// failingDiskSelf is a process whose disk fails while it runs a batch.
func failingDiskSelf(args []string) error {
	url, path := args[0], args[1]
	client, ledger, err := openAsChild(url, path)
	if err != nil {
		return err
	}
	yielded := 0
	for r, err := range batch.Run(context.Background(), client, ledger, batch.Options{}) {
		if err != nil {
			fmt.Println("ended:", err)
			break
		}
		fmt.Println(r.Item.MessageID)
		if yielded++; yielded == 50 {
			if err := failSyncs(); err != nil {
				return fmt.Errorf("no filter: %w", err)
			}
		}
	}
	return nil
}

// If syncs fail, no message is sent before it is recorded, and none yielded that is not stored.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	server, url, path := servedLedger(t, 2000)
	printed := strings.Split(strings.TrimSpace(string(startChild(t, "failing-disk", url, path))), "\n")
	last := printed[len(printed)-1]
	if want := "ended: ledger " + path + " cannot be written or read: the disk fails ("; !strings.HasPrefix(last, want) {
		t.Fatalf("the process prints %q; want %s", last, want)
	}
	yielded := map[string]bool{}
	for _, id := range printed[:len(printed)-1] {
		yielded[id] = true
	}
	if len(yielded) < 50 || len(yielded) > 500 {
		t.Errorf("%d were yielded; want some more than 50", len(yielded))
	}
	wantOnRecord(t, openFor(t, path, batch.ReadOnly()), server, yielded)
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
	runTraced(t, childCommand(t, "one-by-one", url, path), log)
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

// oneByOneSelf runs a ledger with one request at a time.
func oneByOneSelf(args []string) error {
	client, ledger, err := openAsChild(args[0], args[1])
	if err != nil {
		return err
	}
	for r, err := range batch.Run(context.Background(), client, ledger, batch.Options{InFlight: 1}) {
		if r.Outcome != batch.Unsent {
			return errors.Join(err, r.Err)
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // lets what belongs to one message come together in the trace
	}
	return ledger.Close()
}
