package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/mock"
)

// mockFaults are the flags that make a mock fail.
type mockFaults struct {
	next  []string
	drawn []string
	rate  float64
	seed  uint64
	list  bool
}

func (f *mockFaults) register(set *pflag.FlagSet) {
	set.StringArrayVar(&f.next, "fault", nil, "`fault` of the next answer; repeated, of the ones after it")
	set.Float64Var(&f.rate, "fault-rate", 0, "share of answers that go wrong, 0 to 1")
	set.StringArrayVar(&f.drawn, "fault-of", nil, "`fault` to draw from at that rate (repeatable; default: all but the oversized)")
	set.Uint64Var(&f.seed, "seed", 1, "seed that decides which answers go wrong")
	set.BoolVar(&f.list, "list-faults", false, "print the kinds of fault and exit")
}

// options are those of the drawn faults, and next the scripted ones.
func (f *mockFaults) options(set *pflag.FlagSet) (opts []mock.Option, next []mock.Fault, err error) {
	if !(f.rate >= 0 && f.rate <= 1) {
		return nil, nil, errors.New("--fault-rate must be 0 to 1")
	}
	if f.rate == 0 && (set.Changed("fault-of") || set.Changed("seed")) {
		return nil, nil, errors.New("--fault-of and --seed do nothing without --fault-rate; give it, 0.1 say")
	}
	if next, err = parseFaults("--fault", f.next); err != nil {
		return nil, nil, err
	}
	drawn, err := parseFaults("--fault-of", f.drawn)
	if err != nil {
		return nil, nil, err
	}
	if f.rate > 0 {
		opts = append(opts, mock.WithFaults(f.seed, f.rate, drawn...))
	}
	return opts, next, nil
}

func parseFaults(flag string, texts []string) ([]mock.Fault, error) {
	var list []mock.Fault
	for _, text := range texts {
		fault, err := mock.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		list = append(list, fault)
	}
	return list, nil
}

// listFaults prints every kind of fault, one a line, and what it does.
func listFaults(w io.Writer) {
	for _, kind := range mock.FaultKinds() {
		_, _ = fmt.Fprintf(w, "%-34s %.80s\n", kind, kind.About())
	}
}

// completeFault offers the parts of a fault; behind a comma, those that can follow.
func completeFault(_ *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := text[:strings.LastIndex(text, ",")+1]
	var list []cobra.Completion
	add := func(part, about string) {
		list = append(list, cobra.CompletionWithDesc(before+part, about))
	}
	add("acted", "the message is unsent all the same")
	add("delay=", "time before the answer, such as 2s")
	add("retry-after=", "the header Retry-After, such as 5")
	add("retry-date=", "the same as a date, such as 5s from now")
	add("type=", "the error type, such as RULES_OUTDATED")
	add("shape=", "the error's members: earlier or sdk")
	add("location=", "the header Location of a 3xx")
	for _, kind := range mock.FaultKinds() {
		add(string(kind), fmt.Sprintf("%.80s", kind.About()))
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
