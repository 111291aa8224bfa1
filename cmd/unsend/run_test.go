package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// runCode runs the command in this process and returns its exit code and all that it printed.
func runCode(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(args, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// runAll returns only what it printed.
func runAll(t *testing.T, args ...string) string {
	t.Helper()
	_, out := runCode(t, args...)
	return out
}

// brokenPipe is standard output whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestBrokenPipe: whoever reads only the start of an output has what he wanted; whoever asks
// for an outcome gets it on standard error instead.
func TestBrokenPipe(t *testing.T) {
	tests := []struct {
		args   []string
		stderr string
	}{
		{[]string{"spec"}, ""},
		{[]string{"version"}, ""},
		{[]string{"message", "--mock", "5", "6"}, "unsend message: the message is unsent, but that could not be written: broken pipe\n"},
		{[]string{"message", "--mock", "--json", "5", "6"}, "unsend message: the message is unsent, but that could not be written: broken pipe\n"},
	}
	for _, tt := range tests {
		var stderr bytes.Buffer
		if code := run(tt.args, strings.NewReader(""), brokenPipe{}, &stderr); code != exitOK || stderr.String() != tt.stderr {
			t.Errorf("%v: exit code %d, standard error %q, want 0 and %q", tt.args, code, &stderr, tt.stderr)
		}
	}
}

func TestErrorLine(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("went wrong"), "unsend message: went wrong"},
		{errors.New("unsend message: 404"), "unsend message: 404"},
		{errors.New("two\nlines, \x1b[31mred\x1b[0m\t\u202eor\u200b backwards"), "unsend message: two lines, [31mred [0m or backwards"},
		{failed(nil), ""},
		{failed(errors.New("went wrong")), "unsend message: went wrong"},
	}
	for _, tt := range tests {
		if got := errorLine("unsend message", tt.err); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestPathError(t *testing.T) {
	tests := map[error]string{
		&fs.PathError{Op: "open", Path: "f", Err: fs.ErrNotExist}:   "f does not exist; check the name",
		&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}: "f may not be read; check its permissions",
		io.ErrUnexpectedEOF: "unexpected EOF",
	}
	for err, want := range tests {
		if got := pathError("f", err).Error(); got != want {
			t.Errorf("%v becomes %q, want %q", err, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	tests := map[string]string{
		"messages.csv": "messages.csv",
		"":             "''",
		"two words":    "'two words'",
		"it's":         `'it'\''s'`,
		"$HOME":        "'$HOME'",
		"a;b":          "'a;b'",
		"ü":            "'ü'",
		"--shard=0/3":  "--shard=0/3",
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
		{[]string{"batch", "my messages.csv"}, "unsend batch 'my messages.csv' --resume"},
		{[]string{"batch", "m.csv", "--resume", "--yes"}, "unsend batch m.csv --resume --yes"},
		{[]string{"batch", "--", "-m.csv"}, "unsend batch --resume -- -m.csv"},
	}
	for _, tt := range tests {
		if got := resumeCommand(tt.args); got != tt.want {
			t.Errorf("%q is resumed by %s, want %s", tt.args, got, tt.want)
		}
	}
}
