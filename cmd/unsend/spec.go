package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/spec"
	"github.com/unsend-go/unsend/internal/specjson"
)

func newSpec() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "spec",
		Short: "Print the contract",
		Long:  "Print the contract of the endpoint, an OpenAPI 3.0.3 document, as it was built in.",
		Example: `  unsend spec > openapi.yaml
  unsend spec --json | jq .components.schemas.Queue`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			document := spec.Document
			if asJSON {
				converted, err := specjson.Convert(document)
				if err != nil {
					return failed(err)
				}
				document = converted
			}
			_, _ = cmd.OutOrStdout().Write(document)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON instead of YAML")
	return cmd
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
