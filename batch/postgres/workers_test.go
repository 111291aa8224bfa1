package postgres

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/internal/pgtest"
	"github.com/unsend-go/unsend/mock"
)

// TestMain lets this binary be a worker too, so that a test can kill one.
func TestMain(m *testing.M) {
	if address := os.Getenv("UNSEND_TEST_WORKER"); address != "" {
		if err := work(address, os.Getenv("UNSEND_TEST_SERVICE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // this is a main
		}
		return
	}
	m.Run() // which also sets the exit code
}

// work is a worker, which prints each outcome.
func work(address, service string) error {
	ctx := context.Background()
	client, err := api.New(storetest.Key, api.WithBaseURL(service), api.WithoutRateLimit(), api.WithTimeout(10*time.Second))
	if err != nil {
		return err
	}
	ledger, err := Open(ctx, address, "june", batch.ForService(client))
	if err != nil {
		return err
	}
	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
		if err != nil {
			return err
		}
		fmt.Println("yielded", result.Item.MessageID, result.Outcome)
	}
	return ledger.Close()
}

// fleet is workers, each a process, and the outcomes that they have yielded.
type fleet struct {
	t                testing.TB
	address, service string

	mu       sync.Mutex
	outcomes map[string][]string // of each message
}

// newFleet returns a fleet for a ledger, whose service h serves.
func newFleet(t testing.TB, address string, h http.Handler) *fleet {
	t.Helper()
	service := httptest.NewServer(h)
	t.Cleanup(service.Close)
	return &fleet{t: t, address: address, service: service.URL, outcomes: map[string][]string{}}
}

// forService returns the option for a ledger of the fleet's service.
func (f *fleet) forService() batch.Option {
	client, err := api.New(storetest.Key, api.WithBaseURL(f.service))
	must(f.t, err)
	return batch.ForService(client)
}

func newService(connections int, opts ...mock.Option) *mock.Server {
	return storetest.NewMock(connections, append(opts, mock.WithoutRateLimit(), mock.WithJournal(0))...)
}

// start starts a worker. Wait returns its error, once all that it has printed is read.
func (f *fleet) start() (kill func(), wait func() error) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), os.Args[0], "-test.run=^$") //nolint:gosec // itself
	cmd.Env = append(os.Environ(), "UNSEND_TEST_WORKER="+f.address, "UNSEND_TEST_SERVICE="+f.service)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	must(f.t, err)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			words := strings.Fields(lines.Text())
			if len(words) != 3 || words[0] != "yielded" {
				continue // killed in the middle of a line
			}
			f.mu.Lock()
			f.outcomes[words[1]] = append(f.outcomes[words[1]], words[2])
			f.mu.Unlock()
		}
	}()
	return func() { _ = cmd.Process.Kill() }, func() error {
		<-read
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%w: %s", err, stderr.String())
		}
		return nil
	}
}

func testItem(connections, n int) batch.Item {
	return batch.Item{
		UserID: strconv.Itoa(51_000_000 + n), MessageID: strconv.Itoa(6_432_457_000_000 + n),
		ConnectionID: "conn_" + strconv.Itoa(n%connections), Line: n + 2,
	}
}

func testItems(connections, messages int) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for n := range messages {
			if !yield(testItem(connections, n), nil) {
				return
			}
		}
	}
}

// TestWorkers is the proof: two workers share a list of messages while one of them is killed
// again and again, sessions are terminated and the server is restarted. Whatever happens, each
// message is unsent once and has one outcome in the end, and no other was yielded.
// UNSEND_TEST_SOAK=1 makes it a long one.
func TestWorkers(t *testing.T) {
	t.Parallel()
	connections, messages, kills, terminations := 8, 1200, 4, 3
	if os.Getenv("UNSEND_TEST_SOAK") != "" {
		connections, messages, kills, terminations = 40, 60_000, 50, 50
	}
	server := pgtest.New(t)
	service := newService(connections,
		mock.WithFaults(7, 0.05, mock.Fault{Kind: mock.Drop}, mock.Fault{Kind: mock.Drop, Acted: true},
			mock.Fault{Status: 503}, mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 429, RetryAfter: "1"}))
	address := server.Address(t)
	recorded := &recordedFirst{next: service}
	f := newFleet(t, address, recorded)
	ledger, err := Open(t.Context(), address, "june", f.forService())
	must(t, err)
	defer func() { _ = ledger.Close() }()
	_, err = ledger.Add(t.Context(), testItems(connections, messages))
	must(t, err)
	reader, err := newStore(address, "june")
	must(t, err)
	must(t, reader.open(t.Context(), batch.StoreOptions{ReadOnly: true}))
	defer func() { _ = reader.Close(false) }()
	recorded.ledger.Store(reader)

	start := time.Now()
	_, waitA := f.start()
	for n := range kills {
		kill, wait := f.start()
		pause(200*time.Millisecond, 900*time.Millisecond)
		kill()
		_ = wait() // it was killed
		if n == kills/3 || n == 2*kills/3 {
			server.Stop([]string{"INT", "QUIT"}[rand.N(2)]) // in order, or as in a crash
			pause(0, time.Second)
			must(t, server.Start())
		}
		for range max(1, terminations/kills) {
			server.Exec(t, `SELECT pg_terminate_backend(pid) FROM
				(SELECT pid FROM pg_stat_activity WHERE application_name = 'unsend' ORDER BY random() LIMIT 1) AS one`)
		}
	}
	_, waitB := f.start()
	for _, wait := range []func() error{waitA, waitB} {
		if err := wait(); err != nil {
			t.Errorf("a worker ends with %v", err)
		}
	}
	t.Logf("%d messages on %d connections, %d kills: %v", messages, connections, kills, time.Since(start).Round(time.Millisecond))
	f.check(ledger, service, connections, messages)
	if n := recorded.early.Load(); n > 0 || recorded.seen.Load() < int64(messages) {
		t.Errorf("%d of %d requests were not recorded first", n, recorded.seen.Load())
	}
}

// check compares the ledger with what the workers yielded and what the service counts.
func (f *fleet) check(ledger *batch.Ledger, service *mock.Server, connections, messages int) {
	f.t.Helper()
	report, err := ledger.Report(f.t.Context())
	must(f.t, err)
	if report.Unsent+report.AlreadyGone != messages || report.Items != messages {
		f.t.Errorf("the ledger counts %+v; want %d messages unsent or already gone", report.Counts, messages)
	}
	outcomes := map[string]batch.Outcome{}
	for r, err := range ledger.Messages(f.t.Context(), batch.All) {
		must(f.t, err)
		if !r.Final || r.MaybeUnsent {
			f.t.Errorf("message %s ended as %+v", r.Item.MessageID, r)
		}
		outcomes[r.Item.MessageID] = r.Outcome
	}
	for n := range messages {
		storetest.UnsentOnce(f.t, service, []batch.Item{testItem(connections, n)})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, list := range f.outcomes {
		if len(list) != 1 || list[0] != string(outcomes[id]) {
			f.t.Errorf("for message %s %v were yielded; the ledger has %s", id, list, outcomes[id])
		}
	}
	f.t.Logf("%d unsent, %d already gone; %d were yielded", report.Unsent, report.AlreadyGone, len(f.outcomes))
}

func pause(from, to time.Duration) {
	time.Sleep(from + rand.N(to-from)) //nolint:forbidigo // at random moments is the point
}
