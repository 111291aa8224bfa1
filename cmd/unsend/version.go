package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Print the version",
		Args:              wantArgs(),
		ValidArgsFunction: cobra.NoFileCompletions,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), versionText())
		},
	}
}

// versionText is the version, the commit where the build knows it, and what it was built with.
func versionText() string {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				commit = ", commit " + setting.Value[:12]
			}
		}
	}
	return fmt.Sprintf("unsend %s (%s %s/%s%s)", api.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, commit)
}
