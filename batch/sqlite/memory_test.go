package sqlite_test

import (
	"bufio"
	"context"
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
	"github.com/unsend-go/unsend/batch/sqlite"
)

// measured is what a process prints about itself that loads an input, sends the first of its
// messages, and then resumes it as one that is complete.
type measured struct {
	Rows    int
	PeakRSS int // bytes
	Load    time.Duration
	Resume  time.Duration // opening the ledger again, and running it with nothing left to do
}

// measure starts such a process with rows on so many connections, and lets it send at most
// some of them.
func measure(tb testing.TB, rows, connections, send int) measured {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "input.csv")
	file, err := os.Create(path)
	must(tb, err)
	out := bufio.NewWriter(file)
	_, _ = out.WriteString("user_id,message_id,connection_id\n") // an error shows in Flush
	for n := range rows {
		_, _ = fmt.Fprintf(out, "%d,%d,conn_%d\n", 51_000_000+n/7, 6_432_457_000_000+n, n%connections)
	}
	must(tb, errors.Join(out.Flush(), file.Close()))
	var m measured
	printed, err := childCommand(tb, "measure", serveUnsent(tb), path, filepath.Join(tb.TempDir(), "messages.db"), strconv.Itoa(send)).Output()
	must(tb, err)
	must(tb, json.Unmarshal(printed, &m))
	if m.Rows != rows {
		tb.Fatalf("%d rows were read of %d", m.Rows, rows)
	}
	return m
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
	start := time.Now()
	ledger, err := sqlite.Open(path, batch.ForService(client))
	if err != nil {
		return err
	}
	added, err := replaceFrom(ledger, list)
	if err != nil {
		return err
	}
	m.Rows, m.Load = added.New, time.Since(start)
	stop, sent := make(chan struct{}), 0
	for r, err := range batch.Run(ctx, client, ledger, batch.Options{Stop: stop}) {
		if errors.Is(err, batch.ErrStopped) {
			break
		}
		if r.Outcome != batch.Unsent {
			return fmt.Errorf("%s: %w", r.Outcome, errors.Join(err, r.Err))
		}
		if sent++; sent == send {
			close(stop)
		}
	}
	if err := errors.Join(ledger.Close(), endAll(path)); err != nil {
		return err
	}
	start = time.Now()
	if ledger, err = sqlite.Open(path, batch.ForService(client)); err != nil {
		return err
	}
	for r, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
		return fmt.Errorf("%+v was sent, %w", r, err)
	}
	if _, err := ledger.Report(ctx); err != nil {
		return err
	}
	m.Resume = time.Since(start)
	m.PeakRSS, err = peakRSS()
	return errors.Join(err, ledger.Close(), json.NewEncoder(os.Stdout).Encode(m))
}

// endAll makes every message of a ledger unsent.
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

func needsProc(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("the peak of a process's memory is read from Linux's /proc")
	}
}

// A million rows take at most 72 MiB.
func TestMemoryOfAMillionRows(t *testing.T) {
	needsProc(t)
	if raceEnabled() {
		t.Skip("the race detector multiplies memory")
	}
	m := measure(t, 1_000_000, 100, 2000)
	t.Logf("%+v", m)
	if m.PeakRSS > 72<<20 {
		t.Errorf("the peak was %d MiB; want at most 72", m.PeakRSS>>20)
	}
}

// BenchmarkMemory measures the peak memory of a process, and what loading and resuming take.
func BenchmarkMemory(b *testing.B) {
	needsProc(b)
	for _, c := range []struct {
		name                    string
		rows, connections, send int
	}{
		{"a-million-rows", 1_000_000, 100, 2000},
		{"sixty-thousand-connections", 300_000, 60_000, 100_000},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				m := measure(b, c.rows, c.connections, c.send)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(m.PeakRSS)/(1<<20), "peak-MiB")
				b.ReportMetric(m.Load.Seconds(), "load-s")
				b.ReportMetric(m.Resume.Seconds(), "resume-s")
			}
		})
	}
}

// serveUnsent serves a success of some 2 kB on loopback, whatever the request.
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
