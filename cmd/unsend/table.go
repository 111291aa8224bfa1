package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// printCounts prints how many messages there are of each kind.
func printCounts(w io.Writer, r *batch.Report) {
	rows := [][]string{{number(r.Unsent), "unsent"}}
	for _, row := range []struct {
		n    int
		what string
	}{
		{r.AlreadyGone, "already gone"},
		{r.Failed, "failed"},
		{r.Skipped, "skipped: their connection was stopped"},
		{r.Open, "not sent, or without an outcome"},
		{r.SetAside, "set aside: no longer in the input"},
	} {
		if row.n > 0 {
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

// sideOf names in words from whose side an error came.
func sideOf(scope api.Scope) string {
	switch scope {
	case api.ScopeMessage:
		return "this message"
	case api.ScopeConnection:
		return "the connection"
	case api.ScopeAccount:
		return "the account"
	case api.ScopeService:
		return "service or network"
	case api.ScopeClient:
		return "this machine"
	}
	return "unknown"
}

// answerText is what the service answered, in short.
func answerText(status int, kind string) string {
	switch {
	case status != 0:
		return strings.TrimSpace(strconv.Itoa(status) + " " + kind)
	case kind != "":
		return kind
	}
	return "no answer"
}

// causeText is an error of a call without the words that all of them begin with.
func causeText(err error) string {
	return strings.TrimPrefix(oneLine(err.Error()), "unsend message: ")
}
