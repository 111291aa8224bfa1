package batch

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// measured is what a process says of itself that holds a whole input, on a hundred
// connections, and has sent the first requests of each.
type measured struct {
	Rows    int
	PeakRSS int // bytes
	Heap    int // bytes in use, after a collection
	Inspect time.Duration
	First   time.Duration // from Inspect's end to the first result
}

func measure(tb testing.TB, rows int, id func(connection, n int) (user, message string)) measured {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "input.csv")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	out := bufio.NewWriter(file)
	_, _ = out.WriteString("user_id,message_id,connection_id\n") // an error shows in Flush
	for n := range rows {
		user, message := id(n%100, n)
		_, _ = fmt.Fprintf(out, "%s,%s,conn_%d\n", user, message, n%100)
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		tb.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), self, serveUnsent(tb), path, filepath.Join(tb.TempDir(), "run.jsonl"))
	cmd.Env = append(os.Environ(), childVariable+"=measure")
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		tb.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(said, &m); err != nil {
		tb.Fatal(err)
	}
	if m.Rows != rows {
		tb.Fatalf("%d rows were read of %d", m.Rows, rows)
	}
	return m
}

// measureSelf is the process that is measured.
func measureSelf(url, inputPath, journalPath string) error {
	client, err := api.New(testKey, api.WithBaseURL(url))
	if err != nil {
		return err
	}
	file, err := os.Open(inputPath)
	if err != nil {
		return err
	}
	start := time.Now()
	input := Inspect(Read(file, Auto), Shard{})
	m := measured{Rows: input.Messages, Inspect: time.Since(start)}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	start = time.Now()
	journal, err := OpenJournal(journalPath, input, true)
	if err != nil {
		return err
	}
	var progress Progress
	var read atomic.Bool
	items := func(yield func(Item) bool) {
		for item := range Good(Read(file, Auto)) {
			if !yield(item) {
				return
			}
		}
		read.Store(true)
	}
	stop := make(chan struct{})
	for r := range Run(context.Background(), client, items, Options{Journal: journal, Progress: &progress, Stop: stop}) {
		if r.Outcome != Unsent {
			return r.Err
		}
		if m.First == 0 {
			m.First = time.Since(start)
		}
		if progress.Counts().Ended() >= min(8000, m.Rows*8/10) && read.Load() && m.Heap == 0 {
			m.Heap = heapInUse()
			close(stop)
		}
	}
	m.PeakRSS, err = peakRSS()
	return errors.Join(err, journal.Close(), json.NewEncoder(os.Stdout).Encode(m))
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

func numbers(connection, n int) (user, message string) {
	return strconv.Itoa(51_000_000 + n/7), strconv.Itoa(6_432_457_000_000 + n + connection)
}

func words(connection, n int) (user, message string) {
	return fmt.Sprintf("user_%d", 51_000_000+n/7), fmt.Sprintf("msg-%d", 6_432_457_000_000+n+connection)
}

func needsProc(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("the peak of a process's memory is read from Linux's /proc")
	}
}

// A million rows take at most 128 MiB, everything that the process has counted.
func TestMemoryOfAMillionRows(t *testing.T) {
	needsProc(t)
	if raceEnabled {
		t.Skip("the race detector multiplies memory")
	}
	for name, id := range map[string]func(int, int) (string, string){"numbers": numbers, "words": words} {
		m := measure(t, 1_000_000, id)
		t.Logf("%s: %+v", name, m)
		if m.PeakRSS > 128<<20 {
			t.Errorf("%s: the peak was %d MiB; want at most 128", name, m.PeakRSS>>20)
		}
	}
}

// BenchmarkMemory measures a process with ten thousand rows and with a million: its peak,
// what it holds for each row, and the time to the first result beside that of reading the
// input once.
func BenchmarkMemory(b *testing.B) {
	needsProc(b)
	for _, rows := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			for b.Loop() {
				m := measure(b, rows, numbers)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(m.PeakRSS)/(1<<20), "peak-MiB")
				b.ReportMetric(float64(m.Heap)/float64(rows), "heap-B/row")
				b.ReportMetric(float64(m.Inspect.Milliseconds()), "inspect-ms")
				b.ReportMetric(float64(m.First.Microseconds())/1000, "first-result-ms")
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
