package batch

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
)

// Open opens the ledger of a path, a SQLite file, and creates it where there is none, for the
// service of [ForService] or [ForMock], which must then be given. The file follows symbolic
// links; one with a second hard link is refused, since the lock, path and ".lock", stands
// beside its one name. One process works on a ledger at a time; any may read it.
//
// Every error is an [ErrLedger] or [ErrOptions]; a file that is refused is not changed.
func Open(path string, opts ...Option) (*Ledger, error) {
	settings, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	s := &sqliteStore{path: path}
	if settings.readOnly {
		err = s.openReadOnly()
	} else {
		err = s.open(settings.service)
	}
	if err == nil {
		err = s.checkService(settings.service)
	}
	if err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return &Ledger{store: s, settings: settings, warning: s.file.warning()}, nil
}

// InMemory returns a ledger that is forgotten when it is closed or its process ends. It is a
// private temporary file, so that a million messages take no more memory than a few.
func InMemory(opts ...Option) (*Ledger, error) {
	settings, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "unsend-")
	if err != nil {
		return nil, fmt.Errorf("%w: no temporary file: %w", ErrLedger, err)
	}
	s := &sqliteStore{path: filepath.Join(dir, "ledger.db"), private: true}
	if err := s.open(settings.service); err != nil {
		return nil, errors.Join(err, s.abandon(), os.RemoveAll(dir))
	}
	_ = os.RemoveAll(dir) // where open files can be deleted; else closing does
	return &Ledger{store: s, settings: settings}, nil
}

// open opens the file for a run. What it has opened when it fails abandon gives back.
func (s *sqliteStore) open(service string) (err error) {
	if s.file, err = openLedgerFile(s.path, s.private); err != nil {
		return fmt.Errorf("%w %s %w", ErrLedger, s.path, err)
	}
	if s.file.empty && service == "" && !s.private {
		return fmt.Errorf("%w: %s is new: say with ForService or ForMock what it is for", ErrOptions, s.path)
	}
	if s.db, err = sqlite.OpenConn(s.file.real, sqlite.OpenReadWrite); err != nil {
		return s.explain(err)
	}
	s.db.SetBusyTimeout(5 * time.Second)
	if s.file.empty {
		if err := s.create(service); err != nil {
			return s.explain(err)
		}
	}
	if err := s.verify(s.db); err != nil {
		return s.explain(err)
	}
	if err := s.configure(); err != nil {
		return s.explain(err)
	}
	if s.reader, err = sqlite.OpenConn(s.file.real, sqlite.OpenReadOnly); err != nil {
		return s.explain(err)
	}
	s.reader.SetBusyTimeout(5 * time.Second)
	if err := exec(s.reader, "PRAGMA cache_size = -2048", nil); err != nil {
		return s.explain(err)
	}
	return s.explain(s.checkpoint()) // what a killed run left in the log
}

// openReadOnly opens the file beside whoever works on it.
func (s *sqliteStore) openReadOnly() (err error) {
	if _, err := os.Stat(s.path); err != nil {
		return fmt.Errorf("%w %s: %w", ErrLedger, s.path, errors.Unwrap(err))
	}
	s.file = &ledgerFile{}
	if s.file.real, err = filepath.Abs(s.path); err != nil {
		return fmt.Errorf("%w %s: %w", ErrLedger, s.path, err)
	}
	err = s.openReader(s.file.real, sqlite.OpenReadOnly)
	if err == nil {
		return nil
	}
	_, noLog := os.Stat(s.file.real + "-wal")
	if code := sqlite.ErrCode(err).ToPrimary(); noLog == nil || code != sqlite.ResultCantOpen && code != sqlite.ResultReadOnly {
		return s.explain(err)
	}
	// Its folder cannot be written: so nobody works on it, and nobody can.
	if err := s.reader.Close(); err != nil {
		return s.explain(err)
	}
	uri := url.URL{Scheme: "file", Path: s.file.real, RawQuery: "immutable=1"}
	return s.explain(s.openReader(uri.String(), sqlite.OpenReadOnly|sqlite.OpenURI))
}

func (s *sqliteStore) openReader(name string, flags sqlite.OpenFlags) (err error) {
	if s.reader, err = sqlite.OpenConn(name, flags); err != nil {
		return err
	}
	s.reader.SetBusyTimeout(5 * time.Second)
	return s.verify(s.reader)
}

// create makes an empty file a ledger. It does so before there is a write-ahead log, so that
// the file never is half a ledger.
func (s *sqliteStore) create(service string) error {
	text := fmt.Sprintf("PRAGMA synchronous = FULL; BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d; %s %s; %s", applicationID, schemaVersion, schema, keyIndex, openIndex)
	if err := script(s.db, text); err != nil {
		return err
	}
	err := exec(s.db, "INSERT INTO ledger (service, created_at) VALUES (?, ?)", nil, service, time.Now().UTC().Format(time.RFC3339))
	if err == nil {
		err = exec(s.db, "COMMIT", nil)
	}
	return err
}

// configure sets what SQLite does not keep in the file.
func (s *sqliteStore) configure() error {
	sync := "FULL" // each commit is on the disk before it returns
	if s.private {
		sync = "OFF"
	}
	return script(s.db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192; PRAGMA synchronous = "+sync)
}

// script runs statements one after the other. A PRAGMA has no effect inside a savepoint, which
// the library's own way of running several opens.
func script(db *sqlite.Conn, text string) error {
	for text != "" {
		stmt, rest, err := db.PrepareTransient(text)
		if err != nil || stmt == nil {
			return err
		}
		if err := errors.Join(step(stmt, nil), stmt.Finalize()); err != nil {
			return err
		}
		text = text[len(text)-rest:]
	}
	return nil
}

// verify refuses what is no ledger, or none that this version can use. A file whose last run
// did not come to its end is looked through for damage.
func (s *sqliteStore) verify(db *sqlite.Conn) error {
	var id, version int64
	var running bool
	err := exec(db, "PRAGMA application_id", func(row *sqlite.Stmt) { id = row.ColumnInt64(0) })
	if err == nil {
		err = exec(db, "PRAGMA user_version", func(row *sqlite.Stmt) { version = row.ColumnInt64(0) })
	}
	switch {
	case sqlite.ErrCode(err).ToPrimary() == sqlite.ResultNotADB:
		return fmt.Errorf("%w %s %w", ErrLedger, s.path, errNoLedger)
	case err != nil:
		return err
	case id != applicationID:
		return fmt.Errorf("%w %s %w", ErrLedger, s.path, errNoLedger)
	case version > schemaVersion:
		return fmt.Errorf("%w %s was made by a newer version of this program (format %d; this one knows %d); update it", ErrLedger, s.path, version, schemaVersion)
	}
	err = exec(db, "SELECT service, running FROM ledger", func(row *sqlite.Stmt) {
		s.service, running = row.ColumnText(0), row.ColumnBool(1)
	})
	if err != nil || !running || db == s.reader {
		return err
	}
	damage := ""
	err = exec(db, "PRAGMA quick_check(1)", func(row *sqlite.Stmt) { damage = row.ColumnText(0) })
	if err == nil && damage != "ok" {
		return fmt.Errorf("%w %s is damaged (%s); restore it from a copy, or delete it and begin again", ErrLedger, s.path, oneLine(damage))
	}
	return err
}

// checkService refuses a ledger of another service. Service is empty where any will do.
func (s *sqliteStore) checkService(service string) error {
	switch {
	case service == "" || s.service == service:
		return nil
	case s.service == mockService:
		return fmt.Errorf("%w %s was made with the mock: nothing in it was really unsent; delete it, or name another ledger", ErrLedger, s.path)
	case service == mockService:
		return fmt.Errorf("%w %s is of %s, not of the mock; name another ledger", ErrLedger, s.path, s.service)
	}
	return fmt.Errorf("%w %s is of %s, not of %s; set the base URL back, or name another ledger", ErrLedger, s.path, s.service, service)
}

// abandon gives back what open has opened before it failed.
func (s *sqliteStore) abandon() error {
	if s.reader != nil {
		_ = s.reader.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.file == nil {
		return nil
	}
	s.file.refused = true
	return s.file.close()
}
