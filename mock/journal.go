package mock

import (
	"sync"
	"time"
)

const (
	defaultJournal = 10_000
	journaledPath  = 1024 // bytes of a path that are kept
)

// Entry is one request as the server saw it. It never holds the key.
type Entry struct {
	Time         time.Time
	RequestID    string
	Method       string
	Path         string // as sent, without the query, cut to 1,024 bytes
	UserID       string // empty where the path is not the operation's
	MessageID    string
	ConnectionID string // empty where the header named none that is known
	Status       int    // 0 while it is being answered, and where no status was sent
	Type         string // the type in the error that was answered, if it had one
	Acted        bool   // whether this request took the message away
	Fault        string // the fault that befell it, as [ParseFault] reads it; empty for none
}

// journal keeps the newest entries, in order of arrival.
type journal struct {
	mu      sync.Mutex
	keep    int // negative: all
	entries []Entry
	added   int // since the start; entry n lies at n % keep
}

// add returns the entry's number, for update.
func (j *journal) add(e Entry) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := j.added
	j.added++
	if j.keep < 0 || len(j.entries) < j.keep {
		j.entries = append(j.entries, e)
	} else if j.keep > 0 {
		j.entries[n%j.keep] = e
	}
	return n
}

// update replaces an entry that is still kept.
func (j *journal) update(n int, e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.keep < 0:
		j.entries[n] = e
	case n >= j.added-j.keep:
		j.entries[n%j.keep] = e
	}
}

// Journal returns what the server saw, in order of arrival: the newest 10,000 requests,
// unless [WithJournal] says otherwise. An entry is complete before its answer is sent.
func (s *Server) Journal() []Entry {
	j := &s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	first := 0
	if j.keep > 0 && j.added > j.keep {
		first = j.added % j.keep
	}
	list := make([]Entry, 0, len(j.entries))
	list = append(list, j.entries[first:]...)
	return append(list, j.entries[:first]...)
}
