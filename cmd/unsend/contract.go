package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/contract"
)

type contractOptions struct {
	asJSON    bool
	operation string
}

func newContract(call *invocation) *cobra.Command {
	var opts contractOptions
	cmd := &cobra.Command{
		Use:   "contract FILE|-",
		Short: "Check a response of the service against the contract",
		Long: `Check a response of the service against the contract: what curl -i prints, or a
JSON body, which is read as that of a 200. Each violation is a line: its place,
what was found, and what the contract requires. No text of the response is
shown. With --json, one object is printed: status, and violations, each with
side, pointer, kind, found and want.

Exit codes:
  0  the response conforms to the contract
  1  it violates it
  2  it is not a response, its operation is not known, or usage`,
		Example: `  curl -i ... > response.txt
  unsend contract response.txt

  curl -is ... | unsend contract -`,
		Args: call.wantArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return opts.run(cmd, args[0]) },
	}
	cmd.Flags().BoolVar(&opts.asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&opts.operation, "operation", "", "`id` of the operation (required if the contract has several)")
	return cmd
}

func (o *contractOptions) run(cmd *cobra.Command, name string) error {
	validator, err := o.validator()
	if err != nil {
		return err
	}
	in, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	response, err := contract.ReadCapture(in)
	if err != nil {
		return err
	}
	violations := validator.CheckResponse(nil, response)
	out := cmd.OutOrStdout()
	switch {
	case o.asJSON:
		writeJSON(out, newViolations(response.StatusCode, violations), "  ")
	case len(violations) == 0:
		line(out, "%s: this %d conforms to the contract", inputName(name), response.StatusCode)
	default:
		line(out, "%s: this %d violates the contract in %s", inputName(name), response.StatusCode, count(len(violations), "place"))
		for _, v := range violations {
			line(out, "  %s", v)
		}
	}
	if len(violations) > 0 {
		return failed(nil)
	}
	return nil
}

// validator checks against the operation that --operation names, or the only one there is.
func (o *contractOptions) validator() (*contract.Validator, error) {
	if o.operation != "" {
		return contract.New(contract.ForOperation(o.operation))
	}
	validator, err := contract.New()
	if err != nil {
		return nil, failed(err)
	}
	if ids := validator.Operations(); len(ids) > 1 {
		return nil, fmt.Errorf("the contract has several operations; name that of the response: --operation %s", strings.Join(ids, " or "))
	}
	return validator, nil
}

// violationsRecord is the violations of a response, for programs.
type violationsRecord struct {
	Status     int               `json:"status"`
	Violations []violationRecord `json:"violations"`
}

type violationRecord struct {
	Side    contract.Side `json:"side"`
	Pointer string        `json:"pointer"`
	Kind    string        `json:"kind"`
	Found   string        `json:"found"`
	Want    string        `json:"want"`
}

func newViolations(status int, violations []contract.Violation) violationsRecord {
	list := make([]violationRecord, len(violations)) // never null
	for i, v := range violations {
		list[i] = violationRecord(v)
	}
	return violationsRecord{status, list}
}
