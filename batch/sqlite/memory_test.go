package sqlite_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/input"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// measured is what a process says of itself that loads an input, sends the first of its
// messages, and then goes on with it as one that has ended.
type measured struct {
	Rows    int
	PeakRSS int   // bytes
	Load    spent // reading and adding
	Run     spent // of the first messages
	Resume  spent // opening the ledger again, and running it with nothing left to do
	Reload  spent // the same input again
}

// spent is how long something took, on the clock and of the processors.
type spent struct{ Clock, CPU time.Duration }

// spend measures f.
func spend(f func() error) (spent, error) {
	clock, before := time.Now(), cpuTime()
	err := f()
	return spent{time.Since(clock), cpuTime() - before}, err
}

// cpuTime is what the process has used, in the hundredths of a second of Linux's /proc.
func cpuTime() time.Duration {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// measure starts such a process with rows on so many connections, and lets it send at most
// some of them.
func measure(tb testing.TB, rows, connections, send int, id func(n int) (user, message string)) measured {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "input.csv")
	file, err := os.Create(path)
	must(tb, err)
	out := bufio.NewWriter(file)
	_, _ = out.WriteString("user_id,message_id,connection_id\n") // an error shows in Flush
	for n := range rows {
		user, message := id(n)
		_, _ = fmt.Fprintf(out, "%s,%s,conn_%d\n", user, message, n%connections)
	}
	must(tb, errors.Join(out.Flush(), file.Close()))
	var m measured
	said := startChild(tb, "measure", serveUnsent(tb), path, filepath.Join(tb.TempDir(), "messages.db"), strconv.Itoa(send))
	must(tb, json.Unmarshal(said, &m))
	if m.Rows != rows {
		tb.Fatalf("%d rows were read of %d", m.Rows, rows)
	}
	return m
}

// startChild runs the test binary as a child to its end, and returns what it printed.
func startChild(tb testing.TB, name string, args ...string) []byte {
	tb.Helper()
	said, err := childCommand(tb, name, args...).Output()
	must(tb, err)
	return said
}

func childCommand(tb testing.TB, name string, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	cmd := exec.CommandContext(tb.Context(), self, args...)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// measureSelf is the process that is measured.
func measureSelf(args []string) error {
	url, list, path := args[0], args[1], args[2]
	send, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	ctx := context.Background()
	client, err := api.New(testKey, api.WithBaseURL(url), api.WithRateLimit(600, 1))
	if err != nil {
		return err
	}
	var m measured
	var ledger *batch.Ledger
	open := func() (err error) {
		ledger, err = sqlite.Open(path, batch.ForService(client))
		return err
	}
	load := func() (batch.Added, error) {
		file, err := os.Open(list)
		if err != nil {
			return batch.Added{}, err
		}
		defer func() { _ = file.Close() }()
		return ledger.Replace(ctx, input.Read(file, input.Auto))
	}
	var failed [4]error
	m.Load, failed[0] = spend(func() error {
		if err := open(); err != nil {
			return err
		}
		added, err := load()
		m.Rows = added.New
		return err
	})
	m.Run, failed[1] = spend(func() error {
		stop, sent := make(chan struct{}), 0
		for r, err := range batch.Run(ctx, client, ledger, batch.Options{Stop: stop}) {
			if errors.Is(err, batch.ErrStopped) {
				break
			}
			if r.Outcome != batch.Unsent {
				return fmt.Errorf("%s: %w", r.Outcome, r.Err)
			}
			if sent++; sent == send {
				close(stop)
			}
		}
		return ledger.Close()
	})
	failed[1] = errors.Join(failed[1], endAll(path))
	m.Resume, failed[2] = spend(func() error {
		if err := open(); err != nil {
			return err
		}
		for r, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
			return fmt.Errorf("%+v was sent, %w", r, err)
		}
		_, err := ledger.Report(ctx)
		return err
	})
	m.Reload, failed[3] = spend(func() error {
		added, err := load()
		if err != nil || added.Known != m.Rows {
			return fmt.Errorf("%d known, %w", added.Known, err)
		}
		return ledger.Close()
	})
	m.PeakRSS, err = peakRSS()
	return errors.Join(errors.Join(failed[:]...), err, json.NewEncoder(os.Stdout).Encode(m))
}

// endAll makes a ledger one in which every message was unsent.
func endAll(path string) error {
	db, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	err = sqlitex.ExecuteTransient(db, "UPDATE message SET final = 1, outcome = 'unsent'", nil)
	return errors.Join(err, db.Close())
}

// peakRSS is the most memory that the process had at any time.
func peakRSS() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("no VmHWM")
}

func shortIDs(n int) (user, message string) {
	return strconv.Itoa(51_000_000 + n/7), strconv.Itoa(6_432_457_000_000 + n)
}

// longIDs have 64 characters, in no order.
func longIDs(n int) (user, message string) {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:16]) + strings.Repeat("0", 32)
}

func needsProc(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("the peak of a process's memory is read from Linux's /proc")
	}
}

// A million rows take at most 72 MiB, whatever their ids.
func TestMemoryOfAMillionRows(t *testing.T) {
	needsProc(t)
	if raceEnabled {
		t.Skip("the race detector multiplies memory")
	}
	m := measure(t, 1_000_000, 100, 2000, shortIDs)
	t.Logf("%+v", m)
	if m.PeakRSS > 72<<20 {
		t.Errorf("the peak was %d MiB; want at most 72", m.PeakRSS>>20)
	}
}

// BenchmarkMemory measures a process with a million rows, and one with sixty thousand
// connections: its peak, and what loading, going on and loading again take.
func BenchmarkMemory(b *testing.B) {
	needsProc(b)
	for _, c := range []struct {
		name                    string
		rows, connections, send int
		id                      func(int) (string, string)
	}{
		{"ten-thousand-rows", 10_000, 100, 1000, shortIDs},
		{"a-million-rows", 1_000_000, 100, 2000, shortIDs},
		{"a-million-rows-of-long-ids", 1_000_000, 100, 2000, longIDs},
		{"sixty-thousand-connections", 300_000, 60_000, 100_000, shortIDs},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				m := measure(b, c.rows, c.connections, c.send, c.id)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(m.PeakRSS)/(1<<20), "peak-MiB")
				for name, s := range map[string]spent{"load": m.Load, "run": m.Run, "resume": m.Resume, "reload": m.Reload} {
					b.ReportMetric(s.Clock.Seconds(), name+"-s")
					b.ReportMetric(s.CPU.Seconds(), name+"-cpu-s")
				}
			}
		})
	}
}

// serveUnsent answers every request on loopback with some 2 kB that say success.
func serveUnsent(tb testing.TB) (url string) {
	tb.Helper()
	body := []byte(`{"success":true,"queue":{"id":6432457811894,"text":"` + strings.Repeat("x", 2000) + `"}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}
