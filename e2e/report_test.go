//go:build browser

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReportPage opens the page of `unsend report --html`, of a batch with failures and a long name,
// on a phone and on a desktop, by day and by night. It shows what it should, loads nothing, and keeps
// its own policy.
func TestReportPage(t *testing.T) {
	binary, dir := buildCommand(t), t.TempDir()
	list := "user_id,message_id,connection_id\n"
	for i := range 60 {
		list += fmt.Sprintf("5,%d,%s\n", i+1, []string{"conn_a", strings.Repeat("conn_of_a_long_name_", 3)}[i%2])
	}
	if err := os.WriteFile(filepath.Join(dir, "wrong.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"batch wrong.csv --mock --yes --no-rate-limit --fault-rate 0.3 --ledger wrong.db",
		"report wrong.db --html report.html",
	} {
		cmd := exec.CommandContext(t.Context(), binary, strings.Fields(args)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 { // some messages failed
			t.Fatalf("unsend %s: %v\n%s", args, err, out)
		}
	}
	url := "file://" + filepath.Join(dir, "report.html")
	for _, s := range []screen{{390, 844, "light"}, {390, 844, "dark"}, {1280, 900, "light"}, {1280, 900, "dark"}} {
		page := openBrowser(t)
		page.show(t, s, url, "main")
		wantAll(t, "page", page.text(t, "main"), "of 60 messages are gone", "the mock", "conn_a", "Failed, this message", "a minute")
		page.wantReadable(t, s, "h1", "dl", ".chart h2", "table", "ul", ".notice", "main > .quiet")
		page.wantFits(t, s)
		if errors := page.copied(&page.console); len(errors) > 0 {
			t.Errorf("%+v: the console shows errors: %q", s, errors)
		}
		if requests := page.copied(&page.asked); len(requests) != 1 || requests[0] != url {
			t.Errorf("%+v: the page requested %q, want itself alone", s, requests)
		}
	}
}
