package batch

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// Shards have all items between them, once; their journals together tell of all.
func TestShardsAndTheirReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shards, connections = 3, 20
		server := newMock(connections)
		var items []Item
		for i := range connections {
			items = append(items, messages(i, 10+i)...)
		}
		server.SetConnection(mock.Connection{ID: connectionID(7), State: mock.Expired})
		for _, item := range items[:2] {
			server.NextFor(item.UserID, item.MessageID, mock.Fault{Status: 422})
		}
		rows := func(yield func(Item, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
		var all Summary
		var texts [][]byte
		owners := map[string]int{}
		messages := 0
		for i := range shards {
			shard := Shard{Index: i, Of: shards}
			input := Inspect(rows, shard)
			messages += input.Messages
			for _, c := range input.Connections {
				owners[c.ID]++
			}
			path := filepath.Join(t.TempDir(), "run.jsonl")
			j, err := OpenJournal(path, input, false)
			if err != nil {
				t.Fatal(err)
			}
			results := collect(t.Context(), newClient(t, server), items, Options{Journal: j, Shard: shard})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if len(results) != input.Messages {
				t.Errorf("shard %v has %d results of %d", shard, len(results), input.Messages)
			}
			for _, r := range results {
				all.Add(r)
			}
			texts = append(texts, readFile(t, path))
		}
		if len(owners) != connections || messages != len(items) {
			t.Errorf("%d connections and %d messages of the shards; want %d and %d", len(owners), messages, connections, len(items))
		}
		for id, n := range owners {
			if n != 1 {
				t.Errorf("%d shards have %s", n, id)
			}
		}
		want := all
		want.Messages = len(items)
		if all.Unsent != len(items)-17-2 || all.Failed != 3 || all.Skipped != 16 || all.Failures[0].Kind != "VALIDATION_ERROR" || all.Failures[0].Final != 2 || all.Failures[1].Hint == "" {
			t.Errorf("the results add up to %+v", all)
		}
		joined := bytes.Join(texts, nil)
		torn := slices.Concat(texts[0], []byte(`{"event":"send","conn`), texts[1], []byte{0, 0, 0}, texts[2], []byte(`{"ev`))
		for name, journals := range map[string][]io.Reader{
			"apart":                 {bytes.NewReader(texts[0]), bytes.NewReader(texts[1]), bytes.NewReader(texts[2])},
			"joined":                {bytes.NewReader(joined)},
			"joined with torn ends": {bytes.NewReader(torn)},
			"one of them twice":     {bytes.NewReader(joined), bytes.NewReader(texts[1])},
		} {
			got, err := Report(journals...)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got.Elapsed < earliest(29) {
				t.Errorf("%s: elapsed are %v", name, got.Elapsed)
			}
			got.Elapsed = 0
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v; want %+v", name, got, want)
			}
		}
	})
}

func TestReportNamesDamage(t *testing.T) {
	good := header(t, nil)
	_, err := Report(bytes.NewReader(good), strings.NewReader(string(good)+"x\n"))
	if err == nil || err.Error() != "journal error: journal 2: line 2: it is not a line that a run writes" || !errors.Is(err, ErrJournal) {
		t.Errorf("got %v", err)
	}
	if s, err := Report(); err != nil || !reflect.DeepEqual(s, Summary{}) {
		t.Errorf("of nothing: %+v, %v", s, err)
	}
	if _, err := Report(strings.NewReader("user_id,message_id\n")); err == nil {
		t.Error("an input is taken for a journal")
	}
}

// A message of which journals tell several times counts as it ended last.
func TestReportCountsTheLastOfEach(t *testing.T) {
	items := messages(0, 5)
	at := time.Unix(1_700_000_000, 0)
	failed := Result{Item: items[0], Outcome: Failed, Err: &api.Error{StatusCode: 503, MaybeUnsent: true}, MaybeUnsent: true}
	lines := appendMark(header(t, items), eventRun, at)
	lines = appendEnd(appendSend(lines, items[0]), at.Add(10*time.Second), failed)
	failed.Item = items[1]
	lines = appendEnd(appendSend(lines, items[1]), at.Add(20*time.Second), failed)
	lines = appendSend(lines, items[2])
	lines = appendWait(appendSend(lines, items[3]), items[3], false)
	lines = appendMark(lines, eventRun, at.Add(time.Hour))
	lines = appendEnd(appendSend(lines, items[0]), at.Add(time.Hour+5*time.Second), Result{Item: items[0], Outcome: AlreadyGone, Final: true})
	lines = appendMark(lines, eventStop, at.Add(time.Hour+6*time.Second))
	got, err := Report(bytes.NewReader(lines))
	want := Summary{
		Messages: 5, AlreadyGone: 1, Failed: 1, Unsettled: 1, Elapsed: 26 * time.Second,
		Failures: []FailureGroup{{Kind: "HTTP 503", Count: 1, MaybeUnsent: 1, Hint: "resume later; if it lasts, ask the service's support"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestTimeTogether(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for _, c := range []struct {
		spans []span
		want  time.Duration
	}{
		{nil, 0},
		{[]span{{at(5), at(9)}}, 4 * time.Second},
		{[]span{{at(20), at(30)}, {at(0), at(10)}}, 20 * time.Second},
		{[]span{{at(0), at(10)}, {at(5), at(15)}, {at(6), at(7)}, {at(15), at(16)}}, 16 * time.Second},
		{[]span{{at(5), at(5)}}, 0},
	} {
		if got := together(c.spans); got != c.want {
			t.Errorf("%v take %v together; want %v", c.spans, got, c.want)
		}
	}
}

func TestManyKindsOfFailureAreBounded(t *testing.T) {
	var s Summary
	for n := range 200 {
		s.Add(Result{Outcome: Failed, Err: &api.Error{StatusCode: 418, Type: strings.Repeat("X", n%100+1)}})
	}
	sum := 0
	for _, g := range s.Failures {
		sum += g.Count
	}
	if len(s.Failures) > maxGroups+1 || sum != 200 || s.Failed != 200 {
		t.Errorf("%d groups of %d failures", len(s.Failures), sum)
	}
}
