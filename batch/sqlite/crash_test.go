package sqlite_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// fullVariable asks for as many crashes as are promised; without it there are some.
const fullVariable = "UNSEND_TEST_FULL"

func times(some, all int) int {
	if os.Getenv(fullVariable) != "" {
		return all
	}
	return some
}

// crashSite is an input, a ledger, and a service with faults, for processes that die.
type crashSite struct {
	server        *mock.Server
	items         []batch.Item
	url           string
	input, ledger string
	synced        string         // where a process notes what is synced
	ended         map[string]int // how many requests the service had seen when a message was known to have ended
}

func newCrashSite(t *testing.T, n int) *crashSite {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector slows the processes down, and does not look into them")
	}
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
	dir := t.TempDir()
	s.input, s.ledger, s.synced = filepath.Join(dir, "input.csv"), filepath.Join(dir, "messages.db"), filepath.Join(dir, "synced")
	must(t, os.WriteFile(s.input, []byte(text), 0o600))
	s.url = start(t, s.server)
	return s
}

// run starts a process, and ends it by end at a random moment: a little after it has printed
// so many messages. It returns what it printed, and how it ended.
func (s *crashSite) run(t *testing.T, messages int, end func(*os.Process) error) (printed []string, err error) {
	t.Helper()
	cmd := childCommand(t, "run", s.url, s.input, s.ledger, s.synced)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	in := bufio.NewReader(out)
	ending := make(chan error, 1)
	ended := end == nil
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // what the kill cut off is not printed
		}
		printed = append(printed, strings.TrimSuffix(line, "\n"))
		if !ended && len(printed) >= messages {
			ended = true
			time.AfterFunc(rand.N(5*time.Millisecond), func() { ending <- end(cmd.Process) })
		}
	}
	err = cmd.Wait()
	if end != nil && ended {
		must(t, <-ending)
	}
	return printed, err
}

// record notes what has ended by what a process left, and checks that it printed no more.
func (s *crashSite) record(t *testing.T, printed []string) {
	t.Helper()
	finals := s.finals(t)
	for _, id := range printed {
		if !finals[id] {
			t.Errorf("message %s was printed as final, and the ledger has it open", id)
		}
	}
	seen := len(s.server.Journal())
	for id := range s.ended {
		if !finals[id] {
			t.Errorf("message %s was final, and is open again", id)
		}
	}
	for id := range finals {
		if _, known := s.ended[id]; !known {
			s.ended[id] = seen
		}
	}
}

// finals returns the messages whose outcome is final.
func (s *crashSite) finals(t *testing.T) map[string]bool {
	t.Helper()
	ledger := openFor(t, s.ledger, batch.ReadOnly())
	defer func() { _ = ledger.Close() }()
	finals := map[string]bool{}
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		must(t, err)
		if r.Final {
			finals[r.Item.MessageID] = true
		}
	}
	return finals
}

// finish lets a process run to the end, and checks what must hold then.
func (s *crashSite) finish(t *testing.T) {
	t.Helper()
	printed, err := s.run(t, 0, nil)
	if err != nil {
		t.Errorf("the last process ended with %v", err)
	}
	s.record(t, printed)
	if len(s.ended) != len(s.items) {
		t.Errorf("%d of %d messages have ended", len(s.ended), len(s.items))
	}
	unsentOnce(t, s.server, s.items)
	for n, e := range s.server.Journal() {
		if at, ended := s.ended[e.MessageID]; ended && n >= at {
			t.Errorf("message %s was sent again after it was final", e.MessageID)
		}
	}
	got := report(t, openFor(t, s.ledger, batch.ReadOnly()))
	if got.Unsent+got.AlreadyGone != len(s.items) || got.Open != 0 {
		t.Errorf("the report is %+v; want %d unsent or already gone", got, len(s.items))
	}
	t.Logf("%d unsent, %d already gone, by %d requests", got.Unsent, got.AlreadyGone, len(s.server.Journal()))
}

func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	kills := times(12, 100)
	s := newCrashSite(t, 80*kills)
	for n := range kills {
		printed, err := s.run(t, 1+rand.N(50), (*os.Process).Kill)
		if err == nil {
			t.Fatalf("process %d of %d came to the end; want it killed", n, kills)
		}
		s.record(t, printed)
	}
	t.Logf("%d of %d had ended after %d kills", len(s.ended), len(s.items), kills)
	s.finish(t)
}

// A machine that loses its power keeps what was synced, and no more. It is simulated by stopping a
// process at a random moment, copying what is synced by then, and resuming the copy.
func TestCopiesAtRandomMoments(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows cannot stop a process")
	}
	t.Parallel()
	copies := times(8, 50)
	s := newCrashSite(t, 120*copies)
	for range copies {
		after := filepath.Join(t.TempDir(), "messages.db")
		printed, err := s.run(t, 1+rand.N(60), func(p *os.Process) error {
			err := p.Signal(syscall.Signal(19)) // SIGSTOP
			time.Sleep(20 * time.Millisecond)   //nolint:forbidigo // until each of its threads has stopped
			return errors.Join(err, s.copyTo(after), p.Kill())
		})
		if err == nil {
			t.Fatal("a process came to the end; want it killed")
		}
		s.ledger = after
		s.record(t, printed)
	}
	s.finish(t)
}

// copyTo copies the ledger without what was not synced.
func (s *crashSite) copyTo(path string) error {
	file, err := os.ReadFile(s.ledger)
	if err != nil {
		return err
	}
	log, err := os.ReadFile(s.ledger + "-wal")
	if err != nil {
		return err
	}
	note, err := os.ReadFile(s.synced)
	if err != nil {
		return err
	}
	index, err := readLogIndex(s.ledger + "-shm")
	if err != nil {
		return err
	}
	if len(log) >= 32 {
		pageSize := int(binary.BigEndian.Uint32(log[8:]))
		frames := 0
		if bytes.Equal(log[16:24], note[4:12]) { // else it has begun anew, with nothing synced yet
			frames = int(binary.LittleEndian.Uint32(note))
		}
		if bytes.Equal(log[16:24], index.salt[:]) { // a checkpoint syncs the log before it uses it
			frames = max(frames, int(index.applied))
		}
		log = log[:min(len(log), 32+frames*(24+pageSize))]
	}
	return errors.Join(os.WriteFile(path, file, 0o600), os.WriteFile(path+"-wal", log, 0o600))
}
