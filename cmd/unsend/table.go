package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// printCounts prints how many messages there are of each kind.
func printCounts(w io.Writer, r *batch.Report) {
	var rows [][]string
	for _, row := range []struct {
		n    int
		what string
	}{
		{r.Unsent, "unsent"},
		{r.AlreadyGone, "already gone"},
		{r.Failed, "failed"},
		{r.Skipped, "skipped: their connection was stopped"},
		{r.Open, "not sent, or without an outcome"},
		{r.SetAside, "set aside: no longer in the input"},
	} {
		if row.n > 0 || len(rows) == 0 {
			rows = append(rows, []string{number(row.n), row.what})
		}
	}
	printColumns(w, rows)
}

// printGroups prints what did not end well: how many, how they ended, from whose side that came,
// what was said, and what to do.
func printGroups(w io.Writer, groups []batch.Group) {
	var rows [][]string
	for _, g := range groups {
		if g.Outcome == "" && g.Scope == api.ScopeUnknown && g.MaybeUnsent == 0 {
			continue // which were never sent
		}
		hint := g.Hint
		if g.MaybeUnsent > 0 {
			hint = strings.TrimSpace(fmt.Sprintf("%s (%s may have been unsent)", hint, number(g.MaybeUnsent)))
		}
		rows = append(rows, []string{number(g.Count), label(string(g.Outcome)), sideOf(g.Scope), answerText(g.Status, g.Type), hint})
	}
	if len(rows) == 0 {
		return
	}
	line(w, "What did not end well, from whose side, and what to do:")
	printColumns(w, rows)
}

// printColumns prints rows of columns as wide as they have to be; the first is of numbers.
func printColumns(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		fmt.Fprintf(&b, "  %*s", width[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&b, "  %-*s", width[i+1], cell)
		}
		line(w, "%s", strings.TrimRight(b.String(), " "))
	}
}
