package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/batch"
)

// printReport prints the joint table of journals, and ends as a run that had ended so would.
func (o *batchOptions) printReport(cmd *cobra.Command, names []string) error {
	if err := o.onlyReport(); err != nil {
		return err
	}
	var journals []io.Reader
	for _, name := range names {
		in, err := openInput(cmd, name)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		journals = append(journals, in)
	}
	s, err := batch.Report(journals...)
	if err != nil {
		return err
	}
	if o.json {
		writeJSON(cmd.OutOrStdout(), newReportRecord(&s), "  ")
	} else {
		printTable(cmd.OutOrStdout(), s.Messages, &s, s.Elapsed)
	}
	if s.Unsent+s.AlreadyGone < s.Messages {
		return failed(nil)
	}
	return nil
}

// reportRecord is a joint table for machines.
type reportRecord struct {
	Messages    int             `json:"messages"`
	Unsent      int             `json:"unsent"`
	AlreadyGone int             `json:"already_gone"`
	Failed      int             `json:"failed"`
	Skipped     int             `json:"skipped"`
	Unsettled   int             `json:"unsettled"` // sent, without an outcome
	NotSent     int             `json:"not_sent"`
	Elapsed     float64         `json:"elapsed"` // seconds
	Failures    []failureRecord `json:"failures"`
}

type failureRecord struct {
	Kind        string `json:"kind"`
	Count       int    `json:"count"`
	Final       int    `json:"final"`
	MaybeUnsent int    `json:"maybe_unsent"`
	Hint        string `json:"hint"`
}

func newReportRecord(s *batch.Summary) reportRecord {
	r := reportRecord{
		Messages:    s.Messages,
		Unsent:      s.Unsent,
		AlreadyGone: s.AlreadyGone,
		Failed:      s.Failed,
		Skipped:     s.Skipped,
		Unsettled:   s.Unsettled,
		NotSent:     notSent(s.Messages, s),
		Elapsed:     s.Elapsed.Seconds(),
		Failures:    []failureRecord{}, // never null
	}
	for _, g := range s.Failures {
		r.Failures = append(r.Failures, failureRecord(g))
	}
	return r
}
