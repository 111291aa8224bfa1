package mock

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is kept of a request, in bytes. No client makes the journal grow beyond that.
const (
	journaledMethod = 16
	journaledPath   = 256
	journaledID     = 64

	defaultJournal  = 10_000  // entries
	journaledBodies = 8 << 20 // headers and bodies, in all

	// Shorter texts in the header apiKey are no keys, and stand in many paths.
	shortestKey = 8
)

// Entry is one request as the server saw it. It never holds the key.
type Entry struct {
	Time         time.Time
	RequestID    string
	Method       string // cut to 16 bytes
	Path         string // as sent, without the query, cut to 256 bytes
	UserID       string // the path's userId, if it has one; cut to 64 bytes
	MessageID    string // the path's messageId, if it has one; cut to 64 bytes
	ConnectionID string // empty unless the header named a known one
	Status       int    // 0 while it is being served, and if no status was sent
	Type         string // the type of the error that was sent, if it had one
	Acted        bool   // whether this request unsent the message
	Fault        string // the fault that it consumed, as [ParseFault] reads it; empty for none

	// Header and Body are those of the request, with [WithBodies] or [WithControl] alone: of the
	// newest requests, 8 MiB in all, and without bodies of more than 64 KiB. The headers apiKey,
	// Authorization and Cookie are left out. "(key)" stands in place of a key elsewhere.
	Header http.Header
	Body   string
}

// WithJournal sets how many entries the journal keeps, the newest ones; 10,000 by default. 0
// keeps none, a negative number keeps all: then memory grows with the number of requests.
func WithJournal(n int) Option {
	return func(s *Server) { s.journal.keep = n }
}

// WithBodies keeps [Entry.Header] and [Entry.Body] in the journal.
func WithBodies() Option {
	return func(s *Server) { s.journal.bodies = true }
}

// Journal returns what the server saw, in order of arrival: the newest 10,000 requests,
// or as many as [WithJournal] keeps. An entry is complete before its response is sent.
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
	keep   int  // negative: all
	bodies bool // keeps headers and bodies

	mu      sync.Mutex
	entries []*Entry
	size    int // of the headers and bodies
}

// add keeps a copy of the entry, for update.
func (j *journal) add(e Entry) *Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, &e)
	if j.keep >= 0 && len(j.entries) > j.keep {
		j.size -= j.entries[0].size()
		j.entries[0] = nil
		j.entries = j.entries[1:]
	}
	return &e
}

// update completes an entry, unless it was forgotten. The oldest headers and bodies make room.
func (j *journal) update(kept *Entry, e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bodies && !slices.Contains(j.entries, kept) {
		return
	}
	j.size += e.size() - kept.size()
	*kept = e
	for i := 0; j.size > journaledBodies && i < len(j.entries); i++ {
		j.size -= j.entries[i].size()
		j.entries[i].Header, j.entries[i].Body = nil, ""
	}
}

// forget removes the entries that match, and returns how many they were.
func (j *journal) forget(match func(Entry) bool) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := len(j.entries)
	j.entries = slices.DeleteFunc(j.entries, func(e *Entry) bool {
		if !match(*e) {
			return false
		}
		j.size -= e.size()
		return true
	})
	return before - len(j.entries)
}

// size is what the header and the body take.
func (e *Entry) size() int {
	n := len(e.Body)
	for name, values := range e.Header {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

// keepBody journals the request's header and body.
func (x *exchange) keepBody() {
	x.entry.Header = http.Header{}
	for name, values := range x.r.Header {
		switch name {
		case "Apikey", "Authorization", "Cookie", "Proxy-Authorization":
			continue
		}
		for _, value := range values {
			x.entry.Header.Add(x.journaled(name, len(name)), x.journaled(value, len(value)))
		}
	}
	if len(x.body) <= maxRequestBody { // a key could stand across the end of a longer one
		x.entry.Body = x.journaled(string(x.body), maxRequestBody)
	}
	x.s.journal.update(x.kept, x.entry)
}

// journaled returns what the journal keeps of a part of the request: the first bytes, without a key
// in any spelling. It is a copy: a substring would keep the whole header in memory.
func (x *exchange) journaled(text string, most int) string {
	for _, key := range x.keys {
		text = strings.ReplaceAll(text, key, "(key)")
		if strings.Contains(unescaped(text), key) {
			return "(key)"
		}
	}
	return strings.Clone(text[:min(len(text), most)])
}

// secrets lists the keys that the journal must not hold: the one that was sent, and those that
// are accepted.
func (s *Server) secrets(sent string) (keys []string) {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	for key := range s.access.keys {
		keys = append(keys, key)
	}
	keys = slices.DeleteFunc(append(keys, sent), func(key string) bool { return len(key) < shortestKey })
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // one may contain another
	return keys
}
