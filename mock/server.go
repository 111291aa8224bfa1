package mock

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DemoKey and DemoConnection are accepted by a server without keys or connections of its own.
const (
	DemoKey        = "sk_sandbox_demo"
	DemoConnection = "conn_demo"
)

// Server is an OFAuth in memory. It is an [http.Handler], safe for concurrent use, and needs
// no listener: [Server.Client] reaches it directly.
type Server struct {
	opts     []Option // for reset
	err      error    // what Start returns: options that cannot be used
	log      func(Entry, time.Duration)
	mounts   []mount // of WithHandler
	handlers handlers
	origins  []string
	document document
	access   access
	messages messages
	faults   faults
	journal  journal
	counters struct{ requests, unsent, limited, faulted atomic.Int64 }
	listener listener
	unsendOp operation
	snapshot snapshot
	media    int
}

// mount is a handler and the prefix of the paths that it serves.
type mount struct {
	prefix  string
	handler http.Handler
}

// Counts are totals since the server was made.
type Counts struct {
	Requests int // all requests
	Unsent   int // messages unsent by a request
	Limited  int // 429 responses of the rate limit, scripted ones not included
	Faulted  int // requests that consumed a fault
}

// Option changes a server that [New] makes.
type Option func(*Server)

// New makes a server. Without options it accepts [DemoKey] on [DemoConnection], lets every
// message be unsent once, limits each connection to 60 requests a minute with a burst of 90,
// and never fails on its own. Nil options are ignored.
func New(opts ...Option) *Server {
	s := &Server{opts: opts, media: 1, document: ownDocument()}
	s.access.interval, s.access.burst = time.Second, 90
	s.journal.keep = defaultJournal
	s.messages.state, s.faults.script, s.faults.count = map[string]messageState{}, map[Message][]Fault{}, map[Message]uint64{}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if s.access.keys == nil {
		s.SetKeys(DemoKey)
	}
	if s.access.connections == nil {
		s.SetConnection(Connection{ID: DemoConnection})
	}
	s.err = errors.Join(s.document.err, s.handlers.check(s.document))
	s.unsendOp = s.document.operations[unsendOperation]
	s.snapshot = newSnapshot(s.unsendOp.success(), s.media)
	return s
}

// WithMedia sets how many media the snapshot of a message has, 1 by default: each adds about
// 1 kB to the response. Values below 0 are taken as 0.
func WithMedia(n int) Option {
	return func(s *Server) { s.media = max(0, n) }
}

// WithLog calls log for each request, once its response was written or given up, with its entry
// in the journal and the time that it took. It is called by many goroutines at once.
func WithLog(log func(e Entry, took time.Duration)) Option {
	return func(s *Server) { s.log = log }
}

// WithHandler serves paths that start with prefix by h, beside the API: a page of
// documentation, say. Such requests are not checked, limited, journaled or logged.
func WithHandler(prefix string, h http.Handler) Option {
	return func(s *Server) {
		if h != nil {
			s.mounts = append(s.mounts, mount{prefix, h})
		}
	}
}

// WithDocument serves the operations of this OpenAPI document, YAML or JSON, in place of those of
// openapi.yaml: a longer contract of your own. A document that cannot be read is named by the
// error of [Server.Start], and every request gets 404.
func WithDocument(text []byte) Option {
	return func(s *Server) {
		s.document = readDocument(text)
		_, err := s.document.validator()
		if err = cmp.Or(err, s.document.err); err != nil {
			s.document.err = fmt.Errorf("mock: WithDocument: %w", err)
		}
	}
}

// Counts returns the totals so far.
func (s *Server) Counts() Counts {
	c := &s.counters
	return Counts{int(c.requests.Load()), int(c.unsent.Load()), int(c.limited.Load()), int(c.faulted.Load())}
}

// ServeHTTP serves one request. A fault that breaks the connection panics with
// [http.ErrAbortHandler], as net/http requires of a handler; its servers close the connection
// then.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cors(w, r) {
		return
	}
	for _, m := range s.mounts {
		if strings.HasPrefix(r.URL.Path, m.prefix) {
			m.handler.ServeHTTP(w, r)
			_, _ = io.Copy(io.Discard, r.Body) // a client that is still writing would lose the response
			return
		}
	}
	x := s.begin(w, r)
	if s.log != nil {
		defer func() { s.log(x.entry, time.Since(x.entry.Time)) }()
	}
	// Before anything is sent or waited for: net/http notices that a client has left only
	// once its request was read, and a response that comes before is cut off for a client
	// that is still writing.
	if r.Body != nil {
		x.body, x.bodyErr = io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
		_, _ = io.Copy(io.Discard, r.Body)
	}
	if s.journal.bodies {
		x.keepBody()
	}
	x.serve()
}

// reset makes the server what New made it, without what Next scripted. Requests that are being
// served complete as they would have.
func (s *Server) reset() {
	fresh := New(slices.Clone(s.opts)...)
	for _, mu := range []*sync.Mutex{&s.access.mu, &s.messages.mu, &s.faults.mu} {
		mu.Lock()
		defer mu.Unlock()
	}
	s.access.keys, s.access.connections = fresh.access.keys, fresh.access.connections
	s.messages.listed, s.messages.state = fresh.messages.listed, fresh.messages.state
	s.faults.script, s.faults.count = fresh.faults.script, fresh.faults.count
	s.journal.forget(func(Entry) bool { return true })
	for _, total := range []*atomic.Int64{&s.counters.requests, &s.counters.unsent, &s.counters.limited, &s.counters.faulted} {
		total.Store(0)
	}
}
