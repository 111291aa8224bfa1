package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsend-go/unsend/batch"
)

var (
	errNoServer = errors.New("what answers is no PostgreSQL server")
	errEncoding = errors.New("a database that is not in UTF8")
	errPooler   = errors.New("a pooler that gives each transaction another session")
	errClaims   = errors.New("the claims are void")
)

// ledgerError is a [batch.ErrLedger]. Where the trouble may pass by itself, such as a server that
// is restarted, it is a [batch.ErrClaimLost] too, so that a run begins again.
type ledgerError struct {
	text string
	lost bool
}

func (e *ledgerError) Error() string { return e.text }

func (e *ledgerError) Is(target error) bool {
	return target == batch.ErrLedger || e.lost && target == batch.ErrClaimLost
}

func (s *store) refuse(format string, args ...any) error {
	return &ledgerError{text: fmt.Sprintf("%v %s %s", batch.ErrLedger, s.name, fmt.Sprintf(format, args...))}
}

// explain says in a person's words what PostgreSQL and the network say in theirs.
func (s *store) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, batch.ErrLedger), errors.Is(err, batch.ErrClaimLost), errors.Is(err, batch.ErrOptions):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	reason, lost := s.reason(err)
	return &ledgerError{text: fmt.Sprintf("%v %s %s", batch.ErrLedger, s.name, reason), lost: lost}
}

// reason says what is wrong, and what to do; and whether it may pass by itself.
func (s *store) reason(err error) (text string, passes bool) {
	var server *pgconn.PgError
	switch {
	case errors.Is(err, errClaims):
		return "has given the claims of this worker to others", true
	case errors.Is(err, errPooler):
		return "is reached through a pooler that gives each transaction another session, in which no claim can live; connect to PostgreSQL itself, or set the pooler's pool_mode=session", false
	case errors.Is(err, errReadOnly):
		return "is read-only: a standby, or default_transaction_read_only is on; connect to the primary", false
	case errors.Is(err, errEncoding):
		return "cannot be used: its encoding is not UTF8; name a database that is", false
	case errors.As(err, &server):
		return s.serverReason(server)
	}
	return "cannot be reached: " + networkReason(err), true
}

// serverReason explains what the server has answered, by the classes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (s *store) serverReason(e *pgconn.PgError) (text string, passes bool) {
	said := strings.Join(strings.Fields(e.Message), " ")
	switch e.Code {
	case "28P01", "28000":
		return fmt.Sprintf("does not let the user %s in: %s; mend the user, PGPASSWORD or the password file", s.config.User, said), false
	case "3D000":
		return "is not there: " + said, false
	case "42501":
		return fmt.Sprintf("gives the user %s too few rights: %s; docs/ledger-postgres.md lists those it needs", s.config.User, said), false
	case "25006":
		return s.reason(errReadOnly)
	case "53100":
		return "cannot be written: the server's disk is full; make room, then run it again", false
	case "53300", "57014", "57P01", "57P02", "57P03", "57P05", "55P03":
		return "cannot be reached: " + said, true
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "25", "40":
		return "cannot be reached: " + said, true
	case "42", "3F":
		return fmt.Sprintf("is not as this program made it: %s; name another schema, or restore it from a copy", said), false
	}
	return fmt.Sprintf("fails: %s (SQLSTATE %s)", said, e.Code), false
}

// networkReason names the one error inside of many that a person can do something about.
func networkReason(err error) string {
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("no address is known for the host %s", dns.Name)
	case errors.Is(err, syscall.ENOENT):
		return "there is no socket of a server"
	case errors.As(err, &number):
		return number.Error()
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, pgconn.ErrConnClosed):
		return "the session has ended"
	}
	return strings.Join(strings.Fields(innermost(err).Error()), " ")
}

// innermost is the error that others wrap; of several the last.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
			inner = joined.Unwrap()[len(joined.Unwrap())-1]
		}
		if inner == nil {
			return err
		}
		err = inner
	}
}
