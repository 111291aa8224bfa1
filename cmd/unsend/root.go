package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot makes the command that call will run.
func newRoot(call *invocation) *cobra.Command {
	u := &usage{call: call}
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
		Args:          u.knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(u.flagError)
	root.AddCommand(
		newMessage(u),
		newBatch(u),
		newReport(u),
		newContract(u),
		newSpec(),
		newMock(),
		newVersion(),
	)
	for _, cmd := range root.Commands() {
		if cmd.Args == nil {
			cmd.Args = u.wantArgs()
		}
	}
	refineHelp(root, u)
	refineCompletion(root, u)
	return root
}

// refineHelp makes help refuse what is no command.
func refineHelp(root *cobra.Command, u *usage) {
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"}) // which was just added
	help.Args = func(_ *cobra.Command, args []string) error {
		if found, rest, err := root.Find(args); err != nil || found == root && len(rest) > 0 {
			return u.knownCommand(root, args)
		}
		return nil
	}
}

// refineCompletion makes completion refuse what is no shell, and says of every flag what its
// values are.
func refineCompletion(root *cobra.Command, u *usage) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { completeFlag(cmd, flag) })
	}
	if len(u.call.args) > 0 && strings.HasPrefix(u.call.args[0], cobra.ShellCompRequestCmd) {
		// A shell shows the description as it stands, where help leaves out the marks
		// around a value's name.
		for _, cmd := range root.Commands() {
			cmd.Flags().VisitAll(func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") })
		}
	}
	root.InitDefaultCompletionCmd(u.call.args...)
	completion, _, err := root.Find([]string{"completion"})
	if err != nil || completion == root { // as while a shell asks for completions
		return
	}
	completion.Args = u.knownCommand
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, shell := range completion.Commands() {
		shell.Args = u.wantArgs()
	}
}

// completeFlag has files completed for a flag that takes the name of one, and else nothing,
// unless the command says more of it.
func completeFlag(cmd *cobra.Command, flag *pflag.Flag) {
	name, _ := pflag.UnquoteUsage(flag)
	_, known := cmd.GetFlagCompletionFunc(flag.Name)
	if name == "file" || known || flag.NoOptDefVal != "" {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions) // of flags that are there, registered once
}
