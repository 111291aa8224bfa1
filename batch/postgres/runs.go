package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Run describes one run of a database.
type Run struct {
	Name      string
	Service   string // as [github.com/unsend-go/unsend/batch.ServiceOf] writes it, or "mock"
	CreatedAt time.Time
	Messages  int // all but those set aside
	Open      int // of these, without an outcome
	Workers   int // active now
}

// Runs returns the runs of the database of dsn, the newest first. It creates nothing. Its errors are
// those of [Open].
func Runs(ctx context.Context, dsn string) ([]Run, error) {
	s, err := newStore(dsn, "-")
	if err != nil {
		return nil, err
	}
	s.readOnly, s.name = true, strings.TrimSuffix(s.name, " (run -)")
	defer func() { _ = s.Close(false) }()
	if s.reader, err = s.connect(ctx); err != nil {
		return nil, s.explain(ctx, err)
	}
	if err := s.checkFormat(ctx); err != nil {
		return nil, s.explain(ctx, err)
	}
	return query(ctx, s, pgx.RowToStructByPos[Run], `SELECT name, service, created_at,
			(SELECT count(*) FROM message m WHERE m.run_id = r.id AND `+isCounted+`),
			(SELECT count(*) FROM message m WHERE m.run_id = r.id AND NOT set_aside AND outcome IS NULL),
			(SELECT count(*) FROM active_workers w WHERE w.run = r.name)
		FROM run r ORDER BY id DESC`)
}
