package batch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDamageIsRefusedWithItsLine(t *testing.T) {
	items := messages(0, 2)
	good := appendMark(header(t, items), eventRun, time.Now())
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
