package postgres

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/internal/pgtest"
)

var must = storetest.Must

// load adds messages to the store's run.
func load(t testing.TB, s *store, connections, messages int) batch.Added {
	t.Helper()
	added, err := s.Add(t.Context(), testItems(connections, messages), batch.AddMode{Replace: true})
	must(t, err)
	return added
}

func claim(t testing.TB, s *store) (names []string, left int) {
	t.Helper()
	loads, left, err := s.Claim(t.Context())
	must(t, err)
	for _, l := range loads {
		names = append(names, l.ConnectionID)
	}
	return names, left
}

func first(t testing.TB, s *store, connection string) batch.Message {
	t.Helper()
	list, err := s.Next(t.Context(), connection, batch.Message{}, 1)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%s has no open message", connection)
	}
	return list[0]
}

func sending(m batch.Message) []batch.Entry {
	return []batch.Entry{{Message: m, Sending: true, MaybeUnsent: true}}
}

// terminate ends the worker's session, as an administrator does.
func terminate(t testing.TB, server *pgtest.Server, s *store) {
	t.Helper()
	server.Exec(t, "SELECT pg_terminate_backend($1, 5000)", s.session.PgConn().PID())
}

// TestTakeover has one worker die in each of the ways that a session ends.
func TestTakeover(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	address := server.Address(t)
	a, b := openStore(t, address, "june"), openStore(t, address, "june")
	load(t, a, 2, 4)
	must(t, a.Begin(t.Context(), false))
	must(t, b.Begin(t.Context(), false))
	mine, left := claim(t, a)
	if len(mine) != 1 || left != 1 {
		t.Fatalf("the first claims %v and leaves %d; want one each", mine, left)
	}
	theirs, left := claim(t, b)
	if len(theirs) != 1 || left != 1 || theirs[0] == mine[0] {
		t.Fatalf("the second claims %v and leaves %d; want the other", theirs, left)
	}
	m := first(t, a, mine[0])
	if err := b.Write(t.Context(), sending(m)); !errors.Is(err, batch.ErrClaimLost) {
		t.Errorf("a worker without a claim writes: %v", err)
	}
	must(t, b.Begin(t.Context(), false)) // after such an error a worker begins again
	if again, _ := claim(t, b); len(again) != 1 || again[0] != theirs[0] {
		t.Errorf("the second claims %v again; want %v", again, theirs)
	}
	must(t, a.Write(t.Context(), sending(m)))
	terminate(t, server, a)
	if taken, left := claim(t, b); len(taken) != 1 || taken[0] != mine[0] || left != 0 {
		t.Errorf("of a dead worker %v are claimed and %d left; want %v", taken, left, mine)
	}
	m = first(t, b, mine[0])
	if !m.Item.MaybeUnsent {
		t.Error("what the dead worker was sending is not ambiguous")
	}
	err := a.Write(t.Context(), []batch.Entry{{Message: m, Outcome: batch.Unsent, Final: true}})
	if !errors.Is(err, batch.ErrClaimLost) {
		t.Errorf("a worker that lost its session writes: %v", err)
	}
	must(t, b.Write(t.Context(), []batch.Entry{{Message: m, Outcome: batch.AlreadyGone, Final: true}}))
	must(t, a.Begin(t.Context(), false))
	if names, left := claim(t, a); len(names) != 0 || left != 2 {
		t.Errorf("a worker that comes back claims %v and leaves %d; want nothing, and 2", names, left)
	}
	must(t, b.End(t.Context()))
	if names, left := claim(t, a); len(names) != 2 || left != 0 {
		t.Errorf("when the other is complete %v are claimed and %d left", names, left)
	}
}

// TestEpochs sends failed messages again in the next run, but not when a session was lost.
func TestEpochs(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	address := server.Address(t)
	a := openStore(t, address, "june")
	load(t, a, 1, 2)
	must(t, a.Begin(t.Context(), false))
	claim(t, a)
	m := first(t, a, "conn_0")
	must(t, a.Write(t.Context(), []batch.Entry{{Message: m, Outcome: batch.Failed}}))
	open := func(s *store) int {
		t.Helper()
		list, err := s.Next(t.Context(), "conn_0", batch.Message{}, 9)
		must(t, err)
		return len(list)
	}
	terminate(t, server, a)
	must(t, a.Begin(t.Context(), false))
	claim(t, a)
	if n := open(a); n != 1 {
		t.Errorf("after a lost session %d messages are open; want the one that is not complete", n)
	}
	b := openStore(t, address, "june")
	must(t, b.Begin(t.Context(), true))
	if n := open(b); n != 1 {
		t.Errorf("for a worker that joins %d messages are open; want 1", n)
	}
	must(t, b.End(t.Context()))
	must(t, a.End(t.Context()))
	must(t, a.Begin(t.Context(), false))
	if n := open(a); n != 2 {
		t.Errorf("in the next run %d messages are open; want both", n)
	}
}

func TestReplaceBesideOthers(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	address := server.Address(t)
	a, b, late := openStore(t, address, "june"), openStore(t, address, "june"), openStore(t, address, "june")
	load(t, a, 2, 10)
	_, err := late.Totals(t.Context())
	must(t, err)
	must(t, a.Begin(t.Context(), false))
	if added := load(t, b, 2, 10); added.Known != 10 || added.New != 0 {
		t.Errorf("the same list added %+v", added)
	}
	for name, n := range map[string]int{"longer": 11, "shorter": 9} {
		_, err := b.Add(t.Context(), testItems(2, n), batch.AddMode{Replace: true})
		if !errors.Is(err, batch.ErrLedger) || !strings.Contains(err.Error(), "has active workers, and another list") {
			t.Errorf("a list that is %s returns %v", name, err)
		}
	}
	counts, err := b.Counts(t.Context(), true)
	must(t, err)
	if want := (batch.Counts{Items: 10}); counts != want {
		t.Errorf("after lists that were refused there are %+v; want %+v", counts, want)
	}
	if _, err := b.Add(t.Context(), testItems(2, 12), batch.AddMode{}); err != nil {
		t.Errorf("a list that excludes nothing is refused: %v", err)
	}
	must(t, a.End(t.Context()))
	if added := load(t, b, 2, 9); added.SetAside != 3 {
		t.Errorf("when no worker is active %+v is excluded; want 3", added)
	}
	if err := late.Begin(t.Context(), false); err == nil || !strings.Contains(err.Error(), "another list") {
		t.Errorf("a worker that planned with the former list begins: %v", err)
	}
	must(t, b.Begin(t.Context(), false))
}

// TestAddWhileWorking adds messages to a connection that its worker had completed.
func TestAddWhileWorking(t *testing.T) {
	t.Parallel()
	address := pgtest.Shared(t).Address(t)
	a, b := openStore(t, address, "june"), openStore(t, address, "june")
	load(t, a, 1, 1)
	must(t, a.Begin(t.Context(), false))
	claim(t, a)
	must(t, a.Write(t.Context(), []batch.Entry{{Message: first(t, a, "conn_0"), Outcome: batch.Unsent, Final: true}}))
	_, err := b.Add(t.Context(), testItems(1, 2), batch.AddMode{})
	must(t, err)
	must(t, a.Release(t.Context(), []string{"conn_0"}))
	if names, _ := claim(t, a); len(names) != 1 {
		t.Errorf("the connection with a new message is not claimed again")
	}
}

// TestManyAtOnce has ten programs make the tables, and load the same list.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.Shared(t).Address(t)
	var wg sync.WaitGroup
	var added atomic.Int64
	for range 10 {
		wg.Go(func() {
			ledger, err := Open(t.Context(), address, "june", batch.ForMock())
			if err != nil {
				t.Error(err)
				return
			}
			n, err := ledger.Replace(t.Context(), testItems(10, 1000))
			if err := errors.Join(err, ledger.Close()); err != nil {
				t.Error(err)
			}
			added.Add(int64(n.New))
		})
	}
	wg.Wait()
	if added.Load() != 1000 {
		t.Errorf("%d messages were added; want each once", added.Load())
	}
}

func TestRunsAreApart(t *testing.T) {
	t.Parallel()
	address := pgtest.Shared(t).Address(t)
	june, july := openStore(t, address, "june"), openStore(t, address, "july, “late”")
	load(t, june, 1, 3)
	load(t, july, 1, 2)
	load(t, july, 1, 1)
	for s, want := range map[*store]batch.Counts{june: {Items: 3}, july: {Items: 1, SetAside: 1}} {
		counts, err := s.Counts(t.Context(), true)
		must(t, err)
		if counts != want {
			t.Errorf("%s has %+v; want %+v", s.run, counts, want)
		}
	}
	must(t, june.Begin(t.Context(), false))
	must(t, july.Begin(t.Context(), false))
	for _, s := range []*store{june, july} {
		names, left := claim(t, s)
		if len(names) != 1 || left != 0 {
			t.Errorf("%s claims %v and leaves %d", s.run, names, left)
		}
	}
}

// TestLocks counts the locks of a worker: one, however many connections it works on.
func TestLocks(t *testing.T) {
	t.Parallel()
	s := openStore(t, pgtest.Shared(t).Address(t), "june")
	load(t, s, 500, 1000)
	must(t, s.Begin(t.Context(), false))
	if names, _ := claim(t, s); len(names) < 100 {
		t.Fatalf("only %d connections are claimed", len(names))
	}
	var n int
	must(t, s.session.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'").Scan(&n))
	if n != 1 {
		t.Errorf("the worker holds %d locks; want 1", n)
	}
}
