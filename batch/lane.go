package batch

import (
	"container/heap"
	"time"

	"github.com/unsend-go/unsend/api"
)

// lane is one connection at work. Its fields are guarded by the run's mutex.
type lane struct {
	id      string
	options []api.CallOption

	first, last ref // of the rows that were not sent yet, linked by rows.next
	queued      int
	waiting     waitingHeap // failed in passing

	workers  int  // goroutines
	sleeping bool // one of them waits for its time
	wake     chan struct{}
	quit     chan struct{} // closed when nothing more is sent
	closed   bool          // quit is

	proven   bool      // the service has accepted the connection
	strikes  int       // passing failures since the last other answer
	answered time.Time // when that came, or when the first request was sent
	hold     time.Time // nothing is sent before
	probe    time.Time // while probing, nothing is sent before this either
	held     time.Time // when probe was set
	rounds   int       // how often it was since the last other answer
	stopped  error

	counts Counts
}

// task is an item that is being sent, or waits to be sent again.
type task struct {
	row   ref
	item  Item
	tries int       // how often it was sent in this run
	sent  int       // requests that this took
	maybe bool      // may have been unsent
	began time.Time // when the last try was
	err   error     // of the last try
	due   time.Time // of the next
}

func newLane(id string) *lane {
	l := &lane{id: id, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	if id != "" {
		l.options = []api.CallOption{api.OnConnection(id)}
	}
	return l
}

type waitingHeap []task

func (h waitingHeap) Len() int           { return len(h) }
func (h waitingHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h waitingHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *waitingHeap) Push(x any)        { *h = append(*h, x.(task)) } //nolint:errcheck,forcetypeassert // pushed below only

func (h *waitingHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*h = old[:len(old)-1]
	return last
}

func (l *lane) pushWaiting(t task) { heap.Push(&l.waiting, t) }

func (l *lane) popWaiting() task { return heap.Pop(&l.waiting).(task) } //nolint:errcheck,forcetypeassert // holds tasks only

func (l *lane) push(rows *rows, row ref) {
	if l.queued == 0 {
		l.first = row
	} else {
		rows.setNext(l.last, row)
	}
	l.last = row
	l.queued++
}

func (l *lane) pop(rows *rows) ref {
	row := l.first
	l.queued--
	if l.queued > 0 {
		l.first = rows.next(row)
	}
	return row
}

// probing says whether the lane only asks, now and then, if it can go on: until the service
// has accepted the connection, and while everything on it fails.
func (l *lane) probing() bool {
	return l.strikes >= strikesOut || l.strikes > 0 && !l.proven
}

// limit is how many requests may be under way.
func (l *lane) limit(inFlight int) int {
	if !l.proven || l.probing() {
		return 1
	}
	return inFlight
}

// fresh says whether what is sent next is an item that was not sent yet. A probing lane
// prefers those: a message that always fails says nothing of the others.
func (l *lane) fresh(now time.Time) bool {
	if l.queued == 0 || len(l.waiting) >= longestQueue {
		return false
	}
	return len(l.waiting) == 0 || l.probing() || l.waiting[0].due.After(now)
}

// ready returns when the lane has something to send next; false where it has nothing.
func (l *lane) ready(now time.Time) (time.Time, bool) {
	switch {
	case l.queued == 0 && len(l.waiting) == 0:
		return time.Time{}, false
	case l.probing():
		return later(l.hold, l.probe), true
	case l.fresh(now):
		return l.hold, true
	}
	return later(l.hold, l.waiting[0].due), true
}

// take returns what is ready.
func (l *lane) take(rows *rows, now time.Time) task {
	if !l.fresh(now) {
		return l.popWaiting()
	}
	row := l.pop(rows)
	return task{row: row, item: rows.item(row), maybe: rows.state(row)&maybe != 0}
}

// missed counts a passing failure of a request that was begun at a time, and holds the lane:
// for as long as the answer asks, and, where nothing else comes, longer after each round of
// requests. It says whether to give the connection up.
func (l *lane) missed(began, now time.Time, retryAfter time.Duration) bool {
	l.strikes++
	if retryAfter > 0 {
		l.hold = later(l.hold, now.Add(min(retryAfter, longestHold)))
	}
	if l.probing() && began.After(l.held) {
		l.rounds++
		l.held = now // what was under way by now belongs to this round
		l.probe = now.Add(backoff(l.rounds))
	}
	return l.strikes > maxRequeues && now.Sub(l.answered) > longestOutage
}

// heard notes an answer that says that the service works, on this connection too.
func (l *lane) heard(now time.Time) {
	l.proven, l.strikes, l.rounds, l.answered = true, 0, 0, now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
