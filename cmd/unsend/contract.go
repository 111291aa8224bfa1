package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/contract"
)

type contractOptions struct {
	json bool
}

func newContract(u *usage) *cobra.Command {
	var opts contractOptions
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
		Args: u.wantArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return opts.run(cmd, args[0]) },
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "print one JSON object")
	return cmd
}

func (o *contractOptions) run(cmd *cobra.Command, name string) error {
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
	if o.json {
		printViolationsJSON(cmd.OutOrStdout(), answer.StatusCode, violations)
	} else {
		printViolations(cmd.OutOrStdout(), inputName(name), answer.StatusCode, violations)
	}
	if len(violations) > 0 {
		return failed(nil)
	}
	return nil
}

func printViolations(w io.Writer, name string, status int, violations []contract.Violation) {
	if len(violations) == 0 {
		line(w, "%s: this %d honours the contract", name, status)
		return
	}
	line(w, "%s: this %d departs from the contract in %s", name, status, count(len(violations), "place"))
	for _, v := range violations {
		line(w, "  %s", v)
	}
}

func printViolationsJSON(w io.Writer, status int, violations []contract.Violation) {
	type departure struct {
		Side    contract.Side `json:"side"`
		Pointer string        `json:"pointer"`
		Kind    string        `json:"kind"`
		Found   string        `json:"found"`
		Want    string        `json:"want"`
	}
	list := make([]departure, len(violations)) // never null
	for i, v := range violations {
		list[i] = departure(v)
	}
	writeJSON(w, struct {
		Status     int         `json:"status"`
		Violations []departure `json:"violations"`
	}{status, list}, "  ")
}
