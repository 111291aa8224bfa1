package mock

import (
	"testing"
	"time"
)

// However the rate divides a minute, none holds more than its rate, and nearly none less.
func TestNoMinuteHoldsMoreThanItsRate(t *testing.T) {
	for _, rate := range []int{1, 7, 13, 60, 61, 1000, 999_983} {
		var s Server
		WithRateLimit(rate, 1)(&s)
		var b bucket
		start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		taken := 0
		for now := start; now.Before(start.Add(time.Minute)); {
			wait := b.take(now, s.access.interval, s.access.burst)
			if wait == 0 {
				taken++
			}
			now = now.Add(wait) // a caller that waits no longer than it has to
		}
		if taken > rate || taken < rate-rate/1000-1 {
			t.Errorf("%d requests in a minute, want %d", taken, rate)
		}
	}
}

func TestAbsurdRatesAreBounded(t *testing.T) {
	for _, row := range [][2]int{{-1 << 62, -1 << 62}, {1 << 62, 1 << 62}, {1, 1 << 62}, {0, 0}} {
		var s Server
		WithRateLimit(row[0], row[1])(&s)
		var b bucket
		now := time.Now()
		if b.take(now, s.access.interval, s.access.burst) != 0 {
			t.Errorf("%v: a full bucket has no token", row)
		}
		if left := b.level(now, s.access.interval, s.access.burst); left.remaining != left.limit-1 || left.limit < 1 || left.reset <= 0 {
			t.Errorf("%v: %+v", row, left)
		}
	}
}
