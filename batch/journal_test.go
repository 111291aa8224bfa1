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
		lines := appendMark(appendHeader(nil, inspect(items)), eventRun, at)
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
			lines := appendMark(appendHeader(nil, inspect(items)), eventRun, time.Now())
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

func TestDamageIsRefusedWithItsLine(t *testing.T) {
	items := messages(0, 2)
	good := appendMark(appendHeader(nil, inspect(items)), eventRun, time.Now())
	good = appendSend(good, items[0])
	good = appendEnd(good, time.Now(), Result{Item: items[0], Outcome: Unsent, Final: true})
	for name, c := range map[string]struct {
		damage func(lines []string) []string
		want   string
	}{
		"junk":            {func(l []string) []string { l[2] = "junk"; return l }, "line 3: it is not a line that a run writes"},
		"torn in between": {func(l []string) []string { l[2] = l[2][:20]; return l }, "line 3: it is not a line that a run writes"},
		"joined lines":    {func(l []string) []string { return []string{l[0], l[1] + l[2], l[3]} }, "line 2: it is not a line that a run writes"},
		"blank":           {func(l []string) []string { l[1] = ""; return l }, "line 2: it is not a line that a run writes"},
		"zeros":           {func(l []string) []string { l[1] = "\x00\x00"; return l }, "line 2: it is not a line that a run writes"},
		"long":            {func(l []string) []string { l[1] = strings.Repeat("x", maxRecord); return l }, "line 2: it is longer than any line that a run writes"},
		"unknown event":   {func(l []string) []string { l[2] = `{"event":"dance"}`; return l }, `line 3: no run writes the event "dance"`},
		"no message":      {func(l []string) []string { l[2] = `{"event":"send","user_id":"../x","message_id":"1"}`; return l }, "line 3: it names no message"},
		"no outcome":      {func(l []string) []string { l[3] = strings.Replace(l[3], `"outcome"`, `"o"`, 1); return l }, "line 4: it has no outcome"},
		"other outcome":   {func(l []string) []string { l[3] = strings.Replace(l[3], `"unsent"`, `"sold"`, 1); return l }, `line 4: no run writes the outcome "sold"`},
		"send that ends":  {func(l []string) []string { l[3] = strings.Replace(l[3], `"end"`, `"send"`, 1); return l }, "line 4: it has an outcome, and is no end"},
		"second header":   {func(l []string) []string { l[2] = l[0]; return l }, "line 3: it is a second header: journals that were joined can be reported on, but not resumed"},
		"no header":       {func(l []string) []string { return l[1:] }, "line 1: it is not the header of a journal"},
		"newer":           {func(l []string) []string { l[0] = strings.Replace(l[0], `"version":1`, `"version":2`, 1); return l }, "line 1: it is of version 2, newer than this program's 1"},
		"another's":       {func(l []string) []string { l[0] = `{"journal":"else"}`; return l }, "line 1: it is of another program"},
		"an input":        {func([]string) []string { return []string{"user_id,message_id", "1,2"} }, "line 1: it is not a line that a run writes"},
		"another input's": {func(l []string) []string { l[0] = strings.Replace(l[0], `"input":"`, `"input":"0`, 1); return l }, "line 1: it is of another input; resume with the input that it was begun with, or choose another path"},
		"another shard's": {func(l []string) []string {
			l[0] = strings.Replace(l[0], `"input"`, `"shard":"1/2","input"`, 1)
			return l
		}, `line 1: it is of the shard "1/2", not ""; resume with that, or choose another path`},
	} {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		text := strings.Join(c.damage(strings.Split(strings.TrimSuffix(string(good), "\n"), "\n")), "\n") + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenJournal(path, inspect(items), true)
		if want := "journal " + path + ": " + c.want; err == nil || err.Error() != want || !errors.Is(err, ErrJournal) {
			t.Errorf("%s: got %v; want %s", name, err, want)
		}
		if left := readFile(t, path); string(left) != text {
			t.Errorf("%s: the journal was changed", name)
		}
		if _, err := os.Stat(path + ".lock"); err == nil {
			t.Errorf("%s: the lock is left", name)
		}
	}
}

func TestJournalThatCannotBeOpened(t *testing.T) {
	items := messages(0, 2)
	dir := t.TempDir()
	path := filepath.Join(dir, "run.jsonl")
	refused := func(path string, resume bool, want string) {
		t.Helper()
		j, err := OpenJournal(path, inspect(items), resume)
		if err == nil || !errors.Is(err, ErrJournal) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v; want an ErrJournal of one line with %q", err, want)
		}
		if err == nil {
			_ = j.Close()
		}
	}
	refused(filepath.Join(dir, "none", "run.jsonl"), false, "no such file or directory")
	refused(dir, true, "directory")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(path, false, "journal exists: resume it, or choose another path")
	if _, err := OpenJournal(path, Input{}, false); !errors.Is(err, ErrJournalExists) {
		t.Errorf("got %v; want ErrJournalExists", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}

	j := openJournal(t, path, items, true) // nothing to resume: it starts anew
	refused(path, true, "another process is using it")
	link := filepath.Join(dir, "link.jsonl")
	if err := os.Symlink(path, link); err == nil { // not everywhere allowed
		refused(link, true, "another process is using it")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run*")); len(left) != 0 {
		t.Errorf("%v are left of a journal in which nothing was recorded", left)
	}
	if err := j.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestJournalServesOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	items := messages(0, 2)
	server := newMock(1)
	j := openJournal(t, path, items, false)
	opts := Options{Journal: j, Shard: Shard{Index: 0, Of: 1}}
	if r := collect(t.Context(), newClient(t, server), items, opts); !errors.Is(r[0].Err, ErrOptions) {
		t.Errorf("with another shard: %v", r[0].Err)
	}
	opts.Shard = Shard{}
	wantTally(t, collect(t.Context(), newClient(t, server), items, opts), "2 unsent")
	if r := collect(t.Context(), newClient(t, server), items, opts); !errors.Is(r[0].Err, ErrOptions) {
		t.Errorf("a second time: %v", r[0].Err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(server.Journal()); n != 2 {
		t.Errorf("%d requests; want 2", n)
	}
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
	lines := appendMark(appendHeader(nil, inspect(items)), eventRun, at)
	lines = appendWait(appendSend(lines, items[0]), items[0], true)
	lines = appendEnd(lines, at, Result{Item: items[0], Outcome: Failed, Err: &api.Error{StatusCode: 404, Type: "RESOURCE_NOT_FOUND"}, Final: true})
	lines = appendMark(lines, eventStop, at)
	f.Add(lines)
	f.Add(lines[:len(lines)-30])
	f.Add(append(lines[:len(lines)-30], lines...))
	f.Add(append(lines, make([]byte, 100)...))
	f.Add([]byte("{}\n"))
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
		if err != nil && (strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 200) {
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
