// Package sqlite keeps a ledger in a SQLite file.
//
//	ledger, err := sqlite.Open("messages.db", batch.ForService(client))
//
// The tables are public: docs/batch/ledger.md explains them.
package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/textutil"
)

// Open opens the ledger of a path, a SQLite file, and creates it where there is none, for the
// service of [batch.ForService] or [batch.ForMock], which must then be given. The file follows symbolic
// links; one with a second hard link is refused, since the lock, path and ".lock", stands
// beside its one name. One process works on a ledger at a time; any may read it.
//
// Every error is a [batch.ErrLedger] or [batch.ErrOptions]; a file that is refused is not changed.
func Open(path string, opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(func(want batch.StoreOptions) (batch.Store, error) { return openStore(path, want) }, opts...)
}

func openStore(path string, want batch.StoreOptions) (batch.Store, error) {
	s := &store{path: path}
	open := s.open
	if want.ReadOnly {
		open = s.openReadOnly
	}
	if err := open(want); err != nil {
		_ = s.Close() // the first error says more
		return nil, s.explain(err)
	}
	return s, nil
}

// InMemory returns a ledger that is forgotten when it is closed or its process ends. It is a
// private temporary file, so that a million messages take no more memory than a few.
func InMemory(opts ...batch.Option) (*batch.Ledger, error) {
	return batch.NewLedger(openInMemory, opts...)
}

func openInMemory(want batch.StoreOptions) (batch.Store, error) {
	dir, err := os.MkdirTemp("", "unsend-")
	if err != nil {
		return nil, fmt.Errorf("%w: no temporary file: %w", batch.ErrLedger, err)
	}
	s := &store{path: filepath.Join(dir, "ledger.db")}
	err = createLedger(s.path, want.Service)
	if err == nil {
		err = s.connect(s.path, want, "OFF")
	}
	_ = os.RemoveAll(dir) // what is open stays until it is closed
	if err != nil {
		_ = s.Close() // the first error says more
		return nil, s.explain(err)
	}
	return s, nil
}

// open locks the file, makes it a ledger where it is new, and opens it.
func (s *store) open(want batch.StoreOptions) error {
	info, err := os.Stat(s.path)
	if want.Service == "" && (errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0) {
		return fmt.Errorf("%w: %s is new: say with ForService or ForMock what it is for", batch.ErrOptions, s.path)
	}
	if s.file, err = lockLedgerFile(s.path); err != nil {
		return err
	}
	if s.file.seen.Size() == 0 {
		if err := createLedger(s.file.target, want.Service); err != nil {
			return err
		}
	}
	return s.connect(s.file.target, want, "FULL") // each commit is on the disk before it returns
}

// connect opens both connections. Before the file is found to be right, nothing is written.
func (s *store) connect(name string, want batch.StoreOptions, sync string) (err error) {
	if s.db, err = openConn(name, sqlite.OpenReadWrite); err != nil {
		return err
	}
	if err := s.verify(s.db, want); err != nil {
		return err
	}
	if err := s.checkDamage(); err != nil {
		return err
	}
	// What SQLite does not keep in the file.
	for _, pragma := range []string{"journal_mode = WAL", "wal_autocheckpoint = 0", "cache_size = -8192", "synchronous = " + sync} {
		if err := exec(s.db, "PRAGMA "+pragma, nil); err != nil {
			return err
		}
	}
	if s.reader, err = openConn(name, sqlite.OpenReadOnly); err != nil {
		return err
	}
	// It opens its files when it first reads; those of a private ledger are about to lose their names.
	if err := exec(s.reader, "SELECT service FROM ledger", nil); err != nil {
		return err
	}
	return s.checkpoint() // what a killed run left in the log
}

// openReadOnly opens the file beside whoever works on it.
func (s *store) openReadOnly(want batch.StoreOptions) error {
	if _, err := os.Stat(s.path); err != nil {
		return fmt.Errorf("%w %s: %w", batch.ErrLedger, s.path, errors.Unwrap(err))
	}
	name, err := filepath.Abs(s.path)
	if err != nil {
		return err
	}
	if s.reader, err = openConn(name, sqlite.OpenReadOnly); err != nil {
		return err
	}
	err = s.verify(s.reader, want)
	code := sqlite.ErrCode(err).ToPrimary()
	if _, noLog := os.Stat(name + "-wal"); noLog == nil || code != sqlite.ResultCantOpen && code != sqlite.ResultReadOnly {
		return err
	}
	// Its folder cannot be written: so nobody works on it, and nobody can.
	if err := s.reader.Close(); err != nil {
		return err
	}
	uri := url.URL{Scheme: "file", Path: name, RawQuery: "immutable=1"}
	if s.reader, err = openConn(uri.String(), sqlite.OpenReadOnly|sqlite.OpenURI); err != nil {
		return err
	}
	return s.verify(s.reader, want)
}

func openConn(name string, flags sqlite.OpenFlags) (*sqlite.Conn, error) {
	db, err := sqlite.OpenConn(name, flags)
	if err == nil {
		db.SetBusyTimeout(5 * time.Second) // for another program that reads or writes
	}
	return db, err
}

// verify refuses what is no ledger, none that this version can use, or another service's.
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
		return fmt.Errorf("was made by a newer version of this program (format %d; this one knows %d); update it", version, schemaVersion)
	}
	if err := exec(db, "SELECT service FROM ledger", func(row *sqlite.Stmt) { s.service = row.ColumnText(0) }); err != nil {
		return err
	}
	return want.Check(s)
}

// checkDamage looks a file through whose last run did not come to its end.
func (s *store) checkDamage() error {
	running, damage := false, "ok"
	err := exec(s.db, "SELECT running FROM ledger", func(row *sqlite.Stmt) { running = row.ColumnBool(0) })
	if err == nil && running {
		err = exec(s.db, "PRAGMA quick_check(1)", func(row *sqlite.Stmt) { damage = row.ColumnText(0) })
	}
	if err == nil && damage != "ok" {
		err = fmt.Errorf("is damaged (%s); restore it from a copy, or delete it and begin again", textutil.OneLine(damage))
	}
	return err
}

// createLedger makes an empty file a ledger, in one transaction. It does so before there is a
// write-ahead log, so that the file never is half a ledger.
func createLedger(name, service string) error {
	db, err := sqlite.OpenConn(name, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return err
	}
	err = exec(db, "BEGIN IMMEDIATE", nil)
	if err == nil {
		err = sqlitex.ExecuteScript(db, schema, nil)
	}
	for _, text := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", schemaVersion),
		fmt.Sprintf(keyIndex, "message"), openIndex,
	} {
		if err == nil {
			err = exec(db, text, nil)
		}
	}
	if err == nil {
		err = exec(db, "INSERT INTO ledger (service, created_at) VALUES (?, ?)", nil, service, time.Now().UTC().Format(time.RFC3339))
	}
	if err == nil {
		err = exec(db, "COMMIT", nil)
	}
	return errors.Join(err, db.Close())
}
