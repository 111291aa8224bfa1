package sqlite_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// powerSeed repeats the cuts of a recording.
const powerSeed = 4

// A machine that loses its power keeps what was synced, and any part of the rest. The system calls of
// a process that makes a ledger, and of one that resumes it with a longer list, are recorded; the disk
// is rebuilt as it may be when the power is cut between two of them, and the run resumed there.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t, times(200, 3000))
	log := filepath.Join(t.TempDir(), "trace")
	for _, n := range []int{len(s.items) / 3, len(s.items)} {
		s.list(t, n)
		runTraced(t, childCommand(t, "run", s.url, s.input, s.ledger, "4"), log)
	}
	calls := readTrace(t, log)
	for n := range times(12, 51) {
		random := rand.New(rand.NewPCG(powerSeed, uint64(n)))
		cut := random.IntN(len(calls) + 1)
		switch n % 3 {
		case 1: // while the ledger is made
			cut = random.IntN(25)
		case 2: // while it becomes one file again
			cut = len(calls) - random.IntN(30)
		}
		t.Run(fmt.Sprintf("before call %d of %d", cut, len(calls)), func(t *testing.T) {
			t.Parallel()
			s.resumeAfter(t, calls[:cut], random)
		})
	}
}

// resumeAfter resumes a run whose machine lost its power after these calls.
func (s *crashSite) resumeAfter(t *testing.T, calls []call, random *rand.Rand) {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(s.ledger))
	rebuild(t, calls, filepath.Dir(s.ledger), filepath.Dir(path), random)
	server := newMock(4, mock.WithoutRateLimit())
	client, err := api.New(testKey, api.WithBaseURL(start(t, server)), api.WithoutRateLimit())
	must(t, err)
	acted := s.actedBy(calls)
	for _, item := range s.items {
		if acted[item.MessageID] {
			_, err := client.Unsend(t.Context(), item.UserID, item.MessageID, api.WithConnection(item.ConnectionID))
			must(t, err)
		}
	}
	ledger := openFor(t, path, batch.ForService(client))
	want := finalsOf(t, path)
	before, found := len(server.Journal()), len(want)
	wantReported(t, printedBy(calls), want)
	for id := range want {
		if !acted[id] {
			t.Errorf("message %s is final, and was not unsent", id)
		}
	}
	_, err = ledger.Replace(t.Context(), rows(s.items))
	must(t, err)
	ended := maps.Clone(want)
	for r := range eachResult(t, batch.Run(t.Context(), client, ledger, batch.Options{})) {
		id := r.Item.MessageID
		if ended[id] != "" {
			t.Errorf("message %s has two outcomes, %s and %s", id, ended[id], r.Outcome)
		}
		ended[id] = r.Outcome
		expected := batch.Unsent
		if acted[id] {
			expected = batch.AlreadyGone
		}
		if r.Outcome != expected {
			t.Errorf("message %s is %s (%v); want %s", id, r.Outcome, r.Err, expected)
		}
	}
	for _, e := range server.Journal()[before:] {
		if want[e.MessageID] != "" {
			t.Errorf("message %s was sent after its end", e.MessageID)
		}
	}
	must(t, ledger.Close())
	if finals := finalsOf(t, path); len(ended) != len(s.items) || !maps.Equal(finals, ended) {
		t.Errorf("%d outcomes, and %d in the ledger; want %d", len(ended), len(finals), len(s.items))
	}
	t.Logf("%d of %d messages were unsent, %d on record, %d reported", len(acted), len(s.items), found, len(printedBy(calls)))
}

// actedBy returns the messages that the requests among the calls unsent.
func (s *crashSite) actedBy(calls []call) map[string]bool {
	sent := map[string]int{}
	for _, c := range calls {
		if request, ok := strings.CutPrefix(string(c.data), "DELETE "); ok && c.name == "write" {
			path, _, _ := strings.Cut(request, " ")
			sent[filepath.Base(path)]++
		}
	}
	acted := map[string]bool{}
	for _, e := range s.server.Journal() {
		if sent[e.MessageID]--; sent[e.MessageID] >= 0 && e.Acted {
			acted[e.MessageID] = true
		}
	}
	return acted
}

// printedBy returns the lines that the calls print.
func printedBy(calls []call) (lines []string) {
	for _, c := range calls {
		if c.name == "write" && c.fd == "1" {
			lines = append(lines, strings.TrimSuffix(string(c.data), "\n"))
		}
	}
	return lines
}

// call is a system call that changes a file, or sends or prints something.
type call struct {
	name, fd, path string
	data           []byte
	at             int // the offset of a write, or a file's new length
}

// trace runs a child, when it is started, under strace with more options.
func trace(t *testing.T, child *exec.Cmd, options ...string) {
	t.Helper()
	tracer, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("system calls are traced by strace, which is not installed")
	}
	head := []string{tracer, "-f", "--seccomp-bpf", "-qqq", "-e", "signal=none"}
	child.Args = slices.Concat(head, options, []string{child.Path}, child.Args[1:])
	child.Path, child.Stderr = tracer, nil
}

// runTraced runs a child to its end, and adds its system calls to a log.
func runTraced(t *testing.T, child *exec.Cmd, log string) {
	t.Helper()
	trace(t, child, "-y", "-xx", "-s", "1000000", "-A", "-o", log,
		"-e", "trace=open,openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat")
	if out, err := child.CombinedOutput(); err != nil {
		t.Skipf("it cannot be traced here: %v %s", err, out)
	}
}

// A line of a log has the thread, and the call's name, descriptor, its path, a text, and a last number.
// A sync is done when it returns, which may be on a line of its own.
var (
	tracedCall = regexp.MustCompile(`^(\d+) +(\w+)\((\d*)(?:AT_FDCWD)?(?:<([^>]*)>)?(\(deleted\))?(?:, )?` +
		`(?:"([^"]*)")?([^"]*?)(\d*)(?:\) += \d.*| <unfinished \.\.\.>)$`)
	syncedCall = regexp.MustCompile(`^(\d+) +<\.\.\. f(?:data)?sync resumed>\) += 0$`)
)

// readTrace reads the calls of a log, in their order.
func readTrace(t *testing.T, log string) (calls []call) {
	t.Helper()
	file, err := os.Open(log)
	must(t, err)
	defer func() { _ = file.Close() }()
	syncing := map[string]call{} // by thread
	lines := bufio.NewScanner(file)
	for lines.Buffer(nil, 8<<20); lines.Scan(); {
		line := lines.Text()
		if m := syncedCall.FindStringSubmatch(line); m != nil {
			calls = append(calls, syncing[m[1]])
		}
		m := tracedCall.FindStringSubmatch(line)
		if m == nil || m[5] != "" || strings.HasPrefix(m[2], "open") && !strings.Contains(m[7], "O_CREAT") {
			continue
		}
		c := call{name: strings.TrimSuffix(m[2], "at"), fd: m[3], path: string(unhex(m[4])), data: unhex(m[6])}
		c.at, _ = strconv.Atoi(m[8]) // 0 if there is none
		if c.name == "open" || c.name == "unlink" {
			c.path = string(c.data)
		}
		if strings.HasSuffix(c.name, "sync") && strings.HasSuffix(line, "...>") {
			syncing[m[1]] = c
		} else {
			calls = append(calls, c)
		}
	}
	must(t, lines.Err())
	return calls
}

func unhex(text string) []byte {
	plain, _ := hex.DecodeString(strings.ReplaceAll(text, `\x`, "")) // what is no hex belongs to no file
	return plain
}

// applyTo returns what a file holds after a write, or after it got another length.
func (c call) applyTo(content []byte) []byte {
	size := c.at + len(c.data)
	if missing := size - len(content); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	copy(content[c.at:], c.data)
	if c.name == "ftruncate" {
		return content[:size]
	}
	return content
}

// inode is a file: what of it is synced, and what was done to it since.
type inode struct {
	synced []byte
	later  []call
}

// cutPower returns what the file may hold after a power cut: of what is not synced, all, nothing, or
// some calls, and of some writes some sectors.
func (i *inode) cutPower(random *rand.Rand) []byte {
	const sector = 512
	content, kept := slices.Clone(i.synced), []float64{0, 1, random.Float64()}[random.IntN(3)]
	for _, c := range i.later {
		keep, torn := random.Float64() < kept, random.IntN(8) == 0
		if !torn && keep {
			content = c.applyTo(content)
		}
		for begin, end := 0, 0; torn && begin < len(c.data); begin = end {
			end = min(len(c.data), begin+sector-(c.at+begin)%sector)
			if random.Float64() < kept {
				content = call{at: c.at + begin, data: c.data[begin:end]}.applyTo(content)
			}
		}
	}
	return content
}

// rebuild writes what a folder may hold when the power is cut after these calls. A name that was made
// or removed since the folder was synced is there or not.
func rebuild(t *testing.T, calls []call, from, to string, random *rand.Rand) {
	t.Helper()
	type naming struct {
		path string
		file *inode // nil if it is removed
	}
	live, synced, later := map[string]*inode{}, map[string]*inode{}, []naming(nil)
	for _, c := range calls {
		file := live[c.path]
		switch {
		case c.name == "fsync" && c.path == from:
			for _, n := range later {
				synced[n.path] = n.file
			}
			later = nil
		case filepath.Dir(c.path) != from:
		case c.name == "open" && file == nil:
			live[c.path] = new(inode)
			later = append(later, naming{c.path, live[c.path]})
		case file == nil:
		case c.name == "unlink":
			delete(live, c.path)
			later = append(later, naming{path: c.path})
		case c.name == "fsync", c.name == "fdatasync":
			for _, done := range file.later {
				file.synced = done.applyTo(file.synced)
			}
			file.later = nil
		case c.name != "open":
			file.later = append(file.later, c)
		}
	}
	for _, n := range later {
		if random.IntN(2) == 0 {
			synced[n.path] = n.file
		}
	}
	for _, path := range slices.Sorted(maps.Keys(synced)) {
		if file := synced[path]; file != nil && !strings.HasSuffix(path, "-shm") { // which is in memory
			must(t, os.WriteFile(filepath.Join(to, filepath.Base(path)), file.cutPower(random), 0o600))
		}
	}
}
