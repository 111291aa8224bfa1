package main

import (
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// invocation is the command line of the program. It makes errors of usage, and commands to copy.
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
		c.program = "go run " + info.Path // the binary is gone when the command is pasted
	} else {
		c.program = quoted(c.program)
	}
	return c
}

func (c *invocation) seeHelp(cmd *cobra.Command) string {
	return "see " + c.program + strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()) + " --help"
}

func (c *invocation) knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	advice := c.seeHelp(cmd)
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 && len(near) <= 3 {
		advice = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("no command %q; %s", args[0], advice)
}

// longDash matches a flag with hyphens that an editor has made a dash of.
var longDash = regexp.MustCompile(`^[–—][–—-]*(.+)`)

// wantArgs requires the named arguments, no more and no fewer.
func (c *invocation) wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if found := longDash.FindStringSubmatch(arg); found != nil {
				return fmt.Errorf("%s begins with a long dash; type --%s", arg, found[1])
			}
		}
		advice := c.seeHelp(cmd)
		switch {
		case len(names) == 1 && len(args) == 1 && args[0] == "":
			return fmt.Errorf("the name of the %s is empty; %s", strings.ToLower(names[0]), advice)
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return fmt.Errorf("requires no arguments; got %d; %s", len(args), advice)
		case len(args) > 1 && len(names) == 1:
			advice = "put a name that has spaces in quotes, or " + advice
		}
		return fmt.Errorf("requires %s; got %s; %s", strings.Join(names, " and "), count(len(args), "argument"), advice)
	}
}

// flagError adds to an error of cobra's what to do, and refuses a flag that would hold the key.
func (c *invocation) flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if !cmd.HasParent() && !strings.HasPrefix(c.args[0], "-") { // cobra parses flags before it looks for the command
		return c.knownCommand(cmd, c.args)
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if slices.Contains([]string{"api-key", "apikey", "apiKey", "key"}, unknown.GetSpecifiedName()) {
			return fmt.Errorf("no flag takes the key, which would show in process lists; set %s or use --api-key-file", envKey)
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if want, ok := values[invalid.GetFlag().Value.Type()]; ok {
			return fmt.Errorf("--%s needs %s; %s", invalid.GetFlag().Name, want, c.seeHelp(cmd))
		}
		return fmt.Errorf("--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	return fmt.Errorf("%w; %s", err, c.seeHelp(cmd))
}

// values are what flags accept, by their types.
var values = map[string]string{
	"bool": "true or false", "int": "a whole number", "uint64": "a whole number from 0",
	"float64": "a number with a point, such as 0.2", "duration": "a time with its unit, such as 30s or 2m",
}

// contradict refuses a flag that is set to true beside any of the others.
func contradict(set *pflag.FlagSet, name string, others ...string) error {
	for _, other := range others {
		if set.Lookup(name).Value.String() == "true" && set.Changed(other) {
			return fmt.Errorf("--%s contradicts --%s; leave one of them out", name, other)
		}
	}
	return nil
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// quoted returns arg quoted for a shell.
func quoted(arg string) string {
	switch {
	case strings.ContainsFunc(arg, func(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }):
		// This form of quotes has only characters that are safe on a terminal.
		escaped := strconv.QuoteToASCII(arg)
		return "$'" + strings.ReplaceAll(escaped[1:len(escaped)-1], "'", `\'`) + "'"
	case plainWord.MatchString(arg):
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
