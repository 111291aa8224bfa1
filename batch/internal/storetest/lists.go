package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

func addCounts(t *testing.T, open Open) {
	ledger := open(t)
	items := Messages(0, 3)
	elsewhere := items[0]
	elsewhere.ConnectionID = ConnectionID(1) // the same ids on another connection are another message
	input := numbered(append(items, items[1], elsewhere, items[1])...)
	added, err := ledger.Add(t.Context(), Rows(input))
	wantAdded(t, added, err, batch.Added{New: 4, Repeated: 2})
	added, err = ledger.Add(t.Context(), Rows(input))
	wantAdded(t, added, err, batch.Added{Known: 4, Repeated: 2})
	added, err = ledger.Add(t.Context(), Rows(numbered(append(Messages(0, 5), items[0])...)))
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
		added, err := ledger.Add(t.Context(), Rows(Messages(0, before)))
		wantAdded(t, added, err, batch.Added{New: before})
		_, err = ledger.Replace(t.Context(), Rows(Messages(1, 3), bad))
		var input *batch.InputError
		if !errors.As(err, &input) || input.Rows != 1 || !errors.Is(err, bad) || !errors.Is(err, batch.ErrInput) {
			t.Errorf("adding a bad row returns %v; want an InputError for 1 row", err)
		}
		wantOutcomes(t, ledger, map[int]string{0: "", 2: "2 open"}[before])
	}
	end := fmt.Errorf("%w: a quote is open at the end", batch.ErrInput) // which SkipBad does not skip
	if _, err := ledger.Add(t.Context(), Rows(Messages(0, 5), end), batch.SkipBad()); !errors.Is(err, end) {
		t.Errorf("adding an input that ends early returns %v; want %v", err, end)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ledger.Add(ctx, Rows(Messages(2, 9))); !errors.Is(err, context.Canceled) {
		t.Errorf("adding under a canceled context returns %v", err)
	}
	wantOutcomes(t, ledger, "2 open")
}

func badRows(t *testing.T, open Open) {
	ledger := open(t)
	items := Messages(0, 4)
	items[1].UserID, items[2].MessageID = "", "a b"
	_, err := ledger.Add(t.Context(), Rows(items))
	if want := "2 rows cannot be used; the first: line 3: "; !errors.Is(err, api.ErrInvalidID) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v; want %s, an api.ErrInvalidID", err, want)
	}
	added, err := ledger.Add(t.Context(), Rows(items, batch.IgnoredColumns{"note"}), batch.SkipBad())
	wantAdded(t, added, err, batch.Added{New: 2, BadRows: 2, Ignored: []string{"note"}})
	for _, c := range []struct {
		line                        int
		connection, with, ref, want string
	}{
		{line: 2, connection: "a b", want: "line 2: invalid id: connection_id has the character ' '; want a-z, A-Z, 0-9, _ and - only"},
		{line: 2, with: "a b", want: "line 2: invalid id: with_user_id has the character ' '; want a-z, A-Z, 0-9, _ and - only"},
		{line: 2, ref: strings.Repeat("x", 201), want: "line 2: ref has 201 bytes: shorten it to 200 at most"},
		{line: 2, ref: "\xff", want: "line 2: ref is not UTF-8 text, or has a NUL character: correct it"},
		{line: 2, ref: "a\x00b", want: "line 2: ref is not UTF-8 text, or has a NUL character: correct it"},
		{line: -1, want: "line -1: the line is out of range: want 0 to 2147483647"},
		{line: 1 << 31, want: "line 2147483648: the line is out of range: want 0 to 2147483647"},
	} {
		bad := Message(0, 0)
		bad.Line, bad.ConnectionID, bad.WithUserID, bad.Ref = c.line, cmp.Or(c.connection, bad.ConnectionID), c.with, c.ref
		if _, err := ledger.Add(t.Context(), Rows([]batch.Item{bad})); err == nil || err.Error() != c.want {
			t.Errorf("got %v; want %s", err, c.want)
		}
	}

	many := Messages(2, 1000)
	for i := range many {
		many[i].UserID = ""
	}
	_, err = ledger.Add(t.Context(), Rows(many))
	var refused *batch.InputError
	if !errors.As(err, &refused) {
		t.Fatalf("1,000 bad rows are %v, want an InputError", err)
	}
	if refused.Rows != 1000 || len(refused.Bad) != 20 {
		t.Errorf("of 1,000 bad rows %d are counted and %d listed, want 1,000 and 20", refused.Rows, len(refused.Bad))
	}
}

func noConnection(t *testing.T, open Open) {
	items := Messages(0, 1000)
	for i := range items[1:] {
		items[i+1].ConnectionID = ""
	}
	ledger := open(t)
	_, err := ledger.Add(t.Context(), Rows(items))
	const want = "999 rows name no connection; set a default connection, or add a column connection_id"
	if err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
	added, err := ledger.Add(t.Context(), Rows(items), batch.SkipBad())
	if got := errors.Join(added.Bad...); got == nil || got.Error() != want {
		t.Errorf("the rows that are left out are %v; want %s", got, want)
	}
	wantAdded(t, added, err, batch.Added{New: 1, BadRows: 999})
	Must(t, ledger.Close())
	ledger = open(t, batch.DefaultConnection(ConnectionID(7)))
	added, err = ledger.Add(t.Context(), Rows(items))
	wantAdded(t, added, err, batch.Added{New: 999, Known: 1})
	plan, err := ledger.Plan(t.Context(), false)
	if want := "[{conn_0 1} {conn_7 999}]"; err != nil || fmt.Sprint(plan.Connections) != want {
		t.Errorf("the plan is %v, %v; want %s", plan.Connections, err, want)
	}
}

func replaceSetsAside(t *testing.T, open Open) {
	server, client := service(t, 1)
	ledger := open(t)
	items := Messages(0, 10)
	added, err := ledger.Replace(t.Context(), Rows(items))
	wantAdded(t, added, err, batch.Added{New: 10})
	added, err = ledger.Replace(t.Context(), Rows(items[:6]))
	wantAdded(t, added, err, batch.Added{Known: 6, SetAside: 4})
	added, err = ledger.Replace(t.Context(), Rows(items[:6]))
	wantAdded(t, added, err, batch.Added{Known: 6})
	wantOutcomes(t, ledger, "6 open, 4 set aside")
	if results := run(t, client, ledger, batch.Options{}); len(results) != 6 || len(server.Journal()) != 6 {
		t.Errorf("%d results, %d requests; want 6", len(results), len(server.Journal()))
	}
	if n := len(all(t, ledger)); n != 6 {
		t.Errorf("the ledger lists %d messages; want the 6 that are not excluded", n)
	}
	// Add excludes nothing, and a message that is listed again is sent.
	added, err = ledger.Add(t.Context(), Rows(items[7:9]))
	wantAdded(t, added, err, batch.Added{Known: 2})
	wantOutcomes(t, ledger, "6 unsent, 2 open, 2 set aside")
	run(t, client, ledger, batch.Options{})
	wantOutcomes(t, ledger, "8 unsent, 2 set aside")
	// What is complete stays complete, listed or not.
	added, err = ledger.Replace(t.Context(), Rows(items[9:]))
	wantAdded(t, added, err, batch.Added{Known: 1})
	wantOutcomes(t, ledger, "8 unsent, 1 open, 1 set aside")
}

// A list may be made of the ledger itself, as of what is not unsent.
func replaceReads(t *testing.T, open Open) {
	ledger := open(t)
	Add(t, ledger, Messages(0, 40))
	added, err := ledger.Replace(t.Context(), func(yield func(batch.Item, error) bool) {
		for r, err := range ledger.Messages(t.Context(), batch.NotUnsent) {
			if r.Item.Line%4 == 0 && !yield(r.Item, err) {
				return
			}
		}
	})
	wantAdded(t, added, err, batch.Added{Known: 10, SetAside: 30})
}

// edits returns edited forms of the input Messages(0, 40).
func edits() map[string][]batch.Item {
	items := Messages(0, 40)
	return map[string][]batch.Item{
		"longer":    Messages(0, 55),
		"reversed":  reversed(items),
		"reordered": numbered(append(slices.Clone(items[20:]), items[:20]...)...),
		"repeated":  numbered(append(slices.Clone(items), items...)...),
		"one out":   numbered(append(slices.Clone(items[:38]), items[39])...),
		"one in":    numbered(append([]batch.Item{Message(0, 99)}, items...)...),
	}
}

// The input is edited between two runs, the first of which was stopped: what is listed is sent,
// once, and nothing else.
func editedInput(t *testing.T, open Open, edited []batch.Item) {
	server, client := service(t, 1)
	ledger := open(t)
	replace(t, ledger, Messages(0, 40))
	stop, yielded := make(chan struct{}), 0
	for _, err := range batch.Run(t.Context(), client, ledger, batch.Options{Stop: stop}) {
		if errors.Is(err, batch.ErrStopped) {
			break
		}
		if yielded++; yielded == 10 {
			close(stop)
		}
	}
	Must(t, ledger.Close())
	ledger = open(t)
	replace(t, ledger, edited)
	yielded += len(run(t, client, ledger, batch.Options{}))
	want := map[string]bool{}
	for _, item := range edited {
		want[item.MessageID] = true
		if n := server.UnsentCount(item.UserID, item.MessageID); n != 1 {
			t.Errorf("message %s was unsent %d times", item.MessageID, n)
		}
	}
	if n := len(server.Journal()); n != len(want) || yielded != len(want) {
		t.Errorf("%d requests, and %d yielded; want %d", n, yielded, len(want))
	}
}

// A row that is listed again replaces the stored one; of a final one its Ref alone.
func editedRows(t *testing.T, open Open) {
	_, client := service(t, 1)
	ledger := open(t)
	items := Messages(0, 3)
	for i := range items {
		items[i].Ref = strings.Repeat("é", 100-i)
	}
	Add(t, ledger, items[:1])
	if got := run(t, client, ledger, batch.Options{})[items[0].MessageID]; got.Item != items[0] {
		t.Errorf("the run yields %+v; want %+v", got.Item, items[0])
	}
	Add(t, ledger, items)
	want := slices.Clone(items)
	for i := range items {
		items[i].WithUserID, items[i].MaybeUnsent, items[i].Ref = "someone", true, ""
		if want[i].Ref = ""; i > 0 {
			want[i] = items[i]
		}
		added, err := ledger.Replace(t.Context(), Rows(items))
		wantAdded(t, added, err, batch.Added{Known: 3})
		if got := all(t, ledger); !slices.Equal(got, want) {
			t.Errorf("the ledger has %+v; want %+v", got, want)
		}
	}
}

func reversed(items []batch.Item) []batch.Item {
	items = slices.Clone(items)
	slices.Reverse(items)
	return numbered(items...)
}

// Messages of a connection are sent in the order of their lines, even if they were added in another.
func byLine(t *testing.T, open Open) {
	server, client := service(t, 1)
	ledger := open(t)
	Add(t, ledger, Messages(0, 300))
	replace(t, ledger, reversed(Messages(0, 300)))
	run(t, client, ledger, batch.Options{InFlight: 1})
	for i, e := range server.Journal() {
		if want := Message(0, 299-i).MessageID; e.MessageID != want {
			t.Fatalf("request %d is for %s; want %s", i, e.MessageID, want)
		}
	}
}

// A preview reports what Replace and a run would do, and nothing of it stays.
func preview(t *testing.T, open Open) {
	server, client := service(t, 2)
	ledger := open(t)
	items := Messages(0, 10)
	for _, item := range items[:3] {
		server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 422})
	}
	replace(t, ledger, items[:6])
	run(t, client, ledger, batch.Options{})
	replace(t, ledger, items[:8])
	before, err := ledger.Plan(t.Context(), true)
	Must(t, err)
	edited := numbered(slices.Concat(items[2:7], Messages(1, 4))...)
	added, err := ledger.Replace(t.Context(), Rows(edited), batch.Preview())
	Must(t, err)
	if added.New != 4 || added.Known != 5 || added.SetAside != 1 {
		t.Errorf("the preview adds %+v; want 4 new, 5 known, 1 set aside", added)
	}
	for retryFailed, want := range map[bool]string{
		false: "{Messages:5 Connections:[{ConnectionID:conn_0 Messages:1} {ConnectionID:conn_1 Messages:4}] Ended:6 Failed:1 SetAside:1}",
		true:  "{Messages:6 Connections:[{ConnectionID:conn_0 Messages:2} {ConnectionID:conn_1 Messages:4}] Ended:5 Failed:1 SetAside:1}",
	} {
		if got := fmt.Sprintf("%+v", added.Plan(retryFailed)); got != want {
			t.Errorf("retryFailed %v: the preview's plan is %s; want %s", retryFailed, got, want)
		}
	}
	after, err := ledger.Plan(t.Context(), true)
	if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("after the preview the plan is %+v, %v; want %+v as before", after, err, before)
	}
	wantOutcomes(t, ledger, "3 unsent, 3 failed, 2 open")
	if _, err := ledger.Add(t.Context(), Rows(nil), nil); !errors.Is(err, batch.ErrOptions) {
		t.Errorf("adding with a nil option is %v; want batch.ErrOptions", err)
	}
}

// A message that failed and was struck out of the list is counted, and not sent again until a
// list has it.
func retryFailedListed(t *testing.T, open Open) {
	server, client := service(t, 1)
	ledger := open(t)
	items := Messages(0, 3)
	for _, item := range items[:2] {
		server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 422})
	}
	replace(t, ledger, items)
	run(t, client, ledger, batch.Options{})
	for _, list := range [][]batch.Item{items[1:], items} {
		replace(t, ledger, list)
		plan, err := ledger.Plan(t.Context(), false)
		if err != nil || plan.Failed != 1 || plan.Ended != 3 {
			t.Errorf("the plan is %+v, %v; want 3 ended, 1 of them to be sent by RetryFailed", plan, err)
		}
		requests := len(server.Journal())
		results := run(t, client, ledger, batch.Options{RetryFailed: true})
		if _, listed := results[list[0].MessageID]; !listed || len(results) != 1 || len(server.Journal()) != requests+1 {
			t.Errorf("with RetryFailed the run yields %v; want %s alone", results, list[0].MessageID)
		}
		if len(list) == 2 {
			wantOutcomes(t, ledger, "2 unsent, 1 failed")
		}
	}
	wantOutcomes(t, ledger, "3 unsent")
}

// panickingRows: a panic of the caller's rows reaches the caller, and leaves nothing of them.
func panickingRows(t *testing.T, open Open) {
	ledger := open(t)
	func() {
		defer func() {
			if got := recover(); got != "of the caller" {
				t.Errorf("recovered %v; want the caller's panic", got)
			}
		}()
		_, _ = ledger.Add(t.Context(), func(yield func(batch.Item, error) bool) {
			yield(Message(0, 5), nil)
			panic("of the caller")
		})
	}()
	if added := Add(t, ledger, Messages(0, 3)); added.New != 3 || len(all(t, ledger)) != 3 {
		t.Errorf("after a panic 3 messages are added as %+v; want 3 new, and no other", added)
	}
}
