package main

import (
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// invocation is how the program was called, to write commands that a person can copy.
type invocation struct {
	program string
	args    []string
}

func newInvocation(args []string) *invocation {
	c := &invocation{program: "unsend"}
	if len(args) > 0 {
		c.program, c.args = args[0], args[1:]
	}
	if info, ok := debug.ReadBuildInfo(); ok && strings.Contains(c.program, "go-build") {
		c.program = "go run " + info.Path // whose binary is gone by the time the command is pasted
	} else {
		c.program = quoted(c.program)
	}
	return c
}

// command is a command as a person types it: "./unsend batch".
func (c *invocation) command(cmd *cobra.Command) string {
	return c.program + strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name())
}

// goOn is the command that goes on with a run. Failed messages that were opened again stay
// open, and no password is printed.
func (c *invocation) goOn() string {
	words := []string{c.program}
	end := slices.Index(c.args, "--")
	for i, arg := range c.args {
		if strings.HasPrefix(arg, "--retry-failed") && (end < 0 || i < end) {
			continue
		}
		words = append(words, quoted(c.withoutPasswords(arg)))
	}
	return strings.Join(words, " ")
}

// withoutPasswords takes out of a text the passwords of the addresses that the arguments and
// the environment hold.
func (c *invocation) withoutPasswords(text string) string {
	for _, arg := range append([]string{os.Getenv(envLedger)}, c.args...) {
		if _, value, ok := strings.Cut(arg, "="); ok && isPostgres(value) {
			arg = value
		}
		if isPostgres(arg) {
			text = strings.ReplaceAll(text, arg, withoutPassword(arg))
		}
	}
	return text
}

// quoted is arg as a shell takes it.
func quoted(arg string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	switch {
	case strings.ContainsFunc(arg, func(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }):
		// the form of quotes in which nothing stands that a terminal could take for more than text
		escaped := strconv.QuoteToASCII(arg)
		return "$'" + strings.ReplaceAll(escaped[1:len(escaped)-1], "'", `\'`) + "'"
	case arg != "" && !strings.ContainsFunc(arg, func(r rune) bool { return !harmless(r) }):
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
