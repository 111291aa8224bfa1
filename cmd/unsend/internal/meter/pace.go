package meter

import "time"

// window is how far back the rate looks.
const window = time.Minute

// pace tells how fast a run goes, from what was done when.
type pace struct {
	samples []sample // the oldest first; none older than the window but the first
}

type sample struct {
	at   time.Time
	done int
}

func (p *pace) add(at time.Time, done int) {
	p.samples = append(p.samples, sample{at, done})
	old := 0
	for old+1 < len(p.samples) && at.Sub(p.samples[old+1].at) >= window {
		old++
	}
	p.samples = append(p.samples[:0], p.samples[old:]...)
}

// perMinute is the rate over the window, 0 where nothing can be said yet.
func (p *pace) perMinute() float64 {
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	took := last.at.Sub(first.at)
	if took < time.Second {
		return 0
	}
	return float64(last.done-first.done) / took.Minutes()
}

// left is how long rest will take: at the rate of now, and no less than atLeast. It is
// negative where nobody knows.
func (p *pace) left(rest int, atLeast time.Duration) time.Duration {
	rate := p.perMinute()
	if rate <= 0 {
		if atLeast > 0 {
			return atLeast
		}
		return -1
	}
	return max(time.Duration(float64(rest)/rate*float64(time.Minute)), atLeast)
}
