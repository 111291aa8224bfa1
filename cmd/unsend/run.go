package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
)

// run is the whole program but for its exit: it carries out args and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A reader that goes away must not end the program with work half done: what is written
	// then fails with EPIPE instead.
	signal.Ignore(syscall.SIGPIPE)

	out := &output{w: stdout}
	root := newRoot(args)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.Background())
	if err == nil {
		err = out.complaint()
	}
	if err == nil {
		return exitOK
	}
	if line := errorLine(cmd.CommandPath(), err); line != "" {
		_, _ = fmt.Fprintln(stderr, line)
	}
	return exitCode(err)
}

// errorLine is err as one line that names the command, or "" where all has been said.
func errorLine(command string, err error) string {
	if exit, ok := errors.AsType[*exitError](err); ok && exit.err == nil {
		return ""
	}
	text := plain(err.Error())
	if strings.HasPrefix(text, command+":") {
		return text
	}
	return command + ": " + text
}

// plain makes text safe for a line of a terminal: whatever is no visible character, such as an
// escape sequence in a server's answer, becomes a space.
func plain(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
}
