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

// MaxHold is the longest time for which an answer can hold a connection.
const MaxHold = time.Minute

// ErrStopped is returned by [Sleep] and [Limiter.Wait] when their stop channel was closed.
var ErrStopped = errors.New("stopped")

// Limiter keeps a token bucket for each connection, as the service does. A token taken before
// it is there is a reservation for the instant when it will be, so waiters are served in their
// order. A Limiter is safe for concurrent use.
type Limiter struct {
	interval time.Duration // in which one token is added
	capacity time.Duration // in which an empty bucket fills: interval times burst

	mu      sync.Mutex
	buckets map[string]*bucket
	sweepAt int // number of buckets at which full ones are evicted
}

type bucket struct {
	tat          time.Time // when the bucket is full again
	blockedUntil time.Time // nothing is sent before
}

const minSweep = 64

// New returns a Limiter that adds perMinute tokens a minute to each bucket, up to burst. Both
// are at least 1.
func New(perMinute, burst int) *Limiter {
	interval := (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute)
	return &Limiter{
		interval: interval,
		capacity: time.Duration(burst) * interval,
		buckets:  map[string]*bucket{},
		sweepAt:  minSweep,
	}
}

// TooLongError is the refusal of a wait that cannot end before the context does.
type TooLongError time.Duration

// Error says how long the wait would have been.
func (t TooLongError) Error() string {
	return fmt.Sprintf("the connection's rate limit asks to wait %v, longer than the context allows", time.Duration(t).Round(time.Millisecond))
}

// Wait takes a token of the connection's bucket and returns when it is there. Where that would
// be after ctx's deadline, it gives the token back and returns a [TooLongError] at once. Where
// ctx ends or stop is closed first, it gives the token back and returns as [Sleep] does.
func (l *Limiter) Wait(ctx context.Context, stop <-chan struct{}, connection string) error {
	for {
		now := time.Now()
		at := l.reserve(connection, now)
		delay := at.Sub(now)
		if delay <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && !at.Before(deadline) {
			l.giveBack(connection)
			return TooLongError(delay)
		}
		if err := Sleep(ctx, stop, delay); err != nil {
			l.giveBack(connection)
			return err
		}
		if !l.blocked(connection) {
			return nil
		}
		// A Retry-After came while this call slept: its request waits for that too.
	}
}

// Delay returns how long until the connection's next token is there, without taking it.
func (l *Limiter) Delay(connection string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[connection]
	if b == nil {
		return 0
	}
	now := time.Now()
	at := later(b.tat, now).Add(l.interval - l.capacity)
	return max(0, later(at, b.blockedUntil).Sub(now))
}

// reserve takes a token and returns when it is there.
func (l *Limiter) reserve(connection string, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucketLocked(connection, now)
	b.tat = b.tat.Add(l.interval)
	return later(b.tat.Add(-l.capacity), b.blockedUntil)
}

func (l *Limiter) giveBack(connection string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[connection]; b != nil {
		b.tat = b.tat.Add(-l.interval)
	}
}

func (l *Limiter) blocked(connection string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[connection]
	return b != nil && b.blockedUntil.After(time.Now())
}

// Observe drains the bucket to what an answer says is left of the service's, where that is
// lower (negative says nothing), and blocks it for as long as the answer asks to wait, at most
// [MaxHold]: so another process on the same connection is noticed.
func (l *Limiter) Observe(connection string, remaining int, retryAfter time.Duration) {
	if remaining < 0 && retryAfter <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.bucketLocked(connection, now)
	if tokens := int((l.capacity - b.tat.Sub(now)) / l.interval); remaining >= 0 && tokens > remaining {
		// Whole tokens only: the part of one that has grown since is the service's too.
		b.tat = b.tat.Add(time.Duration(tokens-remaining) * l.interval)
	}
	if retryAfter > 0 {
		until := now.Add(min(retryAfter, MaxHold))
		b.blockedUntil = later(b.blockedUntil, until)
		b.tat = later(b.tat, until.Add(l.capacity-l.interval)) // one token at that time
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

// evictIdleLocked drops the buckets that are full, which are as good as new. It looks at them
// only when their number has doubled since the last time, so that its cost stays even.
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
