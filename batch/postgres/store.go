package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/batch"
)

const (
	writeTimeout = time.Minute // for what a worker writes: then its session counts as lost
	readTimeout  = 5 * time.Minute
	closeTimeout = 5 * time.Second
)

// store is a run in a database.
type store struct {
	name     string // for people
	run      string
	schema   string
	worker   string // for people
	config   *pgx.ConnConfig
	readOnly bool
	service  string
	runID    int32
	list     atomic.Int32 // the list that was loaded or planned from; 0 for none
	round    atomic.Int32 // that this worker is in, between Begin and End; 0 for none

	mu       sync.Mutex // a session does one thing at a time
	session  *pgx.Conn  // all that the worker writes goes through it
	workerID int32      // 0: none
	begun    time.Time

	reads  sync.Mutex
	reader *pgx.Conn // another session, for reads that must not wait for a sync
}

func (s *store) Name() string    { return s.name }
func (s *store) Service() string { return s.service }
func (s *store) Warning() string { return "" }
func (s *store) Shared() bool    { return true }

// write runs f in a transaction of the worker's session, which is synced when write returns
// without an error. Where the session may be lost it is ended, and with it all claims: only so
// is it certain that nobody holds what nobody works on.
func (s *store) write(ctx context.Context, limit time.Duration, f func(context.Context, pgx.Tx) error) error {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := pgx.BeginFunc(within, s.session, func(tx pgx.Tx) error { return f(within, tx) })
	err = s.explain(ctx, err)
	if errors.Is(err, batch.ErrClaimLost) {
		s.disconnect()
	}
	return err
}

// work is write for a worker that has begun.
func (s *store) work(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.workerID == 0 {
		return s.claimsLost()
	}
	return s.write(ctx, writeTimeout, f)
}

func (s *store) refuseReader() error {
	if s.readOnly {
		return s.refuse("is open for reading only")
	}
	return nil
}

func (s *store) claimsLost() error { return s.lost("has given the claims of this worker to others") }

// reconnect makes sure that there is a session. It tries once: who calls Begin waits between
// two tries.
func (s *store) reconnect(ctx context.Context) (err error) {
	if s.session != nil && !s.session.IsClosed() {
		return nil
	}
	s.workerID = 0
	session, err := s.connect(ctx)
	if err == nil {
		s.session = session
	}
	return err
}

func (s *store) disconnect() {
	s.workerID = 0
	closeSession(s.session)
}

func closeSession(db *pgx.Conn) {
	if db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = db.Close(ctx) // which ends it in any case
	}
}

// Close ends both sessions. What is in a database is never removed.
func (s *store) Close(bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.reads.Lock()
	defer s.reads.Unlock()
	closeSession(s.reader)
	return nil
}
