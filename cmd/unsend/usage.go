package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usage says what is wrong with a command line, and what was probably meant.
type usage struct{ call *invocation }

func (u *usage) seeHelp(cmd *cobra.Command) string { return "see " + u.call.command(cmd) + " --help" }

// knownCommand refuses what is no command.
func (u *usage) knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("no command %q; %s", args[0], didYouMean(args[0], names, u.seeHelp(cmd)))
}

// wantArgs asks for the named arguments, no more and no fewer.
func (u *usage) wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return fmt.Errorf("takes no arguments, but was given %d; %s", len(args), u.seeHelp(cmd))
		}
		return fmt.Errorf("want %s, but was given %s; %s", strings.Join(names, " and "), count(len(args), "argument"), u.seeHelp(cmd))
	}
}

// flagError says where to look, and answers the one flag that many will try.
func (u *usage) flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if !cmd.HasParent() { // a flag before a command, or behind what is none
		if i := slices.IndexFunc(u.call.args, func(arg string) bool { return !strings.HasPrefix(arg, "-") }); i >= 0 {
			word := u.call.args[i]
			if !isCommand(cmd, word) {
				return u.knownCommand(cmd, u.call.args[i:])
			}
			return fmt.Errorf("%w; flags go behind the command, %s here", err, word)
		}
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		switch name {
		case "api-key", "apikey", "apiKey", "key":
			return fmt.Errorf("no flag takes the key, which would show in process lists; set %s or use --api-key-file", envKey)
		}
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden {
				names = append(names, "--"+flag.Name)
			}
		})
		return fmt.Errorf("%w; %s", err, didYouMean("--"+name, names, u.seeHelp(cmd)))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok && !errors.Is(err, strconv.ErrRange) {
		if want := valueOf(invalid.GetFlag()); want != "" {
			return fmt.Errorf("--%s: %q is not %s; %s", invalid.GetFlag().Name, invalid.GetValue(), want, u.seeHelp(cmd))
		}
	}
	return fmt.Errorf("%w; %s", err, u.seeHelp(cmd))
}

func isCommand(cmd *cobra.Command, word string) bool {
	return slices.ContainsFunc(cmd.Commands(), func(sub *cobra.Command) bool { return sub.Name() == word })
}

// valueOf says in words what a flag takes, where pflag would name functions of strconv.
func valueOf(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number from 0 on"
	case "float64":
		return "a number"
	case "duration":
		return "a time such as 30s or 2m"
	}
	return ""
}

// didYouMean names what a mistyped word is near to, or else returns the advice given.
func didYouMean(word string, names []string, otherwise string) string {
	var near []string
	for _, name := range names {
		d := distance(strings.ToLower(word), name)
		if d <= 2 && d < len(strings.TrimLeft(name, "-")) || len(word) > 2 && strings.HasPrefix(name, strings.ToLower(word)) {
			near = append(near, name)
		}
	}
	if len(near) == 0 || len(near) > 3 {
		return otherwise
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// distance is how many letters to add, drop or replace lead from a to b.
func distance(a, b string) int {
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := []int{i + 1}
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row = append(row, min(replaced, above[j+1]+1, row[j]+1))
		}
		above = row
	}
	return above[len(b)]
}
