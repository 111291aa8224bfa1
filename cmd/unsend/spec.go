package main

import (
	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/internal/spec"
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
				converted, err := spec.JSON(document)
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
