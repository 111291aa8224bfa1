package main

import (
	"math"
	"strings"
	"time"
)

// progressState is how far a run is.
type progressState struct {
	total    int
	unsent   int // gone already included
	failed   int
	skipped  int
	waiting  int            // to be sent again
	atLeast  time.Duration  // that the rest takes whatever the rate is
	parts    []progressPart // of the connections, where they are few
	trouble  string         // why requests fail now; empty where they do not
	stopping bool           // nothing new is begun
}

// progressPart is how far one connection is.
type progressPart struct {
	name    string
	total   int
	done    int
	failed  int
	stopped bool
}

func (s *progressState) done() int { return s.unsent + s.failed + s.skipped }

func (s *progressState) rest() int { return max(s.total-s.done(), 0) }

// showProgress shows how far the job is, on standard error.
func (j *job) showProgress() *progressBar {
	w := j.cmd.ErrOrStderr()
	terminal := terminalOf(w)
	if j.client.verbose || j.json && terminalOf(j.cmd.OutOrStdout()) != nil || !drawable(terminal) {
		return startProgress(w, nil, j.progressState)
	}
	return startProgress(w, func() (int, int) { return sizeOf(terminal) }, j.progressState)
}

// progressState is unknown until the run has begun.
func (j *job) progressState() (progressState, bool) {
	c := j.progress.Counts()
	s := progressState{
		total:    c.Items,
		unsent:   c.Unsent + c.AlreadyGone,
		failed:   c.Failed,
		skipped:  c.Skipped,
		waiting:  c.Waiting,
		atLeast:  max(j.plan.Duration(j.client.perMinute(), j.client.burst)-time.Since(j.began), 0),
		stopping: j.shutdown.begun(),
	}
	if err := j.progress.Trouble(); err != nil {
		s.trouble = causeText(err)
	}
	if len(j.plan.Connections) > maxListedConnections || isPostgres(j.place.address) { // where others work on them, too
		return s, c.Items > 0
	}
	connections := j.progress.Connections()
	for _, load := range j.plan.Connections {
		part := progressPart{name: load.ConnectionID, total: load.Messages}
		for _, now := range connections {
			if now.ID == load.ConnectionID {
				part.done, part.failed, part.stopped = now.Ended(), now.Failed, now.Stopped != nil
			}
		}
		s.parts = append(s.parts, part)
	}
	return s, c.Items > 0
}

// progressLine says how far the run is, where no bar can be drawn.
func progressLine(s *progressState, rate *throughput) string {
	text := extentText(s) + " done" + failedText(s) + detailText(s, rate) + leftText(s, rate)
	if s.trouble != "" {
		text += "; trouble: " + s.trouble
	}
	return text
}

func extentText(s *progressState) string { return number(s.done()) + " of " + number(s.total) }

func failedText(s *progressState) string {
	if s.failed == 0 {
		return ""
	}
	return ", " + number(s.failed) + " failed"
}

// detailText is what a narrow terminal can do without.
func detailText(s *progressState, rate *throughput) string {
	var b strings.Builder
	add := func(n int, what string) {
		if n > 0 {
			b.WriteString(", " + number(n) + " " + what)
		}
	}
	add(s.skipped, "skipped")
	add(s.waiting, "to try again")
	add(int(math.Round(rate.perMinute())), "a minute")
	return b.String()
}

func leftText(s *progressState, rate *throughput) string {
	switch left := rate.left(s.rest(), s.atLeast); {
	case s.rest() == 0:
	case s.stopping:
		return ", stopping"
	case left >= 0:
		return ", " + duration(left) + " left"
	}
	return ""
}

// window is how far back the throughput looks.
const window = time.Minute

// throughput tells how fast a run goes, from what was done when.
type throughput struct {
	samples []sample // the oldest first; none older than the window but the first
}

type sample struct {
	at   time.Time
	done int
}

func (t *throughput) add(at time.Time, done int) {
	t.samples = append(t.samples, sample{at, done})
	old := 0
	for old+1 < len(t.samples) && at.Sub(t.samples[old+1].at) >= window {
		old++
	}
	t.samples = append(t.samples[:0], t.samples[old:]...)
}

// perMinute is the rate over the window, 0 where nothing can be said yet.
func (t *throughput) perMinute() float64 {
	first, last := t.samples[0], t.samples[len(t.samples)-1]
	took := last.at.Sub(first.at)
	if took < time.Second {
		return 0
	}
	return float64(last.done-first.done) / took.Minutes()
}

// left is how long rest will take: at the rate of now, and no less than atLeast. It is negative
// where nobody knows.
func (t *throughput) left(rest int, atLeast time.Duration) time.Duration {
	rate := t.perMinute()
	if rate <= 0 {
		if atLeast > 0 {
			return atLeast
		}
		return -1
	}
	return max(time.Duration(float64(rest)/rate*float64(time.Minute)), atLeast)
}
