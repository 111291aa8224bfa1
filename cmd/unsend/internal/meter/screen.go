package meter

import (
	"fmt"
	"io"
	"strings"
)

// Sequences of a terminal.
const (
	clearBelow = "\x1b[J"
	lineUp     = "\x1b[%dA"
)

// screen is the lines that stand at the bottom of a terminal now.
type screen struct{ drawn int }

// draw puts lines in the place of those drawn before, in one write, so that nothing flickers.
func (s *screen) draw(w io.Writer, lines []string) {
	_, _ = io.WriteString(w, s.over()+strings.Join(lines, "\n")+"\n")
	s.drawn = len(lines)
}

// clear takes away what was drawn.
func (s *screen) clear(w io.Writer) {
	if s.drawn > 0 {
		_, _ = io.WriteString(w, s.over())
		s.drawn = 0
	}
}

func (s *screen) over() string {
	if s.drawn == 0 {
		return ""
	}
	return fmt.Sprintf(lineUp, s.drawn) + "\r" + clearBelow
}
