package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/mock"
)

// runCode runs the command in this process and returns its exit code and all that it printed.
func runCode(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(append([]string{"unsend"}, args...), strings.NewReader(""), &out, &out)
	return code, out.String()
}

// runAll returns only what it printed.
func runAll(t *testing.T, args ...string) string {
	t.Helper()
	_, out := runCode(t, args...)
	return out
}

// command is the program as a process of its own, for the service at url.
func command(t *testing.T, dir, url string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unsend", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), envKey+"="+mock.DemoKey, envConnection+"="+mock.DemoConnection, envBaseURL+"="+url)
	return cmd
}

// messages writes 60 of them, on two connections, and returns the directory.
func messages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("user_id,message_id,connection_id\n")
	for i := range 60 {
		fmt.Fprintf(&b, "5,%d,conn_%c\n", i+1, 'a'+i%2)
	}
	writeFile(t, filepath.Join(dir, "messages.csv"), b.String())
	return dir
}

// brokenPipe is standard output whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestBrokenPipe: output that cannot be written is exit code 1 everywhere. A reader of the
// start of it has left on purpose; an outcome is printed on standard error instead.
func TestBrokenPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "messages.csv", "user_id,message_id\n5,6\n")
	tests := []struct {
		args   []string
		stderr string
	}{
		{[]string{"spec"}, ""},
		{[]string{"batch", "--help"}, ""},
		{[]string{"batch", "--mock", "--dry-run", "messages.csv"}, ""},
		{[]string{"message", "--mock", "5", "6"}, "unsend message: the message is unsent, but that could not be written: broken pipe\n"},
	}
	for _, tt := range tests {
		var stderr bytes.Buffer
		code := run(append([]string{"unsend"}, tt.args...), strings.NewReader(""), brokenPipe{}, &stderr)
		if code != exitFailed || stderr.String() != tt.stderr {
			t.Errorf("%v: exit code %d, standard error %q, want 1 and %q", tt.args, code, &stderr, tt.stderr)
		}
	}
}

func TestQuoted(t *testing.T) {
	tests := map[string]string{
		"":               "''",
		"it's":           `'it'\''s'`,
		"$HOME":          "'$HOME'",
		"a\x1b[31m'\\\n": `$'a\x1b[31m\'\\\n'`,
		"a\u202eb":       `$'a\u202eb'`,
	}
	for arg, want := range tests {
		if got := quoted(arg); got != want {
			t.Errorf("%q becomes %s, want %s", arg, got, want)
		}
	}
}

func TestResumeCommand(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"unsend", "batch", "my messages.csv"}, "unsend batch 'my messages.csv'"},
		{[]string{"../my bin/unsend", "batch", "m.csv", "--yes"}, "'../my bin/unsend' batch m.csv --yes"},
		{[]string{"unsend", "batch", "m.csv", "--retry-failed", "--yes"}, "unsend batch m.csv --yes"},
		{[]string{"unsend", "batch", "--", "--retry-failed"}, "unsend batch -- --retry-failed"},
		{[]string{"unsend", "batch", "--run", "a", "--ledger=postgres://u:secret@h/d"}, "unsend batch --run a --ledger=postgres://u@h/d"},
		{[]string{"unsend", "batch", "--ledger", "postgres://u@h/d?password=secret"}, "unsend batch --ledger 'postgres://(hidden)'"},
		{[]string{"/tmp/go-build1/b001/exe/unsend", "batch", "m.csv"}, "go run github.com/unsend-go/unsend/cmd/unsend batch m.csv"},
	}
	for _, tt := range tests {
		j := &job{batchOptions: &batchOptions{call: newInvocation(tt.args)}}
		got := j.resumeCommand()
		if _, behind, ok := strings.Cut(got, " batch"); ok && strings.HasPrefix(got, "go run ") { // a test's binary is not of that package
			got = "go run github.com/unsend-go/unsend/cmd/unsend batch" + behind
		}
		if got != tt.want {
			t.Errorf("%q is resumed by %s, want %s", tt.args, got, tt.want)
		}
	}
}

// TestEscapeJSON: what a terminal could take for more than text is escaped, and reads the same.
func TestEscapeJSON(t *testing.T) {
	const hostile = "a\x1b[31m\u009b31m\x7f\u202e\u2066\u2028<b>é😀\U000E0041\n"
	var out bytes.Buffer
	writeJSON(&out, map[string]any{"text": hostile, "raw": json.RawMessage(`"` + "\u009b\u202e\xff" + `"`)}, "")
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%q has %U", &out, r)
		}
	}
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["text"] != hostile || got["raw"] != "\u009b\u202e\ufffd" {
		t.Errorf("%s reads as %q, %v", &out, got, err)
	}
}

func TestHumanize(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 rows", 1: "1 row", 1000: "1,000 rows"} {
		if got := count(n, "row"); got != want {
			t.Errorf("%d rows are %q, want %q", n, got, want)
		}
	}
	var groups bytes.Buffer
	printGroups(&groups, []batch.Group{
		{Outcome: batch.Failed, Scope: api.ScopeMessage, Status: 200, Count: 2},
		{Outcome: batch.Failed, Scope: api.ScopeService, Status: 200, Count: 3, MaybeUnsent: 3},
		{Count: 354, MaybeUnsent: 5},
	})
	const want = `Not unsent, why, and what to do:
  2 failed, this message: the service refused to unsend it
  3 failed, service or network: the response does not report whether it was unsent; 3 may have been unsent
  5 open: it may have been unsent already, as the list says or by a request without an outcome
      run the same command to resolve it
`
	if groups.String() != want {
		t.Errorf("groups print as\n%s\nwant\n%s", &groups, want)
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 600 * time.Millisecond: "1 s", 59600 * time.Millisecond: "1 min", 200 * time.Second: "3 min 20 s",
		10*time.Minute + 20*time.Second: "10 min", 59*time.Minute + 40*time.Second: "1 h", 125 * time.Minute: "2 h 5 min",
		47 * time.Hour: "1 d 23 h", 50 * time.Hour: "2 d 2 h",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
