// Package ratelimit keeps to a service's rate limit: a token bucket for each of its connections.
//
// It is the generic cell rate algorithm (GCRA): a bucket is held as one instant, its
// theoretical arrival time (tat), which is when it will be full again. golang.org/x/time/rate
// is not used, since it credits a cancelled wait for less than it took.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// MaxHold is the longest time for which a response can block a connection.
const MaxHold = time.Minute

// ErrStopped is returned by [Sleep] and [Limiter.Wait] when their stop channel was closed.
var ErrStopped = errors.New("stopped")

// Limiter keeps a token bucket for each connection, as the service does. A token taken before
// it is there is a reservation for the instant when it will be, so waiters are served in their
// order. A Limiter is safe for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	sweepAt int // number of buckets at which full ones are evicted
}

// Rate is what a bucket holds. Both are at least 1, but the zero Rate is without a limit.
type Rate struct {
	PerMinute int // tokens that are added in a minute
	Burst     int // tokens in a full bucket
}

// interval is the time in which one token is added.
func (r Rate) interval() time.Duration {
	return (time.Minute + time.Duration(r.PerMinute) - 1) / time.Duration(r.PerMinute)
}

// capacity is the time in which an empty bucket fills.
func (r Rate) capacity() time.Duration { return time.Duration(r.Burst) * r.interval() }

type bucket struct {
	tat          time.Time     // when the bucket is full again
	blockedUntil time.Time     // nothing is sent before
	moved        time.Duration // by how much responses have moved what was reserved
}

const minSweep = 64

// New returns a Limiter without buckets. A bucket has the rate that the last call for its
// connection names.
func New() *Limiter {
	return &Limiter{buckets: map[string]*bucket{}, sweepAt: minSweep}
}

// TooLongError is the refusal of a wait that cannot end before the context does.
type TooLongError time.Duration

// Error names the wait.
func (t TooLongError) Error() string {
	wait := time.Duration(t).Round(time.Millisecond)
	return fmt.Sprintf("the connection's rate limit requires a wait of %v, longer than the context allows", wait)
}

// Wait takes a token of the connection's bucket and returns when it is there. If that would be
// after ctx's deadline, it gives the token back and returns a [TooLongError] at once. If ctx ends
// or stop is closed first, it takes none and returns as [Sleep] does. It calls waiting, unless that
// is nil, before each sleep.
func (l *Limiter) Wait(ctx context.Context, stop <-chan struct{}, connection string, rate Rate, waiting func(time.Duration)) error {
	select {
	case <-stop:
		return ErrStopped
	default:
	}
	if ctx.Err() != nil || rate == (Rate{}) {
		return ctx.Err()
	}
	at, moved := l.reserve(connection, rate, time.Now())
	for {
		delay := time.Until(at)
		if delay <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && !at.Before(deadline) {
			l.GiveBack(connection, rate)
			return TooLongError(delay)
		}
		if waiting != nil {
			waiting(delay)
		}
		if err := Sleep(ctx, stop, delay); err != nil {
			l.GiveBack(connection, rate)
			return err
		}
		// A Retry-After that came while this call slept has moved its token; it keeps its place.
		now := l.movedBy(connection)
		at, moved = at.Add(now-moved), now
	}
}

// Delay returns how long until the connection's next token is there, without taking it.
func (l *Limiter) Delay(connection string, rate Rate) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[connection]
	if b == nil || rate == (Rate{}) {
		return 0
	}
	now := time.Now()
	at := later(b.tat, now).Add(rate.interval() - rate.capacity())
	return max(0, later(at, b.blockedUntil).Sub(now))
}

// reserve takes a token and returns when it is there.
func (l *Limiter) reserve(connection string, rate Rate, now time.Time) (at time.Time, moved time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucketLocked(connection, now)
	b.tat = b.tat.Add(rate.interval())
	return later(b.tat.Add(-rate.capacity()), b.blockedUntil), b.moved
}

// GiveBack returns a token that Wait took, and that was not used.
func (l *Limiter) GiveBack(connection string, rate Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[connection]; b != nil && rate != (Rate{}) {
		b.tat = b.tat.Add(-rate.interval())
	}
}

func (l *Limiter) movedBy(connection string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[connection]; b != nil {
		return b.moved
	}
	return 0
}

// Observe lowers the bucket to what a response reports of the service's (a negative remaining
// reports nothing), and blocks it for as long as the response requires, at most [MaxHold]: so
// another process on the same connection is noticed.
func (l *Limiter) Observe(connection string, rate Rate, remaining int, retryAfter time.Duration) {
	if rate == (Rate{}) || remaining < 0 && retryAfter <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.bucketLocked(connection, now)
	interval, capacity := rate.interval(), rate.capacity()
	if tokens := int((capacity - b.tat.Sub(now)) / interval); remaining >= 0 && tokens > remaining {
		// Whole tokens only: the part of one that has grown since is the service's too.
		b.tat = b.tat.Add(time.Duration(tokens-remaining) * interval)
	}
	if retryAfter > 0 {
		until := now.Add(min(retryAfter, MaxHold))
		// Those that wait keep their order: the first, whose token comes next, waits until then.
		if last := b.tat.Add(-capacity); last.After(now) {
			first := now.Add((last.Sub(now)-1)%interval + 1)
			if by := until.Sub(first); by > 0 {
				b.moved += by
				b.tat = b.tat.Add(by)
			}
		}
		b.blockedUntil = later(b.blockedUntil, until)
		b.tat = later(b.tat, until.Add(capacity-interval)) // one token at that time
	}
}

// bucketLocked returns the connection's bucket, filled up to now.
func (l *Limiter) bucketLocked(connection string, now time.Time) *bucket {
	b := l.buckets[connection]
	if b == nil {
		l.evictIdleLocked(now)
		b = &bucket{}
		l.buckets[connection] = b
	}
	b.tat = later(b.tat, now)
	return b
}

// evictIdleLocked drops the buckets that are full, which are as good as new. It scans
// them only if their number has doubled since the last time, so that its cost stays even.
func (l *Limiter) evictIdleLocked(now time.Time) {
	if len(l.buckets) < l.sweepAt {
		return
	}
	for connection, b := range l.buckets {
		if !b.tat.After(now) {
			delete(l.buckets, connection)
		}
	}
	l.sweepAt = max(2*len(l.buckets), minSweep)
}

// Known returns how many connections are remembered.
func (l *Limiter) Known() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buckets)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Sleep returns nil after d; the context's error when ctx ends first, and [ErrStopped] when
// stop is closed first. A nil stop is never closed.
func Sleep(ctx context.Context, stop <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-stop:
		return ErrStopped
	}
}
