package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// execute runs SQL on a file, as sqlite3 does.
func execute(t *testing.T, path, script string) {
	t.Helper()
	db, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite, zsqlite.OpenCreate)
	if err == nil {
		err = errors.Join(sqlitex.ExecuteScript(db, script, nil), db.Close())
	}
	must(t, err)
}

func clientOf(t *testing.T, url string) *api.Client {
	t.Helper()
	client, err := api.New(testKey, api.WithBaseURL(url))
	must(t, err)
	return client
}

// closedLedger makes a ledger with ten messages, and closes it.
func closedLedger(t *testing.T, path string, opt batch.Option) {
	t.Helper()
	ledger := openFor(t, path, opt)
	add(t, ledger, messages(0, 10))
	must(t, ledger.Close())
}

// A file that cannot be used is refused in one line, and left as it is.
func TestRefusedLedgers(t *testing.T) {
	t.Parallel()
	local := clientOf(t, "http://127.0.0.1:8080/a")
	const foreign = "is not an unsend ledger; it is unchanged: name another file"
	link := func(path string) error { return os.Link(path, path+"x") }
	for name, c := range map[string]struct {
		text  string       // of the file
		made  batch.Option // a ledger is made, for this service
		sql   string       // executed on the file
		spoil func(path string) error
		opt   batch.Option
		want  string
	}{
		"text":             {text: "user_id,message_id\n1,2\n", want: foreign},
		"folder":           {spoil: func(path string) error { return os.Mkdir(path, 0o700) }, want: foreign},
		"another database": {sql: "CREATE TABLE message (id)", want: foreign},
		"newer": {
			made: batch.ForMock(), sql: "PRAGMA user_version = 3",
			want: "was made by a newer version of this program (format 3; this one reads 2); update it",
		},
		"older": {
			made: batch.ForMock(), sql: "PRAGMA user_version = 1",
			want: "was made by an older version of this program (format 1; this one has 2); name another ledger",
		},
		"another service's": {
			made: batch.ForService(clientOf(t, "https://api.example.com")), opt: batch.ForService(local),
			want: "is of https://api.example.com, not of http://localhost/a; set the base URL back, or name another ledger",
		},
		"a rehearsal's": {
			made: batch.ForService(local), opt: batch.ForService(clientOf(t, "https://api.example.com")),
			want: "is of http://localhost/a, not of https://api.example.com: " +
				"if that was a rehearsal, delete it or name another ledger; if not, set the base URL back",
		},
		"the mock's": {
			made: batch.ForMock(), opt: batch.ForService(local),
			want: "was made with the mock: nothing in it was really unsent; delete it, or name another ledger",
		},
		"for the mock, a service's": {made: batch.ForService(local), want: "is of http://localhost/a, not of the mock; name another ledger"},
		"hard link":                 {made: batch.ForMock(), spoil: link, want: "has a second name (a hard link)"},
		"its log deleted": {
			made: batch.ForMock(), sql: "UPDATE ledger SET running = 1", spoil: loseLog,
			want: "lacks its newest part, messages.db-wal, which was deleted or not copied with it",
		},
		"damaged": {made: batch.ForMock(), sql: "UPDATE ledger SET running = 1", spoil: damage, want: "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "hard link" && runtime.GOOS == "windows" {
				t.Skip("links are not counted there")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "messages.db")
			if c.text != "" {
				write(t, path, c.text)
			}
			if c.made != nil {
				closedLedger(t, path, c.made)
			}
			if c.sql != "" {
				execute(t, path, c.sql)
			}
			if c.spoil != nil {
				must(t, c.spoil(path))
			}
			before := snapshot(t, dir)
			if c.opt == nil {
				c.opt = batch.ForMock()
			}
			ledger, err := sqlite.Open(path, c.opt)
			if err == nil {
				_ = ledger.Close()
				t.Fatal("it was opened")
			}
			if !errors.Is(err, batch.ErrLedger) || !strings.HasPrefix(err.Error(), "ledger "+path+" "+c.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v; want ledger %s %s", err, path, c.want)
			}
			wantSame(t, before, snapshot(t, dir))
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// damage overwrites all of a ledger but its first page.
func damage(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text[:4096], bytes.Repeat([]byte{0x55}, len(text)-4096)...), 0o600)
}

// wantSame fails if the files of a folder were changed, or some are new or gone.
func wantSame(t *testing.T, before, after map[string][]byte) {
	t.Helper()
	for file, text := range after {
		if !bytes.Equal(before[file], text) {
			t.Errorf("%s is new or was changed", file)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files; want %d", len(after), len(before))
	}
}

// snapshot reads the files of a folder, but a lock, which may stay.
func snapshot(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	list, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range list {
		text, _ := os.ReadFile(filepath.Join(dir, entry.Name())) // a folder has none
		files[entry.Name()] = text
	}
	delete(files, "messages.db.lock")
	return files
}

func TestNewLedgerNeedsAService(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	if _, err := sqlite.Open(path); !errors.Is(err, batch.ErrOptions) {
		t.Errorf("got %v", err)
	}
	if _, err := sqlite.Open(path, batch.ReadOnly()); !errors.Is(err, batch.ErrLedger) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading where there is none is %v", err)
	}
	if files := snapshot(t, filepath.Dir(path)); len(files) > 0 {
		t.Errorf("%d files are left", len(files))
	}
	var none *api.Client
	for _, opt := range []batch.Option{nil, batch.ForService(none), batch.DefaultConnection("a/b")} {
		if _, err := sqlite.Open(path, batch.ForMock(), opt); !errors.Is(err, batch.ErrOptions) {
			t.Errorf("got %v", err)
		}
	}
}

// loseLog makes a file that says it has a log, and has none: SQLite deletes it with the last connection.
func loseLog(path string) error {
	db, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	return errors.Join(sqlitex.ExecuteTransient(db, "PRAGMA journal_mode = WAL", nil), db.Close())
}

func wantOpen(t *testing.T, path string, n int) {
	t.Helper()
	ledger := openFor(t, path, batch.ReadOnly())
	if got := report(t, ledger); got.Open != n {
		t.Errorf("the report is %+v; want %d open", got, n)
	}
	must(t, ledger.Close())
}

// A ledger that lost its power while it was made is made anew, for a service that is named.
func TestHalfMade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	write(t, path, strings.Repeat("\x00", 8192))
	sizes := strings.Repeat("\x00", 12) + "\x00\x00\x02\x00\x00\x00\x10\x00" // nothing, in sectors of 512 bytes and pages of 4,096
	write(t, path+"-journal", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"+sizes+strings.Repeat("\x00", 484))
	if _, err := sqlite.Open(path); !errors.Is(err, batch.ErrOptions) {
		t.Errorf("without a service it is %v; want batch.ErrOptions", err)
	}
	add(t, openLedger(t, path), messages(0, 3))
	wantOpen(t, path, 3)
}

// An id that another program has written into the ledger fails its message alone, and is not sent.
func TestIDsWrittenIntoALedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages.db")
	closedLedger(t, path, batch.ForMock())
	execute(t, path, `UPDATE message SET message_id = '..' WHERE id = 1; UPDATE message SET user_id = '1/../2' WHERE id = 2;
		UPDATE message SET connection_id = 'a b' WHERE id = 3`)
	ledger := openLedger(t, path)
	runAll(t, ledger)
	if got := report(t, ledger); got.Unsent != 7 || got.Failed != 3 {
		t.Errorf("the report is %+v; want 7 unsent, 3 failed", got.Counts)
	}
	for r := range eachResult(t, ledger.Messages(t.Context(), batch.NotUnsent)) {
		if e, ok := errors.AsType[*api.Error](r.Err); !ok || !strings.Contains(e.Message, "invalid id") {
			t.Errorf("message %d failed with %v; want its invalid id", r.Item.Line, r.Err)
		}
	}
}

// A program that was killed while it changed the file leaves a journal: reports refuse the ledger,
// and the next batch repairs it.
func TestKilledWhileChanging(t *testing.T) {
	t.Parallel()
	path, killed := filepath.Join(t.TempDir(), "messages.db"), filepath.Join(t.TempDir(), "messages.db")
	ledger := openLedger(t, path)
	add(t, ledger, messages(0, 2000))
	must(t, ledger.Close())
	db, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
	must(t, err)
	for _, sql := range []string{"PRAGMA cache_size = 1", "BEGIN", "UPDATE message SET outcome = 'unsent', hint = hex(zeroblob(300))"} {
		must(t, sqlitex.ExecuteTransient(db, sql, nil))
	}
	for name, text := range snapshot(t, filepath.Dir(path)) {
		write(t, filepath.Join(filepath.Dir(killed), name), string(text))
	}
	must(t, db.Close())
	_, err = sqlite.Open(killed, batch.ReadOnly())
	if want := " was being changed when a program was killed; run unsend batch on it"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("reading is %v; want the ledger%s", err, want)
	}
	must(t, openLedger(t, killed).Close())
	wantOpen(t, killed, 2000)
}

// One process works on a ledger, by whatever name.
func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "messages.db"), filepath.Join(dir, "link.db")
	if err := os.Symlink("messages.db", link); err != nil {
		t.Skip(err)
	}
	// The first opens the link, which leads to nothing yet.
	first := openFor(t, link, batch.ForMock())
	add(t, first, messages(0, 10))
	for _, name := range []string{path, link, filepath.Join(dir, ".", "x", "..", "messages.db")} {
		if second, err := sqlite.Open(name, batch.ForMock()); err == nil {
			_ = second.Close()
			t.Errorf("%s was opened twice", name)
		} else if want := "ledger " + name + " is in use by another process; wait until that has ended"; err.Error() != want {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	wantOpen(t, path, 10)
	must(t, first.Close())
	second := openLedger(t, path)
	if added := add(t, second, messages(0, 10)); added.Known != 10 {
		t.Errorf("added %+v", added)
	}
}

// A ledger is removed only by the process that created it, before a run has begun on it.
func TestDiscard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made batch.Option // a ledger is there before, for this service
		then func(t *testing.T, ledger *batch.Ledger)
		want int // files
	}{
		"created":           {},
		"created and added": {then: func(t *testing.T, ledger *batch.Ledger) { t.Helper(); add(t, ledger, messages(0, 3)) }},
		"closed":            {then: func(t *testing.T, ledger *batch.Ledger) { t.Helper(); must(t, ledger.Close()) }, want: 1},
		"run":               {then: runAll, want: 1},
		"another's":         {made: batch.ForMock(), want: 1},
		"another's, empty":  {want: 1},
		"replaced by another's": {then: func(t *testing.T, ledger *batch.Ledger) {
			t.Helper()
			must(t, os.Rename(ledger.Name(), ledger.Name()+".old"))
			write(t, ledger.Name(), "")
		}, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "messages.db")
			if c.made != nil {
				closedLedger(t, path, c.made)
			}
			if name == "another's, empty" {
				write(t, path, "")
			}
			ledger := openLedger(t, path)
			if c.then != nil {
				c.then(t, ledger)
			}
			must(t, ledger.Discard())
			if n := len(snapshot(t, filepath.Dir(path))); n != c.want {
				t.Errorf("%d files are left; want %d", n, c.want)
			}
		})
	}
}
