package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// crashSite is an input, a journal, and a service with faults, for processes that die.
type crashSite struct {
	server         *mock.Server
	items          []Item
	url            string
	input, journal string
	ended          map[string]int // how many requests the service had seen when a message was known to have ended
}

func newCrashSite(t *testing.T, n int) *crashSite {
	t.Helper()
	quick := mock.Fault{Delay: 4 * time.Millisecond}
	faults := append(slices.Repeat([]mock.Fault{quick}, 55),
		mock.Fault{Kind: mock.Drop}, mock.Fault{Kind: mock.Drop, Acted: true},
		mock.Fault{Status: 503}, mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 429})
	s := &crashSite{
		server: newMock(4, mock.WithoutRateLimit(), mock.WithFaults(rand.Uint64(), 1, faults...)),
		ended:  map[string]int{},
	}
	text := "user_id,message_id,connection_id\n"
	for i := range n {
		item := message(i%4, i/4)
		s.items = append(s.items, item)
		text += fmt.Sprintf("%s,%s,%s\n", item.UserID, item.MessageID, item.ConnectionID)
	}
	s.input, s.journal = filepath.Join(t.TempDir(), "input.csv"), filepath.Join(t.TempDir(), "run.jsonl")
	if err := os.WriteFile(s.input, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.url, err = s.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

// run starts a process, and ends it by end at a random moment: a little after it has told of
// so many messages, those that ended in earlier processes included. It returns what it told,
// and how it ended.
func (s *crashSite) run(t *testing.T, messages int, end func(*os.Process) error) (told []string, err error) {
	t.Helper()
	cmd := childCommand(t, s.url, s.input, s.journal)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // what the kill cut off is not told
		}
		if line != "ready\n" {
			told = append(told, strings.TrimSuffix(line, "\n"))
		}
		if end != nil && len(told) >= messages {
			finish := end
			timer := time.AfterFunc(rand.N(5*time.Millisecond), func() { _ = finish(cmd.Process) })
			defer timer.Stop()
			end = nil // once
		}
	}
	return told, cmd.Wait()
}

// record notes what has ended by what a process left, and checks that it told no more.
func (s *crashSite) record(t *testing.T, told []string) {
	t.Helper()
	finals := s.finals(t)
	for _, id := range told {
		if finals[id] == 0 {
			t.Errorf("message %s was told to have ended, and the journal does not know", id)
		}
	}
	seen := len(s.server.Journal())
	for id := range finals {
		if _, known := s.ended[id]; !known {
			s.ended[id] = seen
		}
	}
}

// finals counts the final ends of each message.
func (s *crashSite) finals(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for line := range bytes.Lines(readFile(t, s.journal)) {
		var rec record
		if json.Unmarshal(line, &rec) == nil && rec.Final {
			counts[rec.MessageID]++
		}
	}
	return counts
}

// check is what must hold when the last process is done.
func (s *crashSite) check(t *testing.T) {
	t.Helper()
	finals := s.finals(t)
	for _, item := range s.items {
		if n := finals[item.MessageID]; n != 1 {
			t.Errorf("message %s has %d final outcomes; want one", item.MessageID, n)
		}
	}
	unsentOnce(t, s.server, slices.Values(s.items))
	for n, e := range s.server.Journal() {
		if at, ended := s.ended[e.MessageID]; ended && n >= at {
			t.Errorf("message %s was sent again after it had ended", e.MessageID)
		}
	}
	summary, err := Report(bytes.NewReader(readFile(t, s.journal)))
	if err != nil || summary.Unsent+summary.AlreadyGone != len(s.items) || summary.Ended() != len(s.items) || summary.Unsettled != 0 {
		t.Errorf("the report is %+v, %v", summary, err)
	}
	t.Logf("%d unsent, %d already gone, by %d requests", summary.Unsent, summary.AlreadyGone, len(s.server.Journal()))
}

// finish lets a process run to the end.
func (s *crashSite) finish(t *testing.T) {
	t.Helper()
	told, err := s.run(t, 0, nil)
	if err != nil {
		t.Errorf("the last process ended with %v", err)
	}
	s.record(t, told)
	if len(told) != len(s.items) {
		t.Errorf("the last process told of %d messages; want all %d", len(told), len(s.items))
	}
	s.check(t)
}

func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t, 4000)
	for n := range 50 {
		told, err := s.run(t, len(s.ended)+rand.N(50), (*os.Process).Kill)
		if err == nil {
			t.Fatalf("process %d of 50 came to the end; want it killed", n)
		}
		s.record(t, told)
	}
	t.Logf("%d of %d had ended after 50 kills", len(s.ended), len(s.items))
	if len(s.ended) < 100 {
		t.Errorf("only %d had ended after 50 kills", len(s.ended))
	}
	s.finish(t)
}

func TestInterruptedProcesses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot send an interrupt to one process")
	}
	t.Parallel()
	s := newCrashSite(t, 2000)
	for n := range 12 {
		told, err := s.run(t, len(s.ended)+rand.N(50), func(p *os.Process) error { return p.Signal(os.Interrupt) })
		if status, ok := err.(*exec.ExitError); !ok || status.ExitCode() != 1 { //nolint:errorlint // Wait's own
			t.Fatalf("process %d ended with %v; want it to stop by itself, with 1", n, err)
		}
		s.record(t, told)
		open := map[string]bool{}
		for line := range bytes.Lines(readFile(t, s.journal)) {
			var rec record
			if err := json.Unmarshal(line, &rec); err != nil {
				t.Fatalf("an interrupted process left %q", line)
			}
			open[rec.MessageID] = rec.Event == eventSend
		}
		for id, inFlight := range open {
			if inFlight {
				t.Errorf("message %s was left in flight by an interrupt", id)
			}
		}
	}
	s.finish(t)
}

// The service is away when the process starts, and once more while it runs.
func TestServiceIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t, 1500)
	away := func() {
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
		time.AfterFunc(time.Second, func() {
			if _, err := s.server.StartAddr(strings.TrimPrefix(s.url, "http://")); err != nil {
				t.Error(err)
			}
		})
	}
	away()
	again := time.AfterFunc(2500*time.Millisecond, away)
	defer again.Stop()
	s.finish(t)
}
