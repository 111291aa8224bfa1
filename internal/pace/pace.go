// Package pace keeps to a service's rate limit: a token bucket for each of its connections.
package pace

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MaxHold is the longest time for which an answer can hold a connection.
const MaxHold = time.Minute

// Pacer keeps a token bucket for each connection, as the service does. A bucket is held as
// the one instant that its level follows from: it has one token for each interval that has
// passed since spent, and never more than burst. A token taken before it is there is a
// reservation for the instant when it will be, so waiters are served in their order.
type Pacer struct {
	interval time.Duration // in which one token is added
	burst    int

	mu      sync.Mutex
	buckets map[string]*bucket
	sweepAt int // number of buckets at which full ones are forgotten
}

type bucket struct {
	spent time.Time
	held  time.Time // nothing is sent before
}

const minSweep = 64

// New returns a Pacer that adds perMinute tokens a minute to each bucket, up to burst. Both
// are at least 1.
func New(perMinute, burst int) *Pacer {
	return &Pacer{
		interval: (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute),
		burst:    burst,
		buckets:  map[string]*bucket{},
		sweepAt:  minSweep,
	}
}

// TooLongError is the refusal of a wait that cannot end before the context does.
type TooLongError time.Duration

func (t TooLongError) Error() string {
	return fmt.Sprintf("the connection's rate limit asks to wait %v, longer than the context allows", time.Duration(t).Round(time.Millisecond))
}

// Wait takes a token of the connection's bucket and returns when it is there. Where that
// would be after ctx's deadline, it gives the token back and returns a [TooLongError] at once.
func (p *Pacer) Wait(ctx context.Context, connection string) error {
	for {
		now := time.Now()
		at := p.reserve(connection, now)
		delay := at.Sub(now)
		if delay <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && !at.Before(deadline) {
			p.giveBack(connection)
			return TooLongError(delay)
		}
		if err := Sleep(ctx, delay); err != nil {
			p.giveBack(connection)
			return err
		}
		if !p.isHeld(connection) {
			return nil
		}
		// A Retry-After came while this call slept: its turn is after it.
	}
}

// reserve takes a token and says when it is there.
func (p *Pacer) reserve(connection string, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(connection, now)
	b.spent = b.spent.Add(p.interval)
	return later(b.spent, b.held)
}

// Delay returns how long until the connection's next token is there, without taking it.
func (p *Pacer) Delay(connection string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[connection]
	if b == nil {
		return 0
	}
	now := time.Now()
	return max(0, later(b.spent.Add(p.interval), b.held).Sub(now))
}

func (p *Pacer) giveBack(connection string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.buckets[connection]; b != nil {
		b.spent = b.spent.Add(-p.interval)
	}
}

func (p *Pacer) isHeld(connection string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[connection]
	return b != nil && b.held.After(time.Now())
}

// Observe drains the bucket to what an answer says is left of the service's, where that is
// lower, and holds it for as long as the answer asks to wait (at most MaxHold): so
// another process on the same connection is noticed.
func (p *Pacer) Observe(connection string, remaining int, retryAfter time.Duration) {
	if remaining < 0 && retryAfter <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	b := p.bucket(connection, now)
	if tokens := int(now.Sub(b.spent) / p.interval); remaining >= 0 && tokens > remaining {
		// Whole tokens only: the part of one that has grown since is the service's too.
		b.spent = b.spent.Add(time.Duration(tokens-remaining) * p.interval)
	}
	if retryAfter > 0 {
		held := now.Add(min(retryAfter, MaxHold))
		b.held = later(b.held, held)
		b.spent = later(b.spent, held.Add(-p.interval))
	}
}

// bucket returns the connection's bucket, filled up to now.
func (p *Pacer) bucket(connection string, now time.Time) *bucket {
	full := now.Add(-time.Duration(p.burst) * p.interval)
	b := p.buckets[connection]
	if b == nil {
		p.forget(full)
		b = &bucket{spent: full}
		p.buckets[connection] = b
	}
	b.spent = later(b.spent, full)
	return b
}

// forget drops the buckets that are full, which are as good as new. It looks at them only
// when their number has doubled since the last time, so that its cost stays even.
func (p *Pacer) forget(full time.Time) {
	if len(p.buckets) < p.sweepAt {
		return
	}
	for connection, b := range p.buckets {
		if !b.spent.After(full) {
			delete(p.buckets, connection)
		}
	}
	p.sweepAt = max(2*len(p.buckets), minSweep)
}

// Known returns how many connections are remembered.
func (p *Pacer) Known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.buckets)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Sleep returns after d, or when ctx ends, with its error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
