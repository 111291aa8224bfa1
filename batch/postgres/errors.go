package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/textutil"
)

const isReadOnly = "is read-only: a standby, or default_transaction_read_only is on; connect to the primary"

// ledgerError matches [batch.ErrLedger]. If the cause may pass by itself, as a restart of the server
// does, it matches [batch.ErrClaimLost] too, so that a run begins again.
type ledgerError struct {
	text    string
	lost    bool
	missing bool // there is no such ledger: matches fs.ErrNotExist
	// restarts is set if the server is stopping or starting.
	restarts bool
}

func (e *ledgerError) Error() string { return e.text }

func (e *ledgerError) Is(target error) bool {
	return target == batch.ErrLedger || e.lost && target == batch.ErrClaimLost || e.missing && target == fs.ErrNotExist
}

func (s *store) refuse(format string, args ...any) *ledgerError {
	return &ledgerError{text: fmt.Sprintf("%v %s %s", batch.ErrLedger, s.name, fmt.Sprintf(format, args...))}
}

func (s *store) missing(format string, args ...any) *ledgerError {
	e := s.refuse(format, args...)
	e.missing = true
	return e
}

func (s *store) lost(format string, args ...any) *ledgerError {
	e := s.refuse(format, args...)
	e.lost = true
	return e
}

func (s *store) denied(message string) error {
	return s.refuse("denies the user %s a right: %s; docs/batch/ledger-postgres.md lists those that are required", s.config.User, message)
}

// explain describes an error of PostgreSQL or the network, by the codes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (s *store) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, batch.ErrLedger), errors.Is(err, batch.ErrOptions):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		e := s.lost("cannot be reached: %s", networkReason(err))
		e.restarts = s.reader != nil && isEnded(err)
		return e
	}
	message := textutil.OneLine(server.Message)
	switch server.Code {
	case "28P01", "28000":
		return s.refuse("rejects the user %s: %s; correct the user, PGPASSWORD or the password file", s.config.User, message)
	case "3D000":
		return s.refuse("does not exist: %s", message)
	case "42501":
		return s.denied(message)
	case "25006":
		return s.refuse(isReadOnly)
	case "53100":
		return s.refuse("cannot be written: the server's disk is full; make room, then run it again")
	case "57P01", "57P02", "57P03": // it is stopping, has crashed or is starting
		e := s.lost("cannot be reached: %s", message)
		e.restarts = true
		return e
	case "53300":
		return s.lost("cannot be reached: %s; a worker uses two sessions", message)
	case "57014", "57P05", "55P03":
		return s.lost("cannot be reached: %s", message)
	case "42704", "22023":
		return s.refuse("does not accept a parameter of the address: %s; correct or remove it", message)
	}
	switch server.Code[:min(2, len(server.Code))] {
	case "08", "25", "40":
		return s.lost("cannot be reached: %s", message)
	case "42", "3F":
		return s.refuse("is not as this program made it: %s; name another schema, or restore it from a copy", message)
	}
	return s.refuse("fails: %s (SQLSTATE %s)", message, server.Code)
}

// networkReason describes the innermost error that a person can do something about.
func networkReason(err error) string {
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("unknown host %s", dns.Name)
	case errors.Is(err, syscall.ENOENT):
		return "no server listens at that path"
	case errors.As(err, &number):
		return number.Error()
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return "it does not respond"
	case isEnded(err):
		return "the session has ended"
	}
	text := err.Error()
	if i := strings.LastIndex(text, "): "); i >= 0 { // behind the host's name and address
		text = text[i+len("): "):]
	}
	return textutil.OneLine(text)
}

func isEnded(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed)
}

// isCode reports whether the server responded with that SQLSTATE.
func isCode(err error, code string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == code
}
