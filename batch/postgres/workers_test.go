package postgres

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
	"github.com/unsend-go/unsend/mock"
)

const testKey = "sk_sandbox_postgres_tests"

// TestMain lets this binary be a worker too, so that a test can kill one.
func TestMain(m *testing.M) {
	if address := os.Getenv("UNSEND_TEST_WORKER"); address != "" {
		if err := work(address, os.Getenv("UNSEND_TEST_SERVICE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // this is a main
		}
		return
	}
	m.Run() // which also says how the process exits
}

// work is a worker: it says each outcome on standard output.
func work(address, service string) error {
	ctx := context.Background()
	client, err := api.New(testKey, api.WithBaseURL(service), api.WithoutRateLimit(), api.WithTimeout(10*time.Second))
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
		fmt.Println("told", result.Item.MessageID, result.Outcome)
	}
	return ledger.Close()
}

// fleet is workers, each a process, and all that they have told.
type fleet struct {
	t                testing.TB
	server           *pgtest.Server
	address, service string

	mu   sync.Mutex
	told map[string][]string // outcomes of each message
}

// start starts a worker. Wait returns how it ended, once all that it has told is read.
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
			if len(words) != 3 || words[0] != "told" {
				continue // killed in the middle of a line
			}
			f.mu.Lock()
			f.told[words[1]] = append(f.told[words[1]], words[2])
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
// message is taken back once, has one outcome in the end, and nobody was told another.
// UNSEND_TEST_SOAK=1 makes it a long one.
func TestWorkers(t *testing.T) {
	t.Parallel()
	connections, messages, kills, terminations := 8, 1200, 4, 3
	if os.Getenv("UNSEND_TEST_SOAK") != "" {
		connections, messages, kills, terminations = 40, 60_000, 50, 50
	}
	server := pgtest.New(t)
	service := newService(t, connections,
		mock.WithFaults(7, 0.05, mock.Fault{Kind: mock.Drop}, mock.Fault{Kind: mock.Drop, Acted: true},
			mock.Fault{Status: 503}, mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 429, RetryAfter: "1"}))
	recorded := &recordedFirst{next: service, server: server, t: t}
	listener := listen(t, recorded)

	f := &fleet{t: t, address: server.Address(t), service: listener, told: map[string][]string{}}
	recorded.address = f.address
	ledger, err := Open(t.Context(), f.address, "june", batch.ForService(testClient(t, f.service)))
	must(t, err)
	defer func() { _ = ledger.Close() }()
	_, err = ledger.Add(t.Context(), testItems(connections, messages))
	must(t, err)

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
			server.Exec(t, `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = 'unsend' ORDER BY random() LIMIT 1) AS one`)
		}
	}
	_, waitB := f.start()
	for _, wait := range []func() error{waitA, waitB} {
		if err := wait(); err != nil {
			t.Errorf("a worker ended with %v", err)
		}
	}
	t.Logf("%d messages on %d connections, %d kills: %v", messages, connections, kills, time.Since(start).Round(time.Millisecond))
	f.check(ledger, service, connections, messages)
	if recorded.early.n > 0 {
		t.Errorf("%d requests came that were not recorded first; one: %s", recorded.early.n, recorded.early.path)
	}
}

// check compares what the ledger says, what the workers told, and what the service knows.
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
		item := testItem(connections, n)
		if got := service.UnsentCount(item.UserID, item.MessageID); got != 1 {
			f.t.Errorf("message %s was unsent %d times", item.MessageID, got)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	told := 0
	for id, list := range f.told {
		told++
		if len(list) != 1 || list[0] != string(outcomes[id]) {
			f.t.Errorf("of message %s was told %v; the ledger has %s", id, list, outcomes[id])
		}
	}
	f.t.Logf("%d unsent, %d already gone; of %d it was told", report.Unsent, report.AlreadyGone, told)
}

func testClient(t testing.TB, service string) *api.Client {
	t.Helper()
	client, err := api.New(testKey, api.WithBaseURL(service))
	must(t, err)
	return client
}

func pause(from, to time.Duration) {
	time.Sleep(from + rand.N(to-from)) //nolint:forbidigo // at random moments is the point
}

func newService(t testing.TB, connections int, opts ...mock.Option) *mock.Server {
	t.Helper()
	opts = append([]mock.Option{mock.WithKeys(testKey), mock.WithoutRateLimit(), mock.WithJournal(0)}, opts...)
	for n := range connections {
		opts = append(opts, mock.WithConnections(mock.Connection{ID: "conn_" + strconv.Itoa(n)}))
	}
	return mock.New(opts...)
}

// listen serves h on loopback, and returns its base URL.
func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}
