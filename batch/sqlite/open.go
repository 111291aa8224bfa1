// Package sqlite keeps a ledger in a SQLite file.
//
//	ledger, err := sqlite.Open("messages.db", batch.ForService(client))
//
// The tables are public: docs/batch/ledger.md explains them.
package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/textutil"
)

// Open opens the ledger at path, a SQLite file. It creates the file if there is none; then
// [batch.ForService] or [batch.ForMock] must name its service. It follows symbolic links, and
// refuses a file with a second hard link. One process works on a ledger at a time, by whatever
// name; any may read it with [batch.ReadOnly], which takes no lock and leaves no trace.
//
// Between runs a ledger is one file. During a run its newest part is in a second one, path and
// "-wal".
//
// Every error is a [batch.ErrLedger] or [batch.ErrOptions]; a file that is refused is not changed.
func Open(path string, opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(func(want batch.StoreOptions) (batch.Store, error) { return openStore(path, want) }, opts...)
}

func openStore(path string, want batch.StoreOptions) (batch.Store, error) {
	if want.ReadOnly {
		r := &reader{store: store{path: path}}
		if err := r.open(want); err != nil {
			return nil, r.explain(err)
		}
		return r, nil
	}
	s := &store{path: path}
	if err := s.open(want); err != nil {
		_ = s.Close(true) // the first error explains more
		return nil, s.explain(err)
	}
	return s, nil
}

// InMemory returns a ledger that is forgotten when it is closed or its process ends. It uses a
// private temporary file, so that a million messages take no more memory than a few, and memory
// only if it cannot create one.
func InMemory(opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(openInMemory, opts...)
}

func openInMemory(want batch.StoreOptions) (batch.Store, error) {
	s := &store{}
	dir, err := os.MkdirTemp("", "unsend-")
	if err == nil {
		s.path = filepath.Join(dir, "ledger.db")
		err = createLedger(s.path, want.Service)
		if err == nil {
			err = s.connect(s.path, want, "OFF")
		}
		if err == nil {
			err = s.enterWAL()
		}
		_ = os.RemoveAll(dir) // open files stay until they are closed
	}
	if err != nil { // the folder for temporary files is missing or full
		_ = s.Close(false)
		s = &store{path: ":memory:"}
		if s.db, err = openConn(s.path, sqlite.OpenReadWrite|sqlite.OpenCreate); err == nil {
			err = errors.Join(fillLedger(s.db, want.Service), exec(s.db, "PRAGMA temp_store = MEMORY", nil))
		}
		s.service = want.Service
	}
	if err != nil {
		_ = s.Close(false) // the first error explains more
		return nil, s.explain(err)
	}
	return s, nil
}

// open locks the file, makes it a ledger if it is new, and opens it.
func (s *store) open(want batch.StoreOptions) (err error) {
	named := want.Service != ""
	s.file, err = openLedgerFile(s.path, named)
	isNew := err == nil && s.file.isBlank() || errors.Is(err, os.ErrNotExist)
	switch {
	case isNew && !named:
		return fmt.Errorf("%w: %s is new: name its service with ForService or ForMock", batch.ErrOptions, s.path)
	case err == nil && isNew:
		err = createLedger(s.file.target, want.Service)
	}
	if err != nil {
		return err
	}
	if err := s.connect(s.file.target, want, "FULL"); err != nil { // each commit is durable before it returns
		return err
	}
	err = exec(s.db, "PRAGMA journal_mode", func(row *sqlite.Stmt) { s.wal = row.ColumnText(0) == "wal" })
	if err == nil && s.wal { // a run was killed, and left a log
		return cmp.Or(exec(s.db, fmt.Sprintf(setRunning, atRest), nil), s.checkpoint("TRUNCATE"))
	}
	return cmp.Or(err, s.file.remember())
}

// connect opens both connections. It writes nothing before it has verified the file.
func (s *store) connect(name string, want batch.StoreOptions, synchronous string) (err error) {
	if s.db, err = openConn(name, sqlite.OpenReadWrite); err != nil {
		return err
	}
	if err := s.verify(s.db, want); err != nil {
		return err
	}
	if err := s.checkDamage(); err != nil {
		return err
	}
	// Put temporary files beside the ledger, so that only its volume needs room. If SQLite cannot, it uses another folder.
	_ = exec(s.db, "PRAGMA temp_store_directory = '"+strings.ReplaceAll(filepath.Dir(name), "'", "''")+"'", nil)
	// These settings are not stored in the file. On a Mac, fullfsync makes the drive itself write.
	err = execAll(s.db, "PRAGMA wal_autocheckpoint = 0", "PRAGMA cache_size = -8192", "PRAGMA fullfsync = 1", "PRAGMA checkpoint_fullfsync = 1",
		"PRAGMA synchronous = "+synchronous)
	if err != nil {
		return err
	}
	if s.reader, err = openConn(name, sqlite.OpenReadOnly); err != nil {
		return err
	}
	return exec(s.reader, readService, nil)
}

const busyTimeout = 5 * time.Second // for another program that reads or writes

func openConn(name string, flags sqlite.OpenFlags) (*sqlite.Conn, error) {
	db, err := sqlite.OpenConn(name, flags)
	if err == nil {
		db.SetBusyTimeout(busyTimeout)
	}
	return db, err
}

// verify refuses a database that is not a ledger, has another format, or belongs to another service.
func (s *store) verify(db *sqlite.Conn, want batch.StoreOptions) error {
	var id, version int
	err := exec(db, "PRAGMA application_id", func(row *sqlite.Stmt) { id = row.ColumnInt(0) })
	if err == nil {
		err = exec(db, "PRAGMA user_version", func(row *sqlite.Stmt) { version = row.ColumnInt(0) })
	}
	switch {
	case sqlite.ErrCode(err) == sqlite.ResultNotADB || err == nil && id != applicationID:
		return errNoLedger
	case err != nil:
		return err
	case version < schemaVersion:
		return fmt.Errorf("was made by an older version of this program (format %d; this one has %d); name another ledger", version, schemaVersion)
	case version > schemaVersion:
		return fmt.Errorf("was made by a newer version of this program (format %d; this one reads %d); update it", version, schemaVersion)
	}
	if err := exec(db, readService, func(row *sqlite.Stmt) { s.service = row.ColumnText(0) }); err != nil {
		return err
	}
	return want.Check(s.path, s.service)
}

// checkDamage checks the whole file if its last run was killed.
func (s *store) checkDamage() error {
	state, damage := atRest, "ok"
	err := exec(s.db, readRunning, func(row *sqlite.Stmt) { state = row.ColumnInt(0) })
	if state == runningInLog && s.file != nil && s.file.noLog {
		return errLostLog(s.file.target)
	}
	if err == nil && state != atRest {
		err = exec(s.db, "PRAGMA quick_check(1)", func(row *sqlite.Stmt) { damage = row.ColumnText(0) })
	}
	if err == nil && damage != "ok" {
		err = fmt.Errorf("is damaged (%s); restore it from a copy, or delete it and begin again", textutil.OneLine(damage))
	}
	return err
}

// createLedger makes an empty file a ledger, in one transaction and without a write-ahead log, so
// that the file is never half a ledger.
func createLedger(name, service string) error {
	db, err := sqlite.OpenConn(name, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return err
	}
	return errors.Join(fillLedger(db, service), db.Close())
}

func fillLedger(db *sqlite.Conn, service string) (err error) {
	end, err := sqlitex.ImmediateTransaction(db)
	if err != nil {
		return err
	}
	defer end(&err)
	head := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion)
	if err := sqlitex.ExecuteScript(db, head+schema+keyIndex+";"+openIndex, nil); err != nil {
		return err
	}
	return exec(db, "INSERT INTO ledger (service, created_at) VALUES (?, ?)", nil, service, time.Now().UTC().Format(time.RFC3339))
}

// realPath returns the path behind all symbolic links.
func realPath(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(target)
}
