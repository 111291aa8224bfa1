package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
)

func newRoot(call *invocation) *cobra.Command {
	root := &cobra.Command{
		Use:   "unsend",
		Short: "Unsend chat messages through the OFAuth Access API",
		Long: `Unsend chat messages through the OFAuth Access API, and report the outcome of each.

Credentials come from the environment: OFAUTH_API_KEY, OFAUTH_CONNECTION_ID and,
for another server, OFAUTH_BASE_URL. With --mock no account is needed.

` + exitHelp,
		Example: `  unsend message --mock 51234567 6432457811894
  unsend batch --mock messages.csv
  unsend mock`,
		Version:       versionText(),
		Args:          call.knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(call.flagError)
	root.AddCommand(
		newMessage(call),
		newBatch(call),
		newReport(call),
		newContract(call),
		newSpec(),
		newMock(),
		newVersion(),
	)
	for _, cmd := range root.Commands() {
		if cmd.Args == nil {
			cmd.Args = call.wantArgs()
		}
	}
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version",
		ValidArgsFunction: cobra.NoFileCompletions,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), versionText())
		},
	}
}

// versionText returns the version, the commit if the build has it, and what it was built with.
func versionText() string {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = fmt.Sprintf(", commit %.12s", setting.Value)
			}
		}
	}
	return fmt.Sprintf("unsend %s (%s %s/%s%s)", api.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, commit)
}
