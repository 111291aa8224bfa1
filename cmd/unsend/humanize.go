package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// number is n with a comma between groups of three digits: "12,345".
func number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// count is a number of things: "1 message", "10,000 messages". The noun is one that takes an s.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// duration is d, rounded to its two largest units: "2 h 5 min", "49 min", "3 min 20 s", "0 s".
func duration(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Minute:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	h, m, s := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case h >= 48:
		return fmt.Sprintf("%s days %d h", number(h/24), h%24)
	case h > 0:
		return twoUnits(h, "h", m, "min")
	case m > 0:
		return twoUnits(m, "min", s, "s")
	}
	return strconv.Itoa(s) + " s"
}

func twoUnits(a int, unitA string, b int, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unitA)
	}
	return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
}
