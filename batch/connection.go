package batch

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	maxRequeues     = 10
	firstWait       = time.Second
	longestWait     = 30 * time.Second
	longestHold     = 10 * time.Minute // of a Retry-After
	longestOutage   = 15 * time.Minute // after which a connection is stopped
	longestQueue    = 1024             // messages of one connection that wait for another attempt
	maxFailureInRow = 8                // after which a connection only probes
)

// backoff returns how long to wait before retry n, from 1: a random time between half of a bound and
// the bound, which doubles with n.
func backoff(n int) time.Duration {
	d := longestWait
	if n < 6 {
		d = firstWait << (max(n, 1) - 1)
	}
	return d/2 + rand.N(d/2+1)
}

// task is a message that is being sent, or waits for another attempt.
type task struct {
	Message
	connection *connection
	maybe      bool // it may have been unsent
	tries      int  // sends in this run that failed with a transient error
	sent       int  // requests in this run
	unrecorded int  // of these, not yet in the ledger
	began      time.Time
	err        error // of the last try
	due        time.Time
}

func (t *task) count(n int) {
	t.sent += n
	t.unrecorded += n
}

// connection is the state of one connection. The dispatcher owns it; it changes counts under the
// progress's mutex. There may be 60,000: a field of eight bytes takes half a megabyte.
type connection struct {
	quit   chan struct{} // closed when nothing more is sent; nil while nothing is in flight
	counts ConnectionCounts

	queue    []Message // read ahead
	lastLine int       // of the last message that was read
	lastKey  int64
	drained  bool    // the ledger has no more messages of it
	retries  []*task // waiting for another attempt, the earliest first

	inFlight  int  // requests recorded or under way
	queued    int  // of these, not yet begun, with their tokens still in the bucket
	throttled bool // the bucket is empty, so that only one may be queued

	accepted     bool      // the service has accepted the connection
	failures     int       // transient failures in a row
	rounds       int       // probes in a row
	lastResponse time.Time // other than a transient failure; at first, when the first request was sent
	blockedUntil time.Time // nothing is sent before
	probe        time.Time // while probing, nothing is sent before this either
	probed       time.Time // when probe was set
	finished     bool      // nothing is left to do, and it was released

	at    time.Time // when it can send next, while it is in the dispatcher's heap
	index int       // in that heap; -1 outside
}

func newConnection(load Load) *connection {
	return &connection{
		index:  -1,
		counts: ConnectionCounts{ID: load.ConnectionID, Counts: Counts{Items: load.Messages}},
	}
}

// close ends the calls that wait for their turn.
func (c *connection) close() {
	if c.quit == nil {
		return
	}
	select {
	case <-c.quit:
	default:
		close(c.quit)
	}
}

// probing reports whether the connection sends one request at a time, ever more rarely: until the
// service has accepted it, and while everything on it fails.
func (c *connection) probing() bool {
	return !c.accepted || c.failures >= maxFailureInRow
}

// limit returns how many requests may be in flight.
func (c *connection) limit(inFlight int) int {
	if c.probing() {
		return 1
	}
	return inFlight
}

// more reports whether messages are left that were not sent in this run.
func (c *connection) more() bool { return len(c.queue) > 0 || !c.drained }

// fresh reports whether the next request is a message's first. A probing connection prefers those,
// since a message that always fails is no evidence about the others.
func (c *connection) fresh(now time.Time) bool {
	if !c.more() || len(c.retries) >= longestQueue {
		return false
	}
	return len(c.retries) == 0 || c.probing() || c.retries[0].due.After(now)
}

// next returns when the connection can send, apart from its rate limit. It returns false if it
// cannot before another event.
func (c *connection) next(now time.Time, inFlight int) (time.Time, bool) {
	switch {
	case c.counts.Stopped != nil, c.inFlight >= c.limit(inFlight), c.throttled && c.queued > 0:
		return time.Time{}, false
	case !c.more() && len(c.retries) == 0:
		return time.Time{}, false
	case c.probing():
		return later(c.blockedUntil, c.probe), true
	case c.fresh(now):
		return c.blockedUntil, true
	}
	return later(c.blockedUntil, c.retries[0].due), true
}

// take returns the task to send next.
func (c *connection) take(now time.Time) *task {
	if c.quit == nil {
		c.quit = make(chan struct{})
	}
	if !c.fresh(now) {
		t := c.retries[0]
		c.retries = slices.Delete(c.retries, 0, 1)
		return t
	}
	m := c.queue[0]
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	return &task{Message: m, connection: c, maybe: m.Item.MaybeUnsent}
}

// noteSuccess ends the probing: the service works, and accepts the connection.
func (c *connection) noteSuccess(now time.Time) {
	c.accepted, c.failures, c.rounds, c.lastResponse = true, 0, 0, now
}

// noteFailure counts a transient failure. It blocks the connection for the response's Retry-After
// and, if nothing succeeds, longer after each round of requests. It reports whether to stop the
// connection.
func (c *connection) noteFailure(began, now time.Time, retryAfter time.Duration) (giveUp bool) {
	c.failures++
	c.blockedUntil = later(c.blockedUntil, now.Add(min(retryAfter, longestHold)))
	if c.probing() && began.After(c.probed) {
		c.rounds++
		c.probed = now // failures of requests in flight belong to this round
		c.probe = now.Add(backoff(c.rounds))
	}
	return c.failures > maxRequeues && now.Sub(c.lastResponse) > longestOutage
}

// idle reports whether nothing is left to do on the connection.
func (c *connection) idle() bool {
	return c.inFlight == 0 && len(c.retries) == 0 && !c.more()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// retry queues a task for another attempt.
func (c *connection) retry(t *task) {
	at, _ := slices.BinarySearchFunc(c.retries, t.due, func(other *task, due time.Time) int { return other.due.Compare(due) })
	c.retries = slices.Insert(c.retries, at, t)
}

// dueHeap is a heap of the connections that can send, the earliest first.
type dueHeap []*connection

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) Push(x any) {
	c := x.(*connection) //nolint:errcheck,forcetypeassert // pushed below only
	c.index = len(*h)
	*h = append(*h, c)
}

func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	last.index = -1
	return last
}

// put inserts or moves a connection, or removes it if ok is false.
func (h *dueHeap) put(c *connection, at time.Time, ok bool) {
	switch {
	case !ok && c.index >= 0:
		heap.Remove(h, c.index)
	case !ok:
	case c.index >= 0:
		c.at = at
		heap.Fix(h, c.index)
	default:
		c.at = at
		heap.Push(h, c)
	}
}
