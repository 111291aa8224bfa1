package main

import (
	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/contract"
)

func newContract(call *invocation) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "contract FILE|-",
		Short: "Check an answer of the service against the contract",
		Long: `Check an answer of the service against the contract: what curl -i prints, or a
JSON body, which is taken for that of a 200. Each departure is a line: where it
is, what was found, and what the contract asks for. No text of the answer is
shown. With --json one object: status, and violations, each with side, pointer,
kind, found and want.

Exit codes:
  0  the answer honours the contract
  1  it departs from it
  2  it is no answer, or usage`,
		Example: `  curl -i ... > answer.txt
  unsend contract answer.txt

  curl -is ... | unsend contract -`,
		Args: call.wantArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runContract(cmd, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func runContract(cmd *cobra.Command, name string, asJSON bool) error {
	in, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	answer, err := contract.ReadCapture(in)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	validator, err := contract.New()
	if err != nil {
		return failed(err)
	}
	violations := validator.CheckResponse(nil, answer)
	out := cmd.OutOrStdout()
	switch {
	case asJSON:
		writeJSON(out, newViolations(answer.StatusCode, violations), "  ")
	case len(violations) == 0:
		line(out, "%s: this %d honours the contract", inputName(name), answer.StatusCode)
	default:
		line(out, "%s: this %d departs from the contract in %s", inputName(name), answer.StatusCode, count(len(violations), "place"))
		for _, v := range violations {
			line(out, "  %s", v)
		}
	}
	if len(violations) > 0 {
		return failed(nil)
	}
	return nil
}

// violationsRecord is what an answer departs in, for machines.
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
