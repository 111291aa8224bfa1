package sqlite_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
	"github.com/unsend-go/unsend/mock"
)

// fullVariable is set for the long form of each test.
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
	ended         map[string]int // how many requests the service had seen when a message was known to have ended
}

func newCrashSite(t *testing.T, n int) *crashSite {
	t.Helper()
	if raceEnabled() {
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
	for i := range n {
		s.items = append(s.items, message(i%4, i/4))
	}
	s.input, s.ledger = filepath.Join(t.TempDir(), "input.csv"), filepath.Join(t.TempDir(), "messages.db")
	s.list(t, n)
	s.url = start(t, s.server)
	return s
}

// list makes the first n items the input.
func (s *crashSite) list(t *testing.T, n int) {
	t.Helper()
	text := "user_id,message_id,connection_id\n"
	for _, item := range s.items[:n] {
		text += fmt.Sprintf("%s,%s,%s\n", item.UserID, item.MessageID, item.ConnectionID)
	}
	write(t, s.input, text)
}

// run starts a process, and kills it at a random moment: a little after it has printed so many
// messages, if these are any. It returns what it printed, and how it ended.
func (s *crashSite) run(t *testing.T, messages int) (printed []string, err error) {
	t.Helper()
	cmd := childCommand(t, "run", s.url, s.input, s.ledger, "4")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // what the kill cut off is not printed
		}
		if printed = append(printed, strings.TrimSuffix(line, "\n")); len(printed) == messages {
			kill := time.AfterFunc(rand.N(5*time.Millisecond), func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
	}
	return printed, cmd.Wait()
}

// record notes what has ended by what a process left, and checks that it printed no more.
func (s *crashSite) record(t *testing.T, printed []string) {
	t.Helper()
	finals := finalsOf(t, s.ledger)
	wantReported(t, printed, finals)
	seen := len(s.server.Journal())
	for id := range s.ended {
		if finals[id] == "" {
			t.Errorf("message %s was final, and is open again", id)
		}
	}
	for id := range finals {
		if _, known := s.ended[id]; !known {
			s.ended[id] = seen
		}
	}
}

// wantLogAsked fails unless a copy of the file alone, of a run that was killed, is refused: what it
// lacks would be sent again.
func wantLogAsked(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	alone := filepath.Join(t.TempDir(), "messages.db")
	for _, opts := range [][]batch.Option{{batch.ReadOnly()}, nil} {
		write(t, alone, string(text))
		if _, err := sqlite.Open(alone, opts...); err == nil || !strings.Contains(err.Error(), "lacks its newest part, messages.db-wal") {
			t.Errorf("without its log the ledger of a killed run opens with %v; want that its log is asked for", err)
		}
	}
}

// wantReported fails unless the ledger has each outcome that a process printed.
func wantReported(t *testing.T, printed []string, finals map[string]batch.Outcome) {
	t.Helper()
	for _, line := range printed {
		id, outcome, _ := strings.Cut(line, " ")
		if got := finals[id]; string(got) != outcome {
			t.Errorf("message %s was printed as %s, and is %q in the ledger", id, outcome, got)
		}
	}
}

// finalsOf returns the outcomes of a ledger that are final, by message.
func finalsOf(t *testing.T, path string) map[string]batch.Outcome {
	t.Helper()
	ledger := openFor(t, path, batch.ReadOnly())
	defer func() { _ = ledger.Close() }()
	finals := map[string]batch.Outcome{}
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		must(t, err)
		if r.Final {
			finals[r.Item.MessageID] = r.Outcome
		}
	}
	return finals
}

// finish lets a process run to the end, and checks what must hold then.
func (s *crashSite) finish(t *testing.T) {
	t.Helper()
	printed, err := s.run(t, 0)
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
		printed, err := s.run(t, 1+rand.N(50))
		if err == nil {
			t.Fatalf("process %d of %d came to the end; want it killed", n, kills)
		}
		s.record(t, printed)
		if n == 0 {
			wantLogAsked(t, s.ledger)
		}
		if n%2 == 0 { // SQLite's own program, even if it only looks, puts the log into the file and deletes it
			execute(t, s.ledger, "SELECT count(*) FROM message")
		}
	}
	t.Logf("%d of %d had ended after %d kills", len(s.ended), len(s.items), kills)
	s.finish(t)
}
