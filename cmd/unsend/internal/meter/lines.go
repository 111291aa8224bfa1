package meter

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

// MaxParts is up to how many parts are shown one by one.
const MaxParts = 6

const barWidth = 24 // columns

// textLine says how far the run is.
func textLine(s State, p *pace) string {
	return fmt.Sprintf("%s of %s done%s", words.Number(s.done()), words.Number(s.Total), details(s, p))
}

// details are the parts of a line that are there only where they say something.
func details(s State, p *pace) string {
	var b strings.Builder
	add := func(n int, what string) {
		if n > 0 {
			b.WriteString(", " + words.Number(n) + " " + what)
		}
	}
	add(s.Failed, "failed")
	add(s.Skipped, "skipped")
	add(s.Waiting, "to try again")
	add(int(math.Round(p.perMinute())), "a minute")
	switch left := p.left(s.rest(), s.AtLeast); {
	case s.rest() == 0:
	case s.Stopping:
		b.WriteString(", stopping")
	case left >= 0:
		b.WriteString(", " + words.Duration(left) + " left")
	}
	return b.String()
}

// barLines draws a bar, and a line for each part where they are few.
func barLines(s State, p *pace, width int) []string {
	head := fmt.Sprintf("%s of %s%s", words.Number(s.done()), words.Number(s.Total), details(s, p))
	list := []string{fit(bar(s)+" "+head, width)}
	if len(s.Parts) < 2 || len(s.Parts) > MaxParts {
		return list
	}
	longest := 0
	for _, part := range s.Parts {
		longest = max(longest, utf8.RuneCountInString(part.Name))
	}
	longest = min(longest, barWidth)
	for _, part := range s.Parts {
		line := fmt.Sprintf("  %-*s  %s of %s", longest, fit(part.Name, longest+1), words.Number(part.Done), words.Number(part.Total))
		if part.Failed > 0 {
			line += ", " + words.Number(part.Failed) + " failed"
		}
		if part.Note != "" {
			line += ", " + part.Note
		}
		list = append(list, fit(line, width))
	}
	return list
}

// bar is full only when nothing is left.
func bar(s State) string {
	full := barWidth
	if s.rest() > 0 {
		full = s.done() * barWidth / s.Total
	}
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}

// fit cuts a line so that it stays on one row of the terminal: a full row may wrap.
func fit(line string, width int) string {
	if utf8.RuneCountInString(line) < width {
		return line
	}
	runes := []rune(line)
	if width < 2 {
		return ""
	}
	return string(runes[:width-2]) + "…"
}
