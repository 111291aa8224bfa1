package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE COMMAND ARGS... runs a command, and fails unless it ends with the exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// wantOneLine fails unless standard error is one line that starts with the first text, and has the
// second, if there is one.
func wantOneLine(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stderr")
	line, rest, ended := strings.Cut(text, "\n")
	switch {
	case !ended || rest != "":
		ts.Fatalf("standard error is not one line:\n%s", text)
	case !strings.HasPrefix(line, args[0]):
		ts.Fatalf("standard error is %q, want it to start with %q", line, args[0])
	case len(args) > 1 && !strings.Contains(line, args[1]):
		ts.Fatalf("standard error is %q, want %q in it", line, args[1])
	}
}

// startMock FLAGS... runs `unsend mock` on a free port until the script ends, when Ctrl-C must
// end it well. It sets $MOCK to its URL, $CONNECTIONS and $CURL to what it prints, and points the
// environment of the client at it.
func startMock(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("unsend", append([]string{"mock", "--quiet", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = os.Stderr // what a script reads is that of its commands
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		line := strings.TrimSpace(lines.Text())
		if _, url, ok := strings.Cut(line, "listens on "); ok {
			ts.Setenv("MOCK", url)
			ts.Setenv("ADDR", strings.TrimPrefix(url, "http://"))
			ts.Setenv(envBaseURL, url)
		}
		if _, connections, ok := strings.Cut(line, "connection id  "); ok {
			ts.Setenv("CONNECTIONS", connections)
		}
		if strings.HasPrefix(line, "curl ") {
			ts.Setenv("CURL", line)
		}
	}
	ts.Setenv(envKey, "sk_sandbox_demo")
	ts.Setenv(envConnection, "conn_demo")
	ts.Defer(func() {
		if runtime.GOOS == "windows" { // which has no interrupt to send
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return
		}
		ts.Check(cmd.Process.Signal(os.Interrupt))
		last := ""
		for lines.Scan() {
			last = lines.Text()
		}
		if err := cmd.Wait(); err != nil || !strings.HasPrefix(last, "stopped: ") {
			ts.Logf("the mock ended with %v, saying %q", err, last)
			ts.Check(errors.New("the mock did not stop cleanly"))
		}
	})
}
