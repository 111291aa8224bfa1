package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsend-go/unsend/internal/pgtest"
	"github.com/unsend-go/unsend/mock"
)

// TestLoadOutlastsARestart restarts the server while it is being loaded into.
func TestLoadOutlastsARestart(t *testing.T) {
	server := pgtest.New(t)
	address := server.Address(t)
	t.Chdir(t.TempDir())
	writeFile(t, "messages.csv", "user_id,message_id,connection_id\n5,1,c1\n5,2,c1\n")
	load := []string{"batch", "--base-url", "http://127.0.0.1:1", "--ledger", address, "--run", "june", "messages.csv"}
	t.Setenv(envKey, mock.DemoKey)
	if code, out := runCode(t, load...); code != 2 || !strings.Contains(out, "2 messages") {
		t.Fatalf("loading exits with %d: %s", code, out)
	}
	db, err := pgx.Connect(t.Context(), address[:strings.Index(address, "?")+1]+"host="+server.Dir+"&user=postgres&sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	lock := "BEGIN; LOCK TABLE " + pgtest.Param(address, "schema") + ".message"
	if _, err := db.Exec(t.Context(), lock); err != nil { // which the load waits for
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		code, out := runCode(t, append(load, "--in-flight", "3")...)
		ended <- fmt.Sprint(code, " ", out)
	}()
	var waiting int
	for start := time.Now(); waiting == 0 && time.Since(start) < 30*time.Second; {
		if err := db.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	server.Stop("INT")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if out := <-ended; !strings.HasPrefix(out, "2 ") || !strings.Contains(out, "2 messages") || strings.Contains(out, "cannot be reached") {
		t.Errorf("loading during a restart ends with %s; want it to get to the question", out)
	}
}

// TestPostgres runs a batch on a ledger in PostgreSQL, as several machines would.
func TestPostgres(t *testing.T) {
	address := pgtest.Shared(t).Address(t)
	service := mock.New()
	url, err := service.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	t.Chdir(t.TempDir())
	t.Setenv(envBaseURL, url)
	t.Setenv(envKey, mock.DemoKey)
	t.Setenv(envConnection, mock.DemoConnection)
	t.Setenv(envLedger, address)
	writeFile(t, "messages.csv", "user_id,message_id\n5,1\n5,2\n5,3\n")
	writeFile(t, "more.csv", "user_id,message_id\n5,1\n5,2\n5,3\n5,4\n")

	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{name: "load and work", args: []string{"batch", "--yes", "--run", "june", "messages.csv"}, want: []string{"3 messages", "3  unsent"}},
		{name: "without a file", args: []string{"batch", "--yes", "--run", "june"}, want: []string{"nothing is left to send"}},
		{name: "report", args: []string{"report", "--run", "june"}, want: []string{"3 messages", "3  unsent"}},
		{name: "report as a page", args: []string{"report", "--run", "june", "--html", "-"},
			want: []string{"3 of 3 messages are gone", "june on http://", `<rect class="unsent" x="0"`}},
		{name: "report of all", args: []string{"report"},
			want: []string{"--run june: 3 messages of http://localhost, 0 open, 0 workers active, since 2"}},
		{name: "a dry run", args: []string{"batch", "--dry-run", "--run", "june", "more.csv"},
			want: []string{"1 message on", "3 messages final from earlier runs"}},
		{name: "a dry run of none", args: []string{"batch", "--dry-run", "--run", "july", "more.csv"}, want: []string{"4 messages on"}},
		{name: "report of none", args: []string{"report", "--run", "juen"}, code: 2, want: []string{"it has june"}},
	} {
		code, out := runCode(t, c.args...)
		if code != c.code {
			t.Errorf("%s: exit code %d; want %d", c.name, code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: printed\n%s\nwant %q in it", c.name, out, want)
			}
		}
	}
	for n := 1; n <= 3; n++ {
		if got := service.UnsentCount("5", fmt.Sprint(n)); got != 1 {
			t.Errorf("message %d was unsent %d times", n, got)
		}
	}
}
