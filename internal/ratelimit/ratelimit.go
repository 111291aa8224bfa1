// Package ratelimit keeps to a service's rate limit: a token bucket for each of its connections.
//
// It implements the generic cell rate algorithm (GCRA): a bucket is one instant, its theoretical
// arrival time (tat), at which it will be full again.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// MaxHold is the longest time for which a response can block a connection.
const MaxHold = time.Minute

// ErrStopped is returned by [Sleep] and [Limiter.Wait] when their stop channel was closed.
var ErrStopped = errors.New("stopped")

// Limiter keeps a token bucket for each connection, as the service does. Requests that wait for a
// token stand in line: the first sleeps until there is one, and then wakes the next. A Limiter is safe
// for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	sweepAt int // number of buckets at which full ones are evicted
}

// Rate describes a bucket. Both fields are at least 1; the zero Rate is without a limit.
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

// bucket is guarded by its Limiter's mutex.
type bucket struct {
	tat          time.Time        // when the bucket is full again
	blockedUntil time.Time        // nothing is sent before
	line         []chan time.Time // of those that wait; the first is closed
}

// delay returns how long until there is a token for a request with so many ahead of it in line.
func (b *bucket) delay(rate Rate, ahead int, now time.Time) time.Duration {
	at := later(b.tat, now).Add(time.Duration(1+ahead)*rate.interval() - rate.capacity())
	return max(0, later(at, b.blockedUntil).Sub(now))
}

const minSweep = 64

// New returns a Limiter without buckets. A bucket has the rate of the last call for its connection.
func New() *Limiter {
	return &Limiter{buckets: map[string]*bucket{}, sweepAt: minSweep}
}

// TooLongError is returned for a wait that would outlast the context.
type TooLongError time.Duration

// Error names the wait.
func (t TooLongError) Error() string {
	wait := time.Duration(t).Round(time.Millisecond)
	return fmt.Sprintf("the connection's rate limit requires a wait of %v, longer than the context allows", wait)
}

// Wait takes a token of the connection's bucket as soon as there is one, in the order of the calls. If
// that cannot be before ctx's deadline, it returns a [TooLongError] at once. If ctx ends or stop is
// closed first, it returns as [Sleep] does. It calls waiting, unless that is nil, before it waits.
func (l *Limiter) Wait(ctx context.Context, stop <-chan struct{}, connection string, rate Rate, waiting func(time.Duration)) error {
	select {
	case <-stop:
		return ErrStopped
	default:
	}
	if ctx.Err() != nil || rate == (Rate{}) {
		return ctx.Err()
	}
	turn, delay := l.take(connection, rate, nil)
	if turn == nil {
		return nil
	}
	defer l.leave(connection, turn)
	if waiting != nil && EndsInTime(ctx, delay) {
		waiting(delay)
	}
	for over := (<-chan time.Time)(turn); EndsInTime(ctx, delay); over = time.After(delay) {
		if err := await(ctx, stop, over); err != nil {
			return err
		}
		if _, delay = l.take(connection, rate, turn); delay == 0 {
			return nil
		}
	}
	return TooLongError(delay)
}

// EndsInTime reports whether a wait ends before the context does.
func EndsInTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Now().Add(wait).Before(deadline)
}

// Delay returns how long a call of Wait would wait now.
func (l *Limiter) Delay(connection string, rate Rate) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[connection]
	if b == nil || rate == (Rate{}) {
		return 0
	}
	return b.delay(rate, len(b.line), time.Now())
}

// take takes a token if there is one, and returns 0. If there is none, or if others wait for it, it
// returns how long until there is one, and a place in line: a channel that is closed when those ahead
// have left. From then on turn is that channel.
func (l *Limiter) take(connection string, rate Rate, turn chan time.Time) (_ chan time.Time, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.bucketLocked(connection, now)
	b.tat = later(b.tat, now.Add(-rate.interval())) // this computer may have slept
	ahead := len(b.line)
	if turn != nil {
		ahead = 0
	}
	if delay = b.delay(rate, ahead, now); delay == 0 && ahead == 0 {
		b.tat = b.tat.Add(rate.interval())
		return turn, 0
	}
	if turn == nil {
		turn = make(chan time.Time)
		if b.line = append(b.line, turn); ahead == 0 {
			close(turn)
		}
	}
	return turn, delay
}

// leave takes a request out of the line.
func (l *Limiter) leave(connection string, turn chan time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[connection]
	i := slices.Index(b.line, turn)
	b.line = slices.Delete(b.line, i, i+1)
	if i == 0 && len(b.line) > 0 {
		close(b.line[0])
	}
}

// GiveBack puts back a token that Wait took and that was not used.
func (l *Limiter) GiveBack(connection string, rate Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[connection]; b != nil && rate != (Rate{}) {
		b.tat = b.tat.Add(-rate.interval())
	}
}

// Observe lowers the bucket to the tokens that a response reports as remaining (if that is not
// negative), and blocks it for as long as the response requires, at most [MaxHold]. Another process
// on the same connection is noticed by both.
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
		// Whole tokens only: the service's bucket has a part of one, too.
		b.tat = b.tat.Add(time.Duration(tokens-remaining) * interval)
	}
	if retryAfter > 0 {
		until := now.Add(min(retryAfter, MaxHold))
		b.blockedUntil = later(b.blockedUntil, until)
		b.tat = later(b.tat, until.Add(capacity-interval)) // one token at that time
	}
}

// bucketLocked returns the connection's bucket, filled up to now unless requests wait: the time by which
// their timers are late is theirs.
func (l *Limiter) bucketLocked(connection string, now time.Time) *bucket {
	b := l.buckets[connection]
	if b == nil {
		l.evictIdleLocked(now)
		b = &bucket{}
		l.buckets[connection] = b
	}
	if len(b.line) == 0 {
		b.tat = later(b.tat, now)
	}
	return b
}

// evictIdleLocked drops the buckets that are full, which are as good as new. It scans them only after
// their number has doubled, so that the cost of each call stays even.
func (l *Limiter) evictIdleLocked(now time.Time) {
	if len(l.buckets) < l.sweepAt {
		return
	}
	for connection, b := range l.buckets {
		if !later(b.tat, b.blockedUntil).After(now) && len(b.line) == 0 {
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
	return await(ctx, stop, timer.C)
}

func await(ctx context.Context, stop <-chan struct{}, over <-chan time.Time) error {
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-stop:
		return ErrStopped
	}
}
