package batch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func inspect(items []Item) Input {
	return Inspect(func(yield func(Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}, Shard{})
}

func header(t testing.TB, items []Item) []byte {
	t.Helper()
	line, err := headerLine(inspect(items))
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func openJournal(t testing.TB, path string, items []Item, resume bool) *Journal {
	t.Helper()
	j, err := OpenJournal(path, inspect(items), resume)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// runJournaled runs items with the journal at path, resuming what is there.
func runJournaled(t testing.TB, client *api.Client, path string, items []Item, opts Options) []Result {
	t.Helper()
	opts.Journal = openJournal(t, path, items, true)
	results := collect(t.Context(), client, items, opts)
	if err := opts.Journal.Close(); err != nil {
		t.Error(err)
	}
	return results
}

func TestResumeSendsNothingThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		server := newMock(2, mock.WithFaults(1, 1, mock.Fault{Delay: time.Second}))
		client := newClient(t, server)
		items := slices.Concat(messages(0, 60), messages(1, 40))
		bad := items[3]
		server.NextFor(bad.UserID, bad.MessageID, mock.Fault{Status: 422})
		ended := map[Item]Result{}
		runs := 0
		for ; len(ended) < len(items) && runs < 50; runs++ {
			stop := make(chan struct{})
			time.AfterFunc(1500*time.Millisecond, func() { close(stop) })
			for _, r := range runJournaled(t, client, path, items, Options{Stop: stop}) {
				was, known := ended[r.Item]
				switch {
				case r.Earlier != known:
					t.Errorf("%+v ended earlier: %v; want %v", r.Item, r.Earlier, known)
				case known && (r.Outcome != was.Outcome || r.Final != was.Final || (r.Err == nil) != (was.Err == nil)):
					t.Errorf("%+v became %+v", was, r)
				case !r.Final:
					t.Errorf("%+v is not final: %v", r, r.Err)
				}
				ended[r.Item] = r
			}
		}
		if len(ended) != len(items) || runs < 3 {
			t.Fatalf("%d of %d ended in %d runs", len(ended), len(items), runs)
		}
		for _, item := range items {
			want := Unsent
			if item == bad {
				want = Failed
			}
			if n := requests(server, item); ended[item].Outcome != want || n != 1 {
				t.Errorf("%+v ended %s after %d requests; want %s after one", item, ended[item].Outcome, n, want)
			}
		}
		if !errors.Is(ended[bad].Err, api.ErrBadRequest) {
			t.Errorf("the failure is remembered as %v", ended[bad].Err)
		}
	})
}

// What was in flight when a process died may have been unsent: a 404 for it is no failure.
func TestResumeSettlesWhatWasInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		items := messages(0, 6)
		server := newMock(1)
		server.Remove(items[0].UserID, items[0].MessageID) // as the lost request would have
		server.Remove(items[2].UserID, items[2].MessageID)
		server.Remove(items[3].UserID, items[3].MessageID)
		at := time.Now()
		lines := appendMark(header(t, items), eventRun, at)
		lines = appendSend(lines, items[0])
		lines = appendSend(lines, items[1])
		lines = appendWait(appendSend(lines, items[2]), items[2], true)
		lines = appendWait(appendSend(lines, items[3]), items[3], false)
		lines = appendEnd(appendSend(lines, items[4]), at, Result{Item: items[4], Outcome: Unsent, Final: true})
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			t.Fatal(err)
		}
		results := runJournaled(t, newClient(t, server), path, items, Options{})
		for i, want := range []Outcome{AlreadyGone, Unsent, AlreadyGone, Failed, Unsent, Unsent} {
			if r := find(t, results, items[i]); r.Outcome != want || !r.Final || r.Earlier != (i == 4) {
				t.Errorf("item %d ended %+v, %v; want %s", i, r, r.Err, want)
			}
		}
		if n := requests(server, items[4]); n != 0 {
			t.Errorf("the item that had ended was sent %d times", n)
		}
	})
}

// Failures that are not final, and what was skipped, are sent again.
func TestResumeSendsTheRestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		items := messages(0, 20)
		server := newMock(1)
		client := newClient(t, server)
		server.SetConnection(mock.Connection{ID: connectionID(0), State: mock.Expired})
		wantTally(t, runJournaled(t, client, path, items, Options{}), "1 failed, 19 skipped")
		server.SetConnection(mock.Connection{ID: connectionID(0)})
		wantTally(t, runJournaled(t, client, path, items, Options{}), "20 unsent")
		summary, err := Report(bytes.NewReader(readFile(t, path)))
		if err != nil || summary.Unsent != 20 || summary.Ended() != 20 || len(summary.Failures) != 0 || summary.Messages != 20 {
			t.Errorf("the report is %+v, %v", summary, err)
		}
	})
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A journal that breaks off anywhere can be resumed: each message is taken back once, and
// nothing is sent of which an end is left.
func TestJournalCutAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		items := messages(0, 3)
		server := newMock(1)
		wantTally(t, runJournaled(t, newClient(t, server), path, items, Options{}), "3 unsent")
		whole := readFile(t, path)
		for size := range len(whole) + 1 {
			if size < len(whole)-300 && size%7 > 0 {
				continue // it would take long
			}
			if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			ends := bytes.Count(whole[:size], []byte(`"outcome":"unsent","final":true,"attempts":1,"request_id":"req_`))
			again := newMock(1)
			for _, item := range items { // as the first run left them, if it got that far
				if bytes.Contains(whole[:size], appendSend(nil, item)) {
					again.Remove(item.UserID, item.MessageID)
				}
			}
			for _, r := range runJournaled(t, newClient(t, again), path, items, Options{}) {
				if r.Outcome != Unsent && r.Outcome != AlreadyGone {
					t.Fatalf("cut at %d: %+v: %v", size, r, r.Err)
				}
			}
			// The last end may be torn behind its request's id.
			if n := len(again.Journal()); n > 3-ends+1 || n < 3-ends {
				t.Fatalf("cut at %d of %d, behind %d ends: %d requests", size, len(whole), ends, n)
			}
			if _, err := readJournal(bytes.NewReader(readFile(t, path)), false, func(record) error { return nil }); err != nil {
				t.Fatalf("cut at %d and resumed: %v", size, err)
			}
		}
	})
}

// A power cut can leave zeros behind the last line that was synced.
func TestZerosAtTheEndAreTorn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, n := range []int{1, 4096, 3 * maxRecord} {
			path := filepath.Join(t.TempDir(), "run.jsonl")
			items := messages(0, 3)
			lines := appendMark(header(t, items), eventRun, time.Now())
			if err := os.WriteFile(path, append(lines, make([]byte, n)...), 0o600); err != nil {
				t.Fatal(err)
			}
			wantTally(t, runJournaled(t, newClient(t, newMock(1)), path, items, Options{}), "3 unsent")
			if text := readFile(t, path); bytes.IndexByte(text, 0) >= 0 {
				t.Errorf("the zeros are left: %q", text)
			}
		}
	})
}

// No credential and no text of the service's comes into a journal.
func TestJournalHoldsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		items := messages(0, 3)
		server := newMock(1)
		server.Next(mock.Fault{Status: 400, Body: `{"error":"the text of a message","type":"BAD \u001b\"REQUEST\n"}`})
		runJournaled(t, newClient(t, server), path, items, Options{})
		text := string(readFile(t, path))
		if strings.Contains(text, testKey) || strings.Contains(text, "the text") {
			t.Errorf("the journal tells too much:\n%s", text)
		}
		if !strings.Contains(text, `"type":"BAD ?\"REQUEST?"`) {
			t.Errorf("the failure's type is not there, as one line:\n%s", text)
		}
	})
}

func FuzzJournal(f *testing.F) {
	items := messages(0, 2)
	at := time.Unix(0, 0)
	lines := appendMark(header(f, items), eventRun, at)
	lines = appendWait(appendSend(lines, items[0]), items[0], true)
	lines = appendEnd(lines, at, Result{Item: items[0], Outcome: Failed, Err: &api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND"}, Final: true})
	lines = appendMark(lines, eventStop, at)
	f.Add(lines)
	f.Add(lines[:len(lines)-30])
	f.Add(append(lines[:len(lines)-30], lines...))
	f.Add(append(lines, make([]byte, 100)...))
	f.Add([]byte("{}\n"))
	f.Add(bytes.Replace(lines, []byte(`"wait"`), []byte(`"`+strings.Repeat("\x87", 100)+`"`), 1)) // not UTF-8
	f.Fuzz(func(t *testing.T, text []byte) {
		rows := newRows()
		end, err := readJournal(bytes.NewReader(text), false, func(rec record) error {
			if rec.Journal != "" || rec.Event == eventRun || rec.Event == eventStop {
				return nil
			}
			if rec.item().check() != nil {
				t.Fatalf("%+v names no message", rec)
			}
			_, _, _, err := rows.remember(&rec)
			return err
		})
		if end.at < 0 || end.at > int64(len(text)) {
			t.Fatalf("it ends at %d of %d", end.at, len(text))
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 300) {
			t.Fatalf("not one clear line: %q", err)
		}
		// What can be written on can be read again, whole.
		kept := slices.Clone(text[:end.at])
		if end.open {
			kept = append(kept, '\n')
		}
		if again, err2 := readJournal(bytes.NewReader(kept), false, func(record) error { return nil }); err == nil && (err2 != nil || again.at != int64(len(kept)) || again.open) {
			t.Fatalf("mended, it reads %+v, %v", again, err2)
		}
		if _, err := Report(bytes.NewReader(text)); err != nil && !errors.Is(err, ErrJournal) {
			t.Fatalf("the report fails with %v", err)
		}
	})
}
