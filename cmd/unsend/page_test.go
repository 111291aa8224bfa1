package main

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// yieldAll yields the results, and each with the error.
func yieldAll(results []batch.Result, err error) iter.Seq2[batch.Result, error] {
	return func(yield func(batch.Result, error) bool) {
		for _, r := range results {
			if !yield(r, err) {
				return
			}
		}
	}
}

// TestPageEscapes: no text of others is markup, and none of an error's message is there at all.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	const hostile = `</style><script>alert(1)</script>" onload='x'`
	failure := &api.Error{StatusCode: 422, Type: "t" + hostile, Message: "the planted text" + hostile, Scope: api.ScopeMessage}
	report := &batch.Report{Service: "s" + hostile, Groups: []batch.Group{
		{Outcome: batch.Failed, Count: 1, Scope: failure.Scope, Status: failure.StatusCode, Type: failure.Type, Hint: "h" + hostile},
	}}
	p, err := newPage(report, yieldAll([]batch.Result{{
		Item:    batch.Item{ConnectionID: "c" + hostile, UserID: "u" + hostile, MessageID: "m" + hostile},
		Outcome: batch.Failed, Hint: "h" + hostile, EndedAt: time.Unix(0, 0), Err: failure,
	}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	p.Name = "n" + hostile
	var out bytes.Buffer
	if err := p.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<script", "' onload", "planted", "u&lt;", "m&lt;"} {
		if strings.Contains(out.String(), part) {
			t.Errorf("the page has %q:\n%s", part, &out)
		}
	}
	if n := strings.Count(out.String(), "<span>"+p.Chart.From+"</span>"); n != 1 {
		t.Errorf("the chart of one minute has %d labels; want 1", n)
	}
	for _, name := range []string{"c", "t", "h", "n", "s"} {
		if !strings.Contains(out.String(), name+"&lt;/style&gt;&lt;script&gt;") {
			t.Errorf("the page lacks the text %s…, escaped:\n%s", name, &out)
		}
	}
}

// TestPageCounts: totals, connections and minutes are of the same messages, and a night between two
// runs takes no room.
func TestPageCounts(t *testing.T) {
	t.Parallel()
	evening := time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC)
	var results []batch.Result
	for i := range 12 {
		r := batch.Result{Item: batch.Item{ConnectionID: "conn_a"}, Outcome: batch.Unsent}
		r.EndedAt = evening.Add(time.Duration(i) * 20 * time.Second)
		if i >= 8 {
			r.Item.ConnectionID, r.EndedAt = "conn_b", r.EndedAt.Add(12*time.Hour)
		}
		if i == 11 {
			r.Outcome, r.EndedAt = "", time.Time{}
		}
		results = append(results, r)
	}
	open := []batch.Group{{Count: 3, MaybeUnsent: 1}}
	p, err := newPage(&batch.Report{Groups: open}, yieldAll(results, nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Groups) != 2 || p.Groups[0].Count != 1 || p.Groups[1].Count != 2 {
		t.Errorf("3 open messages, of which one may have been unsent, are the groups %+v; want 1 and 2", p.Groups)
	}
	if p.Total.Gone() != 11 || p.Total.All() != 12 {
		t.Errorf("%d of %d are gone; want 11 of 12", p.Total.Gone(), p.Total.All())
	}
	if first := p.Connections[0]; len(p.Connections) != 2 || first.Name != "conn_b" || first.Gone() != 3 {
		t.Errorf("the connections are %+v; want conn_b, which has an open message, before conn_a", p.Connections)
	}
	// Minutes 0 to 2, the pause of two, and minutes 2 and 3 of the morning.
	if c := p.Chart; c.Height != 3 || len(c.Bars) != 5 || fmt.Sprint(c.Pauses) != "[4]" || c.Bars[4].X != 6 || c.Width != 7 {
		t.Errorf("the chart is %+v; want 3 a minute at most, 5 bars, and a pause that is as wide as 2", c)
	}
	var out bytes.Buffer
	if err := p.write(&out); err != nil || !strings.Contains(out.String(), "Open: not sent, or without an outcome.") {
		t.Errorf("writing is %v, and the page does not explain what open is:\n%s", err, &out)
	}
	broken := errors.New("the ledger broke")
	if _, err := newPage(&batch.Report{}, yieldAll(results, broken)); !errors.Is(err, broken) {
		t.Errorf("newPage returns %v; want %v", err, broken)
	}
}
