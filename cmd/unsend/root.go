package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

// newRoot makes the command. The arguments are those it will be run with.
func newRoot(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "unsend",
		Short: "Take back chat messages through the OFAuth Access API",
		Long: `Take back (unsend) chat messages through the OFAuth Access API, and know for
certain what became of each.

Credentials come from the environment: OFAUTH_API_KEY, OFAUTH_CONNECTION_ID and,
for another server, OFAUTH_BASE_URL. With --mock no account is needed.

` + exitHelp,
		Example: `  unsend message --mock 51234567 6432457811894
  unsend batch --mock messages.csv
  unsend mock`,
		Version:       versionText(),
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newMessage(),
		newBatch(args),
		newContract(),
		newSpec(),
		newMock(),
		newVersion(),
	)
	refineHelp(root)
	refineCompletion(root, args)
	return root
}

// refineHelp makes help refuse what is no command.
func refineHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"}) // which was just added
	help.Args = func(_ *cobra.Command, args []string) error {
		if found, rest, err := root.Find(args); err != nil || found == root && len(rest) > 0 {
			return knownCommand(root, args)
		}
		return nil
	}
}

// refineCompletion makes completion refuse what is no shell, and takes the marks of help out of
// the descriptions that a shell shows.
func refineCompletion(root *cobra.Command, args []string) {
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		for _, cmd := range root.Commands() {
			cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
		}
	}
	root.InitDefaultCompletionCmd(args...)
	completion, _, err := root.Find([]string{"completion"})
	if err != nil || completion == root { // as while a shell asks for completions
		return
	}
	completion.Args = knownCommand
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, shell := range completion.Commands() {
		shell.Args = wantArgs()
	}
}

// knownCommand refuses what is no command, naming the one that was probably meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("no command %q; %s", args[0], hint)
}

// wantArgs asks for the named arguments, no more and no fewer.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return fmt.Errorf("takes no arguments, but was given %d; see %s --help", len(args), cmd.CommandPath())
		}
		return fmt.Errorf("want %s, but was given %s; see %s --help", strings.Join(names, " and "), words.Count(len(args), "argument"), cmd.CommandPath())
	}
}
