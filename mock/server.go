package mock

import (
	"io"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"
)

// DemoKey and DemoConnection are accepted by a server that was given no keys or no
// connections of its own.
const (
	DemoKey        = "sk_sandbox_demo"
	DemoConnection = "conn_demo"
)

// Server is an OFAuth in memory. It is an [http.Handler], safe for concurrent use, and needs
// no listener: [Server.Client] talks to it directly.
type Server struct {
	log      func(Entry, time.Duration)
	mux      *http.ServeMux
	mounts   []mount
	access   access
	messages messages
	unsendOp operation
	snapshot snapshot
	media    int
	faults   faults
	journal  journal
	counters struct {
		requests, unsent, limited, faulted atomic.Int64
	}
	listener listener
}

type mount struct {
	prefix  string
	handler http.Handler
}

// Counts are totals since the server was made.
type Counts struct {
	Requests int // every request, whatever became of it
	Unsent   int // messages taken away by a request
	Limited  int // requests answered 429 by the rate limit, scripted ones not included
	Faulted  int // requests whose answer was a fault
}

// Option changes a server that [New] makes.
type Option func(*Server)

// New makes a server. Without options it accepts [DemoKey] on [DemoConnection], lets every
// message be unsent once, limits each connection to 60 requests a minute with a burst of 90,
// and never fails on its own. Nil options are ignored.
func New(opts ...Option) *Server {
	s := &Server{media: 1, mux: http.NewServeMux()}
	s.access.interval, s.access.burst = time.Second, 90
	s.journal.keep = defaultJournal
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if s.access.keys == nil {
		WithKeys(DemoKey)(s)
	}
	if s.access.connections == nil {
		s.SetConnection(Connection{ID: DemoConnection})
	}
	s.route(operations())
	return s
}

// WithMedia sets how many media the snapshot of a message holds, 1 by default: each adds
// about 1 kB to the answer. Values below 0 are taken as 0.
func WithMedia(n int) Option {
	return func(s *Server) { s.media = max(0, n) }
}

// WithLog calls log for each request, once its answer was written or given up, with its entry
// in the journal and the time that it took. Requests that are answered at once are logged at
// once, so log has to be safe for concurrent use.
func WithLog(log func(e Entry, took time.Duration)) Option {
	return func(s *Server) { s.log = log }
}

// WithHandler answers paths that start with prefix by h, beside the API: a page of
// documentation, say. Such requests are not checked, limited, journaled or logged.
func WithHandler(prefix string, h http.Handler) Option {
	return func(s *Server) {
		if h != nil {
			s.mounts = append(s.mounts, mount{prefix, h})
		}
	}
}

// Counts returns the totals so far.
func (s *Server) Counts() Counts {
	return Counts{
		Requests: int(s.counters.requests.Load()),
		Unsent:   int(s.counters.unsent.Load()),
		Limited:  int(s.counters.limited.Load()),
		Faulted:  int(s.counters.faulted.Load()),
	}
}

// ServeHTTP answers one request. A fault that breaks the connection panics with
// [http.ErrAbortHandler], as net/http asks of a handler; servers of net/http turn that into a
// broken connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, m := range s.mounts {
		if strings.HasPrefix(r.URL.Path, m.prefix) {
			m.handler.ServeHTTP(w, r)
			return
		}
	}
	// ServeMux would redirect these; to a client a redirect of a DELETE is a trap, and the
	// path is not one of the service's.
	if !isClean(r.URL.EscapedPath()) {
		s.handle((*exchange).noRoute)(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// route registers the operations of openapi.yaml. Those that the mock does not know are
// answered 501, so that a new one breaks nothing.
func (s *Server) route(list []operation) {
	s.mux.HandleFunc("/", s.handle((*exchange).noRoute))
	for _, op := range list {
		answer := func(x *exchange) { x.notImplemented(op.id) }
		if op.id == "unsendChatMessage" {
			s.unsendOp, s.snapshot = op, newSnapshot(op.success(), s.media)
			answer = (*exchange).unsend
		}
		s.register(op.method+" "+op.path, s.handle(answer))
	}
}

// register leaves a pattern out that ServeMux cannot hold, such as /x/{id}.json, or one that
// overlaps with another: ServeMux panics then. Its requests are answered as unknown routes.
func (s *Server) register(pattern string, h http.HandlerFunc) {
	defer func() { _ = recover() }()
	s.mux.HandleFunc(pattern, h)
}

// handle begins an exchange, reads its body, and logs it once it has ended.
func (s *Server) handle(answer func(*exchange)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.begin(w, r)
		if s.log != nil {
			defer func() { s.log(x.entry, time.Since(x.entry.Time)) }()
		}
		// Before anything is answered or waited for: net/http notices that a client has left
		// only once its request was read, and an answer that comes before is cut off with a
		// client that is still writing.
		if r.Body != nil {
			x.body, x.bodyErr = io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
			_, _ = io.Copy(io.Discard, r.Body)
		}
		answer(x)
	}
}

func isClean(escaped string) bool {
	if !strings.HasPrefix(escaped, "/") {
		return false
	}
	cleaned := path.Clean(escaped)
	return escaped == cleaned || cleaned != "/" && escaped == cleaned+"/"
}
