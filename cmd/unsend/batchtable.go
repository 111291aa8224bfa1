package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

// printTable prints what became of a batch: its outcomes, and what to do about its failures.
func printTable(w io.Writer, messages int, s *batch.Summary, took time.Duration) {
	type row struct {
		n    int
		what string
	}
	rows := []row{{s.Unsent, "unsent"}}
	for _, r := range []row{
		{s.AlreadyGone, "already gone"},
		{s.Failed, "failed"},
		{s.Skipped, "skipped: their connection was stopped"},
		{s.Unsettled, "sent, without an outcome"},
		{notSent(messages, s), "not sent"},
	} {
		if r.n > 0 {
			rows = append(rows, r)
		}
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(words.Number(r.n)))
	}
	_, _ = fmt.Fprintf(w, "%s, %s:\n", words.Count(messages, "message"), words.Duration(took))
	for _, r := range rows {
		_, _ = fmt.Fprintf(w, "  %*s  %s\n", width, words.Number(r.n), r.what)
	}
	printFailures(w, s.Failures)
}

// printFailures prints them by kind, each with a hint.
func printFailures(w io.Writer, groups []batch.FailureGroup) {
	if len(groups) == 0 {
		return
	}
	groups = slices.SortedFunc(slices.Values(groups), func(a, b batch.FailureGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	number, kind := 0, 0
	for _, g := range groups {
		number = max(number, len(words.Number(g.Count)))
		kind = max(kind, len([]rune(g.Kind)))
	}
	_, _ = fmt.Fprintln(w, "Failures:")
	for _, g := range groups {
		maybe := ""
		if g.MaybeUnsent > 0 {
			maybe = fmt.Sprintf(" (%s may have been unsent)", words.Number(g.MaybeUnsent))
		}
		_, _ = fmt.Fprintf(w, "  %*s  %-*s  %s%s\n", number, words.Number(g.Count), kind, g.Kind, g.Hint, maybe)
	}
}

func notSent(messages int, s *batch.Summary) int {
	return max(messages-s.Ended()-s.Unsettled, 0)
}

// resumable is how many messages a resumed run would send.
func resumable(messages int, s *batch.Summary) int {
	n := notSent(messages, s) + s.Unsettled + s.Skipped
	for _, g := range s.Failures {
		n += g.Count - g.Final
	}
	return n
}

// resumeCommand is the command that goes on with a run, for pasting into a shell.
func resumeCommand(args []string) string {
	line := []string{"unsend"}
	at := len(args) // where flags end
	if i := slices.Index(args, "--"); i >= 0 {
		at = i
	}
	flags, rest := args[:at], args[at:]
	for _, arg := range flags {
		line = append(line, quoted(arg))
	}
	if !slices.Contains(flags, "--resume") {
		line = append(line, "--resume")
	}
	for _, arg := range rest {
		line = append(line, quoted(arg))
	}
	return strings.Join(line, " ")
}

// quoted is arg as a shell takes it.
func quoted(arg string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if arg != "" && strings.IndexFunc(arg, func(r rune) bool { return !harmless(r) }) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
