package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/contract"
)

type contractOptions struct {
	asJSON    bool
	drift     bool
	operation string
}

func newContract(call *invocation) *cobra.Command {
	var opts contractOptions
	cmd := &cobra.Command{
		Use:   "contract FILE|- | contract --drift FILE...",
		Short: "Check a response of the service against the contract",
		Long: `Check a response of the service against the contract: what curl -i prints, or a
JSON body, which is read as that of a 200. Each violation is a line: its place,
what was found, and what the contract requires. No text of the response is
shown. With --json, one object is printed: status, and violations, each with
side, pointer, kind, found and want.

With --drift, print what the responses have and openapi.yaml does not: members
that it does not name, kinds of values that it does not admit, statuses that
only its default response covers, and types of errors that no example or
description names. Below each finding is the YAML to add at the place that the
finding names, or a comment with the reason why there is none. Names that do not
look like identifiers are shown as *, and no value but the type of an error.

Exit codes:
  0  the response conforms to the contract; with --drift, no differences
  1  it violates it; with --drift, differences
  2  it is not a response, its operation is not known, or usage; with --drift,
     a response could not be read, and the others have no differences`,
		Example: `  curl -i ... > response.txt
  unsend contract response.txt

  curl -is ... | unsend contract -

  unsend contract --drift captures/*.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if opts.drift && len(args) > 0 {
				return contradict(cmd.Flags(), "drift", "json")
			}
			return call.wantArgs("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.drift {
				return opts.runDrift(cmd, args)
			}
			return opts.run(cmd, args[0])
		},
	}
	cmd.Flags().BoolVar(&opts.asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&opts.drift, "drift", false, "print what the responses have and the contract does not")
	cmd.Flags().StringVar(&opts.operation, "operation", "", "`id` of the operation (required if the contract has several)")
	return cmd
}

func (o *contractOptions) run(cmd *cobra.Command, name string) error {
	validator, err := o.validator()
	if err != nil {
		return err
	}
	var violations []contract.Violation
	var status int
	err = o.read(cmd, name, func(response *http.Response) error {
		status, violations = response.StatusCode, validator.CheckResponse(nil, response)
		return nil
	})
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case o.asJSON:
		writeJSON(out, struct {
			Status     int                  `json:"status"`
			Violations []contract.Violation `json:"violations"`
		}{status, append([]contract.Violation{}, violations...)}, "  ") // never null
	case len(violations) == 0:
		line(out, "%s: this %d conforms to the contract", inputName(name), status)
	default:
		line(out, "%s: this %d violates the contract in %s", inputName(name), status, count(len(violations), "place"))
		for _, v := range violations {
			line(out, "  %s", v)
		}
	}
	if len(violations) > 0 {
		return failed(nil)
	}
	return nil
}

// runDrift compares every response that can be read, so that one bad capture does not hide the
// findings of the others.
func (o *contractOptions) runDrift(cmd *cobra.Command, names []string) error {
	if _, err := o.validator(); err != nil {
		return err
	}
	drift := contract.NewDrift(o.options()...)
	var unread error
	for _, name := range names {
		err := o.read(cmd, name, func(response *http.Response) error { return drift.Add(nil, response) })
		if err == nil {
			continue
		}
		unread = err
		if len(names) > 1 {
			line(cmd.ErrOrStderr(), "%s", errorLine(cmd.CommandPath(), err))
			unread = &exitError{code: exitUsage}
		}
	}
	findings := drift.Findings()
	for _, finding := range findings {
		_, _ = fmt.Fprintln(cmd.OutOrStdout(), finding)
	}
	if len(findings) > 0 {
		return failed(nil)
	}
	return unread
}

func (*contractOptions) read(cmd *cobra.Command, name string, use func(*http.Response) error) error {
	in, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	response, err := contract.ReadCapture(in)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		err = use(response)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", inputName(name), err)
	}
	return nil
}

func (o *contractOptions) options() []contract.Option {
	if o.operation == "" {
		return nil
	}
	return []contract.Option{contract.ForOperation(o.operation)}
}

// validator checks against the operation that --operation names, or the only one there is.
func (o *contractOptions) validator() (*contract.Validator, error) {
	validator, err := contract.New(o.options()...)
	if err != nil {
		return nil, err
	}
	if ids := validator.Operations(); len(ids) > 1 && o.operation == "" {
		return nil, fmt.Errorf("the contract has several operations; name that of the response: --operation %s", strings.Join(ids, " or "))
	}
	return validator, nil
}
