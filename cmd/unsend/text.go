package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
)

// number is n with a comma between groups of three digits: "12,345".
func number(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// count is a number of things: "1 message", "10,000 messages". The noun is one that takes an s.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// duration is d in words, to the minute from ten minutes on: "2 h 5 min", "3 min 20 s", "0 s".
func duration(d time.Duration) string {
	unit := time.Second
	if d >= 10*time.Minute {
		unit = time.Minute
	}
	d = max(d, 0).Round(unit)
	h, m, s := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	var words []string
	for _, part := range []struct {
		n    int
		unit string
	}{{h / 24, "d"}, {h % 24, "h"}, {m, "min"}, {s, "s"}} {
		if part.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", part.n, part.unit))
		}
	}
	if words == nil {
		return "0 s"
	}
	return strings.Join(words, " ")
}

// label is an outcome in words: "already gone".
func label(outcome string) string {
	if outcome == "" {
		return "open"
	}
	return strings.ReplaceAll(outcome, "_", " ")
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
