package batch

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// maxGroups bounds the kinds of failures that are told apart; the service's set is open.
const maxGroups = 50

// reporter gathers what journals tell.
type reporter struct {
	summary Summary
	rows    *rows
	inputs  map[[2]string]int // messages, by fingerprint and shard
	spans   []span            // of the runs
}

// span is the time from a run's first record to its last.
type span struct{ from, to time.Time }

func report(journals []io.Reader) (Summary, error) {
	r := reporter{rows: newRows(), inputs: map[[2]string]int{}}
	for i, journal := range journals {
		if _, err := readJournal(journal, true, r.add); err != nil {
			return Summary{}, fmt.Errorf("%w: journal %d: %w", ErrJournal, i+1, err)
		}
	}
	for _, messages := range r.inputs {
		r.summary.Messages += messages
	}
	r.summary.Failures = slices.DeleteFunc(r.summary.Failures, func(g FailureGroup) bool { return g.Count == 0 })
	r.summary.Elapsed = together(r.spans)
	return r.summary, nil
}

func (r *reporter) add(rec record) error {
	switch {
	case rec.Journal != "":
		r.inputs[[2]string{rec.Input, rec.Shard}] = rec.Messages
		return nil
	case rec.Event == eventRun:
		r.spans = append(r.spans, span{rec.At, rec.At})
		return nil
	}
	if last := len(r.spans) - 1; last >= 0 && rec.At.After(r.spans[last].to) {
		r.spans[last].to = rec.At
	}
	if rec.Event == eventStop {
		return nil
	}
	before, after, row, err := r.rows.remember(&rec)
	if err != nil {
		return err
	}
	r.summary.tell(before, r.rows.failure(row), -1)
	r.rows.setFailure(row, rec.failure())
	r.summary.tell(after, rec.failure(), 1)
	return nil
}

// tell counts what is known of a message; n is 1, or -1 to take it back.
func (s *Summary) tell(st state, f failure, n int) {
	switch o := st.outcome(); {
	case o != "":
		s.count(o, f, st&final != 0, st&maybe != 0, n)
	case st&maybe != 0:
		s.Unsettled += n
	}
}

// count adds n items of one kind, or takes them away.
func (s *Summary) count(o Outcome, f failure, isFinal, maybeUnsent bool, n int) {
	switch o {
	case Unsent:
		s.Unsent += n
	case AlreadyGone:
		s.AlreadyGone += n
	case Skipped:
		s.Skipped += n
	case Failed:
		s.Failed += n
		s.countFailure(f, isFinal, maybeUnsent, n)
	}
}

func (s *Summary) countFailure(f failure, isFinal, maybeUnsent bool, n int) {
	at := slices.IndexFunc(s.Failures, func(g FailureGroup) bool { return g.Kind == f.kind })
	if at < 0 && len(s.Failures) >= maxGroups && f.kind != kindOther {
		s.countFailure(failure{kind: kindOther}, isFinal, maybeUnsent, n)
		return
	}
	if at < 0 {
		at = len(s.Failures)
		s.Failures = append(s.Failures, FailureGroup{Kind: f.kind, Hint: hint(f)})
	}
	g := &s.Failures[at]
	g.Count += n
	if isFinal {
		g.Final += n
	}
	if maybeUnsent {
		g.MaybeUnsent += n
	}
	slices.SortStableFunc(s.Failures, func(a, b FailureGroup) int { return cmp.Compare(b.Count, a.Count) })
}

// together is how long any of the spans went on.
func together(spans []span) time.Duration {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var sum time.Duration
	var until time.Time
	for _, s := range spans {
		if from := later(s.from, until); s.to.After(from) {
			sum += s.to.Sub(from)
			until = s.to
		}
	}
	return sum
}
