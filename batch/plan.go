package batch

import "time"

// Plan is what a run will take.
type Plan struct {
	Messages    int           // to be sent
	Connections int           // that they are on
	Ended       int           // messages that earlier runs ended
	Duration    time.Duration // at the rate limit's pace; 0 without a rate limit
}

// NewPlan says what is left of the input after what the journal knows, and how long it takes
// at perMinute requests a minute on each connection after a burst, which is the time of the
// connection with the most. Journal may be nil; perMinute 0 is no rate limit.
func NewPlan(input Input, journal *Journal, perMinute, burst int) Plan {
	var p Plan
	ended := journal.endedByConnection()
	for _, c := range input.Connections {
		left := max(c.Messages-ended[c.ID], 0)
		p.Ended += c.Messages - left
		if left == 0 {
			continue
		}
		p.Messages += left
		p.Connections++
		if perMinute > 0 {
			interval := (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute)
			p.Duration = max(p.Duration, time.Duration(max(left-burst, 0))*interval)
		}
	}
	return p
}
