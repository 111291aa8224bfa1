package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unsend-go/unsend/api"
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
