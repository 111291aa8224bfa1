package postgres

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// working returns a store with so many messages on one connection, claimed.
func working(t *testing.T, messages int) (*store, []batch.Message) {
	t.Helper()
	s := openStore(t, pgtest.Shared(t).Address(t), "june")
	load(t, s, 1, messages)
	must(t, s.Begin(t.Context(), false))
	claim(t, s)
	list, err := s.Next(t.Context(), "conn_0", batch.Message{}, messages)
	must(t, err)
	return s, list
}

// TestWriteOrder has one transaction hold several entries of one message.
func TestWriteOrder(t *testing.T) {
	t.Parallel()
	s, list := working(t, 2)
	at := time.Date(2026, 11, 5, 17, 4, 5, 6_000_000, time.UTC)
	down := batch.Failure{Scope: api.ScopeService, Status: 503, Type: "DOWN", Text: "it’s down", Hint: "wait"}
	must(t, s.Write(t.Context(), []batch.Entry{
		{Message: list[0], Sending: true, MaybeUnsent: true},
		{Message: list[1], Sending: true, MaybeUnsent: true},
		{Message: list[0], Attempts: 1, Failure: down},
		{Message: list[0], Sending: true, MaybeUnsent: true},
		{Message: list[0], Outcome: batch.AlreadyGone, Final: true, Attempts: 1, At: at},
		{Message: list[1], MaybeUnsent: true, Attempts: 1, Failure: down, RequestID: "req_9", At: at},
	}))
	list[1].Item.MaybeUnsent = true
	want := []batch.Entry{
		{Message: list[0], Outcome: batch.AlreadyGone, Final: true, Attempts: 2, At: at},
		{Message: list[1], Attempts: 1, Failure: down, RequestID: "req_9"},
	}
	stored, err := s.Messages(t.Context(), batch.All, 0, 10)
	must(t, err)
	for i := range stored {
		stored[i].At = stored[i].At.UTC()
	}
	if !slices.Equal(stored, want) {
		t.Errorf("stored is\n%+v; want\n%+v", stored, want)
	}
}

// TestWriteAllOrNothing has one of two messages closed by another program.
func TestWriteAllOrNothing(t *testing.T) {
	t.Parallel()
	s, list := working(t, 2)
	_, err := s.reader.Exec(t.Context(), "UPDATE message SET final = true WHERE id = $1", list[1].Key)
	must(t, err)
	err = s.Write(t.Context(), append(sending(list[0]), sending(list[1])...))
	wantRefused(t, err, batch.ErrLedger, "another program has written to it")
	if errors.Is(err, batch.ErrClaimLost) {
		t.Error("a run would begin again, though that fixes nothing")
	}
	if m := first(t, s, "conn_0"); m.Item.MaybeUnsent {
		t.Error("one of the entries was written")
	}
}

// TestMessages reads a part.
func TestMessages(t *testing.T) {
	t.Parallel()
	s, list := working(t, 4)
	part, err := s.Messages(t.Context(), batch.All, list[0].Key, 2)
	must(t, err)
	if len(part) != 2 || part[0].Message != list[1] || part[1].Message != list[2] {
		t.Errorf("behind the first message are %+v; want the next two of %+v", part, list)
	}
}

// TestReadsSurviveRestart has the session for reading terminated.
func TestReadsSurviveRestart(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	s := openStore(t, server.Address(t), "june")
	load(t, s, 1, 3)
	server.Exec(t, "SELECT pg_terminate_backend($1, 5000)", s.reader.PgConn().PID())
	counts, err := s.Counts(t.Context(), false)
	must(t, err)
	if counts.Items != 3 {
		t.Errorf("counted %+v", counts)
	}
}
