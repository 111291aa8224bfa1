package mock

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// What is kept of a request, in bytes. No client makes the journal grow beyond that.
const (
	journaledMethod = 16
	journaledPath   = 256
	journaledID     = 64

	defaultJournal = 10_000 // entries

	// Shorter texts in the header apiKey are no keys, and stand in many paths.
	shortestKey = 8
)

// Entry is one request as the server saw it. It never holds the key.
type Entry struct {
	Time         time.Time
	RequestID    string
	Method       string // cut to 16 bytes
	Path         string // as sent, without the query, cut to 256 bytes
	UserID       string // empty where the path is not the operation's; cut to 64 bytes
	MessageID    string // the same
	ConnectionID string // empty where the header named none that is known
	Status       int    // 0 while it is being answered, and where no status was sent
	Type         string // the type in the error that was answered, if it had one
	Acted        bool   // whether this request took the message away
	Fault        string // the fault that it consumed, as [ParseFault] reads it; empty for none
}

// WithJournal sets how many entries the journal keeps, the newest ones; 10,000 by default. 0
// keeps none, a negative number keeps all: then memory grows with the number of requests.
func WithJournal(n int) Option {
	return func(s *Server) { s.journal.keep = n }
}

// Journal returns what the server saw, in order of arrival: the newest 10,000 requests,
// unless [WithJournal] says otherwise. An entry is complete before its answer is sent.
func (s *Server) Journal() []Entry {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	list := make([]Entry, len(s.journal.entries))
	for i, e := range s.journal.entries {
		list[i] = *e
	}
	return list
}

// journal keeps the newest entries, in order of arrival.
type journal struct {
	mu      sync.Mutex
	keep    int // negative: all
	entries []*Entry
}

// add keeps a copy of the entry, for update.
func (j *journal) add(e Entry) *Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, &e)
	if j.keep >= 0 && len(j.entries) > j.keep {
		j.entries[0] = nil
		j.entries = j.entries[1:]
	}
	return &e
}

func (j *journal) update(kept *Entry, e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	*kept = e
}

// journaled is what the journal keeps of a part of the request: a copy, since a substring would
// keep all of the request's header, and without the key, wherever the client put it.
func journaled(r *http.Request, text string, most int) string {
	if key := r.Header.Get("apiKey"); len(key) >= shortestKey {
		text = strings.ReplaceAll(text, key, "(key)")
	}
	return strings.Clone(text[:min(len(text), most)])
}
