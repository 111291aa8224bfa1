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
	writeTimeout = time.Minute // after which a worker's session counts as lost
	readTimeout  = 5 * time.Minute
	closeTimeout = 5 * time.Second
)

// store is a [batch.Store] over one run in a database.
type store struct {
	name     string // for people
	run      string
	schema   string
	worker   string // for people
	config   *pgx.ConnConfig
	readOnly bool
	service  string
	runID    int32
	version  atomic.Int32 // of the list that was loaded or planned from; 0: none
	epoch    atomic.Int32 // of this worker, between Begin and End; 0: none

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

// write runs f in a transaction of the worker's session, and returns once it is synced. If the
// session may be lost, write ends it, and all claims with it: a claim must not outlive its worker.
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

// work is write between Begin and End.
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

func (s *store) claimsLost() error { return s.lost("no longer holds the claims of this worker") }

// reconnect makes a session if there is none. It tries once; callers of Begin wait between tries.
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
		_ = db.Close(ctx) // which ends it, error or not
	}
}

// Close ends both sessions. It removes nothing from the database.
func (s *store) Close(bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.reads.Lock()
	defer s.reads.Unlock()
	closeSession(s.reader)
	return nil
}
