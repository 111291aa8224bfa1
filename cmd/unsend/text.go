package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/internal/textutil"
)

// number returns n with a comma between groups of three digits: "12,345".
func number(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return number(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// count returns a number of things: "1 message", "10,000 messages".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// duration returns d in words, to the minute from ten minutes on: "2 h 5 min", "3 min 20 s", "0 s".
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

// label returns an outcome in words: "already gone".
func label(outcome string) string {
	if outcome == "" {
		return "open"
	}
	return strings.ReplaceAll(outcome, "_", " ")
}

// causes are what has to change, in words.
var causes = map[api.Scope]string{
	api.ScopeMessage:    "this message",
	api.ScopeConnection: "the connection",
	api.ScopeAccount:    "the account",
	api.ScopeService:    "service or network",
	api.ScopeClient:     "this machine",
}

// reasons are what errors mean, in words.
var reasons = []struct {
	sentinel error
	text     string
}{
	{api.ErrSessionExpired, "the creator's session has expired"},
	{api.ErrNotFound, "there is no such message"},
	{api.ErrBadRequest, "the service found the request invalid"},
	{api.ErrRefused, "the service refused to unsend it"},
	{api.ErrForbidden, "a permission is missing"},
	{api.ErrUnauthorized, "the API key is not accepted"},
	{api.ErrRateLimited, "there were too many requests"},
	{api.ErrServer, "the service failed"},
	{api.ErrUnexpectedResponse, "the response was not the service's"},
}

// reasonOf returns why the messages of a group are not unsent, with status and type.
func reasonOf(g batch.Group) string {
	err := &api.Error{StatusCode: g.Status, Type: g.Type, Scope: g.Scope, Answered: g.Scope != api.ScopeService && g.Scope != api.ScopeClient}
	text := "no response came"
	switch {
	case notSent(g):
		return "not sent yet"
	case g.Outcome == "" && g.Scope == api.ScopeUnknown:
		return "it may have been unsent already, as the list says or by a request without an outcome"
	case g.Status/100 == 2 && g.Scope != api.ScopeMessage:
		return "the response does not report whether it was unsent"
	case g.Status == 0 && g.Scope == api.ScopeClient:
		text = "canceled before a response came"
	case g.Type == "SESSION_NOT_PROVIDED" && g.Scope == api.ScopeConnection:
		return fmt.Sprintf("the service does not know this connection (%d %s)", g.Status, g.Type)
	case g.Status != 0:
		text = "the service returned an error"
	}
	for _, reason := range reasons {
		if errors.Is(err, reason.sentinel) {
			text = reason.text
			break
		}
	}
	switch {
	case g.Type != "" && g.Status == 0:
		return text + " (" + g.Type + ")"
	case g.Status != 0 && g.Status/100 != 2:
		return text + " (" + strings.TrimSpace(strconv.Itoa(g.Status)+" "+g.Type) + ")"
	}
	return text
}

// errorText returns an error of a call without its prefix, and without the names of system calls.
func errorText(err error) string {
	text := strings.TrimPrefix(textutil.OneLine(err.Error()), "unsend message: ")
	text = strings.Replace(text, ": "+io.ErrUnexpectedEOF.Error(), "", 1)
	failed, ok := errors.AsType[*api.Error](err)
	if !ok || failed.StatusCode != 0 || !systemCall.MatchString(failed.Message) {
		return text
	}
	text = "no response came: " + failed.Message[strings.LastIndex(failed.Message, ": ")+1:]
	if failed.MaybeUnsent {
		text += "; it may have been unsent"
	}
	return textutil.OneLine(text)
}

// advised returns an error of a call, and what to do about it.
func advised(err error) string {
	text := errorText(err)
	if failure, ok := errors.AsType[*api.Error](err); ok && failure.Hint() != "" {
		text += "; " + failure.Hint()
	}
	return text
}

var systemCall = regexp.MustCompile(`^(dial|read|write|lookup) .*: `)

// wrap breaks a text between words into lines of fewer than columns characters, each indented as
// the text is; a longer word is broken, too.
func wrap(text string, columns int) (lines []string) {
	if utf8.RuneCountInString(text) < columns {
		return []string{text}
	}
	words := strings.TrimLeft(text, " ")
	indent := text[:len(text)-len(words)]
	most := max(columns-1-len(indent), 1)
	current := ""
	for word := range strings.FieldsSeq(words) {
		if current != "" && utf8.RuneCountInString(current+" "+word) > most {
			lines, current = append(lines, indent+current), ""
		}
		if current != "" {
			current += " "
		}
		current += word
		for utf8.RuneCountInString(current) > most {
			runes := []rune(current)
			lines, current = append(lines, indent+string(runes[:most])), string(runes[most:])
		}
	}
	return append(lines, indent+current)
}

func printCounts(w io.Writer, r *batch.Report) {
	type row struct {
		n    int
		what string
	}
	rows := []row{
		{r.Unsent, "unsent"},
		{r.AlreadyGone, "already gone"},
		{r.Failed, "failed"},
		{r.Skipped, "skipped: their connection was stopped"},
		{r.Open, "open: not sent, or without an outcome"},
		{r.SetAside, "excluded: no longer in the input"},
	}
	rows = append(rows[:1], slices.DeleteFunc(rows[1:], func(r row) bool { return r.n == 0 })...)
	width := 0
	for _, row := range rows {
		width = max(width, len(number(row.n)))
	}
	for _, row := range rows {
		line(w, "  %*s  %s", width, number(row.n), row.what)
	}
	if text := rehearsal(r.Service); text != "" {
		line(w, "  %s", text)
	}
}

func printGroups(w io.Writer, groups []batch.Group) {
	sent := slices.DeleteFunc(splitOpen(groups), notSent) // the counts have those
	if len(sent) > 0 {
		line(w, "Not unsent, why, and what to do:")
	}
	for _, g := range sent {
		printGroup(w, g)
	}
}

// splitOpen puts open messages that may have been unsent, and those that were not sent, into groups
// of their own.
func splitOpen(groups []batch.Group) (list []batch.Group) {
	for _, g := range groups {
		if g.Outcome == "" && g.Scope == api.ScopeUnknown {
			maybe := g
			maybe.Count, maybe.Hint = g.MaybeUnsent, "run the same command to resolve it"
			g.Count, g.MaybeUnsent, g.Hint = g.Count-g.MaybeUnsent, 0, "the same command continues"
			list = append(list, maybe)
		}
		list = append(list, g)
	}
	return slices.DeleteFunc(list, func(g batch.Group) bool { return g.Count == 0 })
}

func notSent(g batch.Group) bool {
	return g.Outcome == "" && g.Scope == api.ScopeUnknown && g.MaybeUnsent == 0
}

func printGroup(w io.Writer, g batch.Group) {
	line(w, "  %s %s", number(g.Count), groupText(g))
	if g.Hint != "" {
		line(w, "      %s", hintText(g))
	}
}

// hintText returns the hint of a group. What is a call for a program is a command here.
func hintText(g batch.Group) string {
	return strings.Replace(g.Hint, "make the same call again", "run the same command again", 1)
}

// groupText returns the outcome, the cause and the reason of a group.
func groupText(g batch.Group) string {
	text := label(string(g.Outcome))
	if cause := causes[g.Scope]; cause != "" {
		text += ", " + cause
	}
	if g.Final > 0 && g.Final < g.Count {
		text += fmt.Sprintf(" (%s final)", number(g.Final))
	}
	text += ": " + reasonOf(g)
	if g.MaybeUnsent > 0 && g.Scope != api.ScopeUnknown {
		text += fmt.Sprintf("; %s may have been unsent", number(g.MaybeUnsent))
	}
	return text
}
