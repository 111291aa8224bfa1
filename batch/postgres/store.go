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

// isOpen is true of a message that can be sent, unless it has ended in this round.
const isOpen = `NOT final AND NOT set_aside`

const (
	writeTimeout = time.Minute // for what a worker writes: then its session is taken for lost
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
	round    atomic.Int32 // that was begun last, from 1; 0 for none
	working  atomic.Bool  // between Begin and End

	mu       sync.Mutex // a session does one thing at a time
	session  *pgx.Conn  // all that the worker writes goes through it
	workerID int32      // 0: none
	begun    time.Time

	counts  sync.Mutex
	counted counted // the last count of the run that goes on

	reads  sync.Mutex
	reader *pgx.Conn // another session, for reads that must not wait for a sync
}

func (s *store) Name() string    { return s.name }
func (s *store) Service() string { return s.service }
func (s *store) Shared() bool    { return true }

// write runs f in a transaction of the worker's session, which is synced when write returns
// without an error. Where that fails, the session ends, and with it all claims: only so is it
// certain that nobody holds what nobody works on.
func (s *store) write(ctx context.Context, limit time.Duration, f func(context.Context, pgx.Tx) error) error {
	if s.session == nil || s.session.IsClosed() {
		return s.explain(ctx, errClaims)
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := pgx.BeginFunc(within, s.session, func(tx pgx.Tx) error { return f(within, tx) })
	if err == nil {
		return nil
	}
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
		return s.explain(ctx, errClaims)
	}
	return s.write(ctx, writeTimeout, f)
}

func (s *store) disconnect() {
	s.workerID = 0
	if s.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.session.Close(ctx)
	}
}

// reconnect makes sure that there is a session. It tries once: who calls Begin waits between
// two tries.
func (s *store) reconnect(ctx context.Context) (err error) {
	switch {
	case s.readOnly:
		return s.refuse("is open for reading only")
	case s.session != nil && !s.session.IsClosed():
		return nil
	}
	s.workerID = 0
	s.session, err = s.connect(ctx)
	return err
}

// Close ends both sessions.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
	s.reads.Lock()
	defer s.reads.Unlock()
	if s.reader != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.reader.Close(ctx)
	}
	return nil
}
