package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/storetest"
	"github.com/unsend-go/unsend/internal/pgtest"
)

// What a role has for its sessions does not matter: isolation, encoding and the syntax of strings
// are set by this package.
func TestSettingsOfTheRole(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	for i, setting := range []string{
		"", "default_transaction_isolation = 'repeatable read'", "default_transaction_isolation = 'serializable'",
		"client_encoding = 'LATIN1'", "standard_conforming_strings = off", "default_transaction_deferrable = on",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			address := server.Address(t)
			if setting != "" {
				if server.Dir == "" {
					t.Skip("UNSEND_TEST_POSTGRES is not a server on which a test may make users")
				}
				role := fmt.Sprint("setting", i)
				server.Exec(t, "DROP ROLE IF EXISTS "+role) // of an earlier -count
				server.Exec(t, "CREATE ROLE "+role+" LOGIN SUPERUSER")
				server.Exec(t, "ALTER ROLE "+role+" SET "+setting)
				address = pgtest.With(address, "user", role)
			}
			service := newService(20)
			client := storetest.NewClient(t, service, api.WithoutRateLimit())
			var wg sync.WaitGroup
			for range 3 {
				ledger, err := Open(t.Context(), address, `it's "\é`, batch.ForMock())
				must(t, err)
				t.Cleanup(func() { _ = ledger.Close() })
				_, err = ledger.Replace(t.Context(), testItems(20, 600))
				must(t, err)
				wg.Go(func() {
					var progress batch.Progress
					_, early := storetest.Collect(batch.Run(t.Context(), client, ledger, batch.Options{Progress: &progress}))
					if got := progress.Counts(); early != nil || got.Unsent != 600 || got.Items != 600 { // of all workers
						t.Errorf("a worker ends with %v, and the progress %+v; want 600 unsent", early, got)
					}
				})
			}
			wg.Wait()
			if n := service.Counts().Unsent; n != 600 {
				t.Errorf("%d messages were unsent; want 600", n)
			}
		})
	}
}

// A server that restarts while a ledger is being opened is waited for.
func TestOpeningOutlastsARestart(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	address := server.Address(t)
	s := openStore(t, address, "june")
	tx, err := s.session.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE run") // which the other waits for
	must(t, err)
	opened := make(chan error, 1)
	go func() {
		ledger, err := Open(t.Context(), address, "july", batch.ForMock())
		if err == nil {
			err = ledger.Close()
		}
		opened <- err
	}()
	var waiting int
	for start := time.Now(); waiting == 0 && time.Since(start) < 30*time.Second; {
		must(t, s.reader.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waiting))
	}
	server.Stop("INT")
	must(t, server.Start())
	if err := <-opened; err != nil {
		t.Errorf("opening during a restart is %v; want it to wait", err)
	}
}

// A ledger that is opened for reading creates nothing; a preview works on it, and stays without
// effect.
func TestPreviewCreatesNothing(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	address := server.Address(t)
	_, err := Open(t.Context(), address, "june", batch.ForMock(), batch.ReadOnly())
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, batch.ErrLedger) {
		t.Errorf("opening what there is not is %v; want fs.ErrNotExist", err)
	}
	server.Exec(t, "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '"+pgtest.Param(address, "schema")+
		"'), 'there is a schema'; END $$")
	s := openStore(t, address, "june")
	load(t, s, 2, 10)
	if _, err := Open(t.Context(), address, "july", batch.ForMock(), batch.ReadOnly()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a run that there is not is %v; want fs.ErrNotExist", err)
	}
	ledger, err := Open(t.Context(), address, "june", batch.ForMock(), batch.ReadOnly())
	must(t, err)
	defer func() { _ = ledger.Close() }()
	added, err := ledger.Replace(t.Context(), testItems(4, 20), batch.Preview())
	must(t, err)
	if got := added.Plan(false); got.Messages != 20 || added.New+added.Known != 20 {
		t.Errorf("the preview is %+v, with the plan %+v; want 20 messages", added, got)
	}
	must(t, s.Begin(t.Context(), false))
	_, err = s.session.Exec(t.Context(), "INSERT INTO worker (run_id, name) VALUES ($1, 'killed')", s.runID)
	must(t, err)
	runs, err := Runs(t.Context(), address)
	must(t, err)
	runs[0].CreatedAt = time.Time{}
	if want := (Run{Name: "june", Service: "mock", Messages: 10, Open: 10, Workers: 1}); len(runs) != 1 || runs[0] != want {
		t.Errorf("the runs are %+v; want %+v alone", runs, want)
	}
}
