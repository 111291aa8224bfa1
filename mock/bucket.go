package mock

import "time"

// bucket is a token bucket, told by one time: when it is full again. The zero bucket is full.
type bucket struct{ full time.Time }

// take takes one token, or says how long until there is one.
func (b *bucket) take(now time.Time, interval time.Duration, burst int) (wait time.Duration) {
	missing := b.missing(now, interval, burst) + interval
	if wait := missing - time.Duration(burst)*interval; wait > 0 {
		return wait
	}
	b.full = now.Add(missing)
	return 0
}

// missing is how long until the bucket is full. It is never more than an empty bucket takes,
// even where the clock was set back.
func (b *bucket) missing(now time.Time, interval time.Duration, burst int) time.Duration {
	if most := now.Add(time.Duration(burst) * interval); b.full.After(most) {
		b.full = most
	}
	return max(0, b.full.Sub(now))
}

// level is what the X-RateLimit headers say. The zero level says nothing.
type level struct {
	limit, remaining int
	reset            time.Duration // until the bucket is full
}

func (b *bucket) level(now time.Time, interval time.Duration, burst int) level {
	missing := b.missing(now, interval, burst)
	// A token that is partly there is not there.
	taken := int((missing + interval - 1) / interval)
	return level{limit: burst, remaining: burst - taken, reset: missing}
}

// seconds rounds up, so that waiting that long is enough.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
