// Package storetest is what every ledger must do, whatever it is stored in. It runs against real
// ledgers and a real mock, over the exported surface alone.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// Open opens a ledger: each time the same one, with what it held when it was closed. The ledger
// is for the mock (batch.ForMock); opts are added.
type Open func(t *testing.T, opts ...batch.Option) *batch.Ledger

// Run runs all tests, each on a ledger of its own, which newLedger makes.
func Run(t *testing.T, newLedger func(t *testing.T) Open) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, open Open){
		"add counts":                    addCounts,
		"add takes all rows or none":    addAllOrNone,
		"bad rows":                      badRows,
		"no connection is said once":    noConnection,
		"an input that ends early":      inputEndsEarly,
		"replace sets aside":            replaceSetsAside,
		"edited inputs":                 editedInputs,
		"by line":                       byLine,
		"what ended is not sent again":  endedIsNotSentAgain,
		"final":                         final,
		"retry failed":                  retryFailed,
		"maybe unsent":                  maybeUnsent,
		"an account's error ends it":    accountEnds,
		"stopped connection":            stoppedConnection,
		"report and messages":           reportAndMessages,
		"bounded texts":                 boundedTexts,
		"one at a time":                 oneAtATime,
		"transient errors are recorded": transientRecorded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLedger(t))
		})
	}
}

const key = "sk_sandbox_store_tests"

func service(t *testing.T, connections int, opts ...mock.Option) (*mock.Server, *api.Client) {
	t.Helper()
	opts = append([]mock.Option{mock.WithKeys(key), mock.WithJournal(-1), mock.WithoutRateLimit()}, opts...)
	for i := range connections {
		opts = append(opts, mock.WithConnections(mock.Connection{ID: connectionID(i)}))
	}
	server := mock.New(opts...)
	client, err := api.New(key, api.WithHTTPClient(server.Client()), api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func connectionID(n int) string { return "conn_" + strconv.Itoa(n) }

// message is a message of a connection; its line is n+2, as behind a header.
func message(connection, n int) batch.Item {
	return batch.Item{
		UserID: strconv.Itoa(51_000_000 + connection), MessageID: strconv.Itoa(6_432_457_000_000 + 1_000_000*connection + n),
		ConnectionID: connectionID(connection), Line: n + 2,
	}
}

func messages(connection, n int) []batch.Item {
	items := make([]batch.Item, n)
	for i := range items {
		items[i] = message(connection, i)
	}
	return items
}

// rows yields items, and in an item's place the error of its line, where there is one.
func rows(items []batch.Item, bad ...error) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		for _, err := range bad {
			if !yield(batch.Item{}, err) {
				return
			}
		}
	}
}

// numbered are items with lines in their order.
func numbered(items ...batch.Item) []batch.Item {
	items = slices.Clone(items)
	for i := range items {
		items[i].Line = i + 2
	}
	return items
}

func wantAdded(t *testing.T, got batch.Added, err error, want batch.Added) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got.Bad = nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("added %+v; want %+v", got, want)
	}
}

// run runs the ledger and returns the outcomes by message id.
func run(t *testing.T, client *api.Client, ledger *batch.Ledger, opts batch.Options) map[string]batch.Result {
	t.Helper()
	var progress batch.Progress
	if opts.Progress == nil {
		opts.Progress = &progress
	}
	results := map[string]batch.Result{}
	for r := range batch.Run(t.Context(), client, ledger, opts) {
		if _, twice := results[r.Item.MessageID]; twice {
			t.Errorf("message %s was told twice", r.Item.MessageID)
		}
		results[r.Item.MessageID] = r
	}
	if progress.Err() != nil {
		t.Errorf("the run ended early: %v", progress.Err())
	}
	return results
}

// wantOutcomes compares what became of messages with a text such as "3 unsent, 1 open".
func wantOutcomes(t *testing.T, ledger *batch.Ledger, want string) {
	t.Helper()
	report, err := ledger.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{report.Unsent, "unsent"}, {report.AlreadyGone, "already gone"}, {report.Failed, "failed"},
		{report.Skipped, "skipped"}, {report.Open, "open"}, {report.SetAside, "set aside"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.what))
		}
	}
	if got := strings.Join(parts, ", "); got != want {
		t.Errorf("the report is %q; want %q", got, want)
	}
	if report.Items != report.Ended()+report.Open {
		t.Errorf("%d messages, of which %d ended and %d are open", report.Items, report.Ended(), report.Open)
	}
}

func addCounts(t *testing.T, open Open) {
	ledger := open(t)
	items := messages(0, 3)
	elsewhere := items[0]
	elsewhere.ConnectionID = connectionID(1) // the same ids on another connection are another message
	input := numbered(append(items, items[1], elsewhere, items[1])...)
	added, err := ledger.Add(t.Context(), rows(input))
	wantAdded(t, added, err, batch.Added{New: 4, Repeated: 2})
	added, err = ledger.Add(t.Context(), rows(input))
	wantAdded(t, added, err, batch.Added{Known: 4, Repeated: 2})
	added, err = ledger.Add(t.Context(), rows(numbered(append(messages(0, 5), items[0])...)))
	wantAdded(t, added, err, batch.Added{New: 2, Known: 3, Repeated: 1})
	wantOutcomes(t, ledger, "6 open")
	plan, err := ledger.Plan(t.Context(), false)
	if want := "[{conn_0 5} {conn_1 1}]"; err != nil || plan.Messages != 6 || fmt.Sprint(plan.Connections) != want {
		t.Errorf("the plan is %+v, %v; want %s", plan, err, want)
	}
}

func addAllOrNone(t *testing.T, open Open) {
	ledger := open(t)
	bad := &batch.LineError{Line: 7, Err: errors.New("no message id")}
	for _, before := range []int{0, 2} {
		added, err := ledger.Add(t.Context(), rows(messages(0, before)))
		wantAdded(t, added, err, batch.Added{New: before})
		_, err = ledger.Replace(t.Context(), rows(messages(1, 3), bad))
		var input *batch.InputError
		if !errors.As(err, &input) || input.Rows != 1 || !errors.Is(err, bad) || !errors.Is(err, batch.ErrInput) {
			t.Errorf("adding a bad row is %v", err)
		}
		want := ""
		if before > 0 {
			want = "2 open"
		}
		wantOutcomes(t, ledger, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ledger.Add(ctx, rows(messages(2, 9))); !errors.Is(err, context.Canceled) {
		t.Errorf("adding under an ended context is %v", err)
	}
	wantOutcomes(t, ledger, "2 open")
}

func badRows(t *testing.T, open Open) {
	ledger := open(t)
	items := messages(0, 4)
	items[1].UserID, items[2].MessageID = "", "a b"
	_, err := ledger.Add(t.Context(), rows(items))
	if want := "2 rows cannot be used; the first: line 3: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v; want %s", err, want)
	}
	added, err := ledger.Add(t.Context(), rows(items), batch.SkipBad())
	wantAdded(t, added, err, batch.Added{New: 2, BadRows: 2})
}

func noConnection(t *testing.T, open Open) {
	items := messages(0, 1000)
	for i := range items[1:] {
		items[i+1].ConnectionID = ""
	}
	ledger := open(t)
	_, err := ledger.Add(t.Context(), rows(items))
	if want := "999 rows name no connection; set a default connection, or add a column connection_id"; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	ledger = open(t, batch.DefaultConnection(connectionID(7)))
	added, err := ledger.Add(t.Context(), rows(items))
	wantAdded(t, added, err, batch.Added{New: 1000})
	plan, err := ledger.Plan(t.Context(), false)
	if want := "[{conn_0 1} {conn_7 999}]"; err != nil || fmt.Sprint(plan.Connections) != want {
		t.Errorf("the plan is %v, %v; want %s", plan.Connections, err, want)
	}
}

// An input that cannot be read to its end is refused whole, whatever may be left out of it.
func inputEndsEarly(t *testing.T, open Open) {
	ledger := open(t)
	end := fmt.Errorf("%w: a quote is open at the end", batch.ErrInput)
	if _, err := ledger.Add(t.Context(), rows(messages(0, 5), end), batch.SkipBad()); !errors.Is(err, end) {
		t.Errorf("got %v", err)
	}
	wantOutcomes(t, ledger, "")
}

func replaceSetsAside(t *testing.T, open Open) {
	server, client := service(t, 1)
	ledger := open(t)
	items := messages(0, 10)
	added, err := ledger.Replace(t.Context(), rows(items))
	wantAdded(t, added, err, batch.Added{New: 10})
	added, err = ledger.Replace(t.Context(), rows(items[:6]))
	wantAdded(t, added, err, batch.Added{Known: 6, SetAside: 4})
	added, err = ledger.Replace(t.Context(), rows(items[:6]))
	wantAdded(t, added, err, batch.Added{Known: 6})
	wantOutcomes(t, ledger, "6 open, 4 set aside")
	if results := run(t, client, ledger, batch.Options{}); len(results) != 6 || len(server.Journal()) != 6 {
		t.Errorf("%d results, %d requests; want 6", len(results), len(server.Journal()))
	}
	n := 0
	for _, err := range ledger.Messages(t.Context(), batch.All) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 6 {
		t.Errorf("%d messages; want those that are not set aside", n)
	}
	// Add sets nothing aside; and who is listed again is sent.
	added, err = ledger.Add(t.Context(), rows(items[7:9]))
	wantAdded(t, added, err, batch.Added{Known: 2})
	wantOutcomes(t, ledger, "6 unsent, 2 open, 2 set aside")
	run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "8 unsent, 2 set aside")
	// What has ended stays ended, listed or not.
	added, err = ledger.Replace(t.Context(), rows(items[9:]))
	wantAdded(t, added, err, batch.Added{Known: 1})
	wantOutcomes(t, ledger, "8 unsent, 1 open, 1 set aside")
}

// The input is edited between two runs, the first of which was stopped: what is listed and open
// is sent, once.
func editedInputs(t *testing.T, open Open) {
	items := messages(0, 40)
	for name, c := range map[string]struct {
		input []batch.Item
		want  int // messages that are unsent in the end
	}{
		"the same":  {items, 40},
		"longer":    {messages(0, 55), 55},
		"reversed":  {reversed(items), 40},
		"reordered": {numbered(append(slices.Clone(items[20:]), items[:20]...)...), 40},
		"repeated":  {numbered(append(slices.Clone(items), items...)...), 40},
		"one out":   {numbered(append(slices.Clone(items[:38]), items[39])...), 39},
		"one in":    {numbered(append([]batch.Item{message(0, 99)}, items...)...), 41},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := service(t, 1)
			ledger := open(t)
			if _, err := ledger.Replace(t.Context(), rows(nil)); err != nil { // of the case before
				t.Fatal(err)
			}
			user := "user_" + strings.ReplaceAll(name, " ", "_") // each case has messages of its own
			first, second := slices.Clone(items), slices.Clone(c.input)
			for _, list := range [][]batch.Item{first, second} {
				for i := range list {
					list[i].UserID = user
				}
			}
			if _, err := ledger.Replace(t.Context(), rows(first)); err != nil {
				t.Fatal(err)
			}
			stop, told := make(chan struct{}), 0
			for range batch.Run(t.Context(), client, ledger, batch.Options{Stop: stop}) {
				if told++; told == 10 {
					close(stop)
				}
			}
			if err := ledger.Close(); err != nil {
				t.Fatal(err)
			}
			ledger = open(t)
			if _, err := ledger.Replace(t.Context(), rows(second)); err != nil {
				t.Fatal(err)
			}
			told += len(run(t, client, ledger, batch.Options{}))
			if told != c.want {
				t.Errorf("%d messages were told; want %d", told, c.want)
			}
			listed := map[string]bool{}
			for _, item := range second {
				listed[item.MessageID] = true
			}
			for _, item := range append(first, second...) {
				switch n := server.UnsentCount(item.UserID, item.MessageID); {
				case n > 1, n == 0 && listed[item.MessageID]:
					t.Errorf("message %s, listed %v, was unsent %d times", item.MessageID, listed[item.MessageID], n)
				}
			}
			if n := len(server.Journal()); n != c.want {
				t.Errorf("%d requests; want %d", n, c.want)
			}
			if err := ledger.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func reversed(items []batch.Item) []batch.Item {
	items = slices.Clone(items)
	slices.Reverse(items)
	return numbered(items...)
}

// Messages of a connection are sent in the order of their lines, also where they were added in
// another.
func byLine(t *testing.T, open Open) {
	server, client := service(t, 1)
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(messages(0, 300))); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Replace(t.Context(), rows(reversed(messages(0, 300)))); err != nil {
		t.Fatal(err)
	}
	run(t, client, ledger, batch.Options{InFlight: 1})
	for i, e := range server.Journal() {
		if want := message(0, 299-i).MessageID; e.MessageID != want {
			t.Fatalf("request %d is for %s; want %s", i, e.MessageID, want)
		}
	}
}

func endedIsNotSentAgain(t *testing.T, open Open) {
	server, client := service(t, 2)
	items := append(messages(0, 20), messages(1, 20)...)
	for _, gone := range []batch.Item{items[3], items[25]} {
		server.Remove(gone.UserID, gone.MessageID)
	}
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	run(t, client, ledger, batch.Options{})
	for range 3 {
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
		ledger = open(t)
		if _, err := ledger.Replace(t.Context(), rows(items)); err != nil {
			t.Fatal(err)
		}
		if results := run(t, client, ledger, batch.Options{}); len(results) != 0 {
			t.Errorf("%d were told again", len(results))
		}
		wantOutcomes(t, ledger, "38 unsent, 2 failed")
		plan, err := ledger.Plan(t.Context(), false)
		if err != nil || plan.Messages != 0 || plan.Ended != 40 || plan.Failed != 2 {
			t.Errorf("the plan is %+v, %v", plan, err)
		}
	}
	if n := len(server.Journal()); n != 40 {
		t.Errorf("%d requests; want 40", n)
	}
}

// Final is what the service itself refused for the message alone.
func final(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := messages(0, 6)
	server.Remove(items[0].UserID, items[0].MessageID)
	for i, fault := range map[int]mock.Fault{
		1: {Status: 400, Body: "<html>no such site</html>", ContentType: "text/html"},
		2: {Status: 404, Body: `{"message":"no Route matched with those values"}`},
		3: {Kind: mock.Refused},
		4: {Status: 422},
	} {
		server.NextFor(items[i].UserID, items[i].MessageID, fault)
	}
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	results := run(t, client, ledger, batch.Options{})
	for i, want := range []struct {
		outcome batch.Outcome
		final   bool
	}{{batch.Failed, true}, {batch.Unsent, true}, {batch.Unsent, true}, {batch.Failed, true}, {batch.Failed, true}, {batch.Unsent, true}} {
		got := results[items[i].MessageID]
		if got.Outcome != want.outcome || got.Final != want.final {
			t.Errorf("message %d ended %s, final %v, with %v; want %s, %v", i, got.Outcome, got.Final, got.Err, want.outcome, want.final)
		}
	}
}

func retryFailed(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := messages(0, 3)
	server.NextFor(items[1].UserID, items[1].MessageID, mock.Fault{Status: 422})
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	run(t, client, ledger, batch.Options{})
	if results := run(t, client, ledger, batch.Options{}); len(results) != 0 {
		t.Errorf("%d were told again", len(results))
	}
	plan, err := ledger.Plan(t.Context(), true)
	if err != nil || plan.Messages != 1 {
		t.Errorf("the plan is %+v, %v", plan, err)
	}
	results := run(t, client, ledger, batch.Options{RetryFailed: true})
	if len(results) != 1 || results[items[1].MessageID].Outcome != batch.Unsent {
		t.Errorf("got %+v", results)
	}
	wantOutcomes(t, ledger, "3 unsent")
}

// A message that an input calls maybe_unsent, or that an earlier run may have unsent, is already
// gone where the service does not have it.
func maybeUnsent(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := messages(0, 3)
	for _, item := range items {
		server.Remove(item.UserID, item.MessageID)
	}
	items[0].MaybeUnsent = true
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	again := items[1]
	again.MaybeUnsent = true
	if _, err := ledger.Add(t.Context(), rows([]batch.Item{again})); err != nil {
		t.Fatal(err)
	}
	results := run(t, client, ledger, batch.Options{})
	for i, want := range []batch.Outcome{batch.AlreadyGone, batch.AlreadyGone, batch.Failed} {
		if got := results[items[i].MessageID]; got.Outcome != want || !got.Final {
			t.Errorf("message %d ended %s, final %v; want %s", i, got.Outcome, got.Final, want)
		}
	}
}

func accountEnds(t *testing.T, open Open) {
	server, client := service(t, 3)
	server.Next(mock.Fault{}, mock.Fault{}, mock.Fault{}, mock.Fault{}, mock.Fault{Status: 402})
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(slices.Concat(messages(0, 30), messages(1, 30), messages(2, 30)))); err != nil {
		t.Fatal(err)
	}
	var progress batch.Progress
	failed := 0
	for r := range batch.Run(t.Context(), client, ledger, batch.Options{Progress: &progress}) {
		if r.Outcome == batch.Failed {
			failed++
		}
	}
	var e *api.Error
	if err := progress.Err(); !errors.As(err, &e) || e.Scope != api.ScopeAccount {
		t.Errorf("the run ended with %v", err)
	}
	if n := len(server.Journal()); n > 45 || failed == 0 {
		t.Errorf("%d requests, %d failed; want the run ended by the first", n, failed)
	}
	run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "90 unsent")
}

func stoppedConnection(t *testing.T, open Open) {
	server, client := service(t, 2, mock.WithConnections(mock.Connection{ID: "conn_bad", State: mock.Expired}))
	bad := messages(1, 700)
	for i := range bad {
		bad[i].ConnectionID = "conn_bad"
	}
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(append(bad, messages(0, 20)...))); err != nil {
		t.Fatal(err)
	}
	results := run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "20 unsent, 1 failed, 699 skipped")
	for _, r := range results {
		if r.Item.ConnectionID == "conn_bad" && (r.Final || r.Hint == "" || !errors.Is(r.Err, api.ErrSessionExpired)) {
			t.Fatalf("got %+v", r)
		}
	}
	server.SetConnection(mock.Connection{ID: "conn_bad"})
	run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "720 unsent")
}

func reportAndMessages(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := messages(0, 8)
	items[5].WithUserID = "someone"
	for i, fault := range map[int]mock.Fault{1: {Status: 422}, 2: {Status: 422}, 3: {Kind: mock.Refused}} {
		server.NextFor(items[i].UserID, items[i].MessageID, fault)
	}
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	want := run(t, client, ledger, batch.Options{})
	report, err := ledger.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Groups) != 2 || report.Service != "mock" {
		t.Fatalf("the report is %+v", report)
	}
	first, second := report.Groups[0], report.Groups[1]
	if first.Status != 422 || first.Count != 2 || first.Final != 2 || first.Scope != api.ScopeMessage || first.Hint == "" {
		t.Errorf("the first group is %+v", first)
	}
	if second.Status != 200 || second.Count != 1 || second.Outcome != batch.Failed {
		t.Errorf("the second group is %+v", second)
	}
	for filter, n := range map[batch.Filter]int{batch.All: 8, batch.NotUnsent: 3} {
		for got, err := range ledger.Messages(t.Context(), filter) {
			n--
			if err != nil {
				t.Fatal(err)
			}
			told := want[got.Item.MessageID]
			if got.Item != told.Item || got.Outcome != told.Outcome || got.Final != told.Final || got.RequestID != told.RequestID || got.Attempts != told.Attempts || got.Hint != told.Hint {
				t.Errorf("the ledger has %+v; told was %+v", got, told)
			}
			if (got.Err == nil) != (told.Err == nil) || got.Err != nil && got.Err.Error() != told.Err.Error() {
				t.Errorf("the ledger has %v; told was %v", got.Err, told.Err)
			}
		}
		if n != 0 {
			t.Errorf("filter %v: %d messages too few", filter, n)
		}
	}
	for range ledger.Messages(t.Context(), batch.All) {
		break // leaves nothing locked
	}
	if err := ledger.Close(); err != nil {
		t.Error(err)
	}
}

func boundedTexts(t *testing.T, open Open) {
	server, client := service(t, 1)
	long := strings.Repeat("é\x1b[31m ", 8<<10)
	body := fmt.Sprintf(`{"error":%q,"type":%q,"requestId":%q,"message":%q}`, "e"+long, "T"+long, "r"+long, "m"+long)
	item := message(0, 0)
	server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 403, Body: strings.ReplaceAll(body, `\x1b`, `\u001b`)})
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows([]batch.Item{item})); err != nil {
		t.Fatal(err)
	}
	run(t, client, ledger, batch.Options{})
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		var e *api.Error
		if err != nil || !errors.As(r.Err, &e) {
			t.Fatalf("%+v, %v", r, err)
		}
		if len(e.Type) > 60 || len(e.Message) > 300 || len(e.RequestID) > 300 || strings.ContainsRune(e.Type+e.Message+e.RequestID, 0x1b) {
			t.Errorf("the ledger keeps %d, %d and %d bytes: %q", len(e.Type), len(e.Message), len(e.RequestID), e.Type)
		}
	}
}

func oneAtATime(t *testing.T, open Open) {
	_, client := service(t, 1)
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(messages(0, 5))); err != nil {
		t.Fatal(err)
	}
	for range batch.Run(t.Context(), client, ledger, batch.Options{}) {
		var progress batch.Progress
		for range batch.Run(t.Context(), client, ledger, batch.Options{Progress: &progress}) {
			t.Error("two runs at a time")
		}
		if !errors.Is(progress.Err(), batch.ErrLedger) {
			t.Errorf("a second run is %v", progress.Err())
		}
		if _, err := ledger.Replace(t.Context(), rows(nil)); !errors.Is(err, batch.ErrLedger) {
			t.Errorf("replacing the list of a run is %v", err)
		}
		if _, err := ledger.Report(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantOutcomes(t, ledger, "5 unsent")
}

// What failed in passing is in the ledger while the message waits, and gone when it is unsent.
func transientRecorded(t *testing.T, open Open) {
	server, client := service(t, 1)
	items := messages(0, 3)
	server.NextFor(items[1].UserID, items[1].MessageID, mock.Fault{Status: 503})
	server.NextFor(items[2].UserID, items[2].MessageID, mock.Fault{Status: 503, Acted: true}, mock.Fault{Status: 503})
	ledger := open(t)
	if _, err := ledger.Add(t.Context(), rows(items)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	for r := range batch.Run(t.Context(), client, ledger, batch.Options{Stop: stop, InFlight: 1}) {
		if r.Outcome == batch.Unsent {
			close(stop)
		}
	}
	results := run(t, client, ledger, batch.Options{})
	if got := results[items[2].MessageID]; got.Outcome != batch.AlreadyGone || got.Attempts < 2 {
		t.Errorf("got %+v; want it already gone", got)
	}
	wantOutcomes(t, ledger, "2 unsent, 1 already gone")
	for r, err := range ledger.Messages(t.Context(), batch.All) {
		if err != nil || r.Err != nil || r.MaybeUnsent {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
