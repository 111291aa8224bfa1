package mock

import (
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
	now      func() time.Time
	routes   http.Handler
	mounts   []mount
	access   access
	messages messages
	contract accepter
	snapshot snapshot
	media    int
	faults   faults
	journal  journal
	counters counters
	listener listener
}

type mount struct {
	prefix  string
	handler http.Handler
}

type counters struct {
	requests, unsent, limited, faulted atomic.Int64
}

// Counts are totals since the server was made.
type Counts struct {
	Requests int // every request, whatever became of it
	Unsent   int // messages taken away by a request
	Limited  int // requests answered 429 by the rate limit, scripted ones not included
	Faulted  int // requests whose answer was a fault
}

// New makes a server. Without options it accepts [DemoKey] on [DemoConnection], lets every
// message be unsent once, limits each connection to 60 requests a minute with a burst of 90,
// and never fails on its own. Nil options are ignored.
func New(opts ...Option) *Server {
	s := &Server{now: time.Now, media: 1}
	s.access.interval, s.access.burst = time.Second, 90
	s.journal.keep = defaultJournal
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.access.demoUnlessGiven()
	s.snapshot = newSnapshot(s.media)
	s.routes = s.router()
	return s
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
// [http.ErrAbortHandler], as net/http asks of a handler; servers of net/http and
// [Server.Client] turn that into a broken connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, m := range s.mounts {
		if strings.HasPrefix(r.URL.Path, m.prefix) {
			m.handler.ServeHTTP(w, r)
			return
		}
	}
	// ServeMux would redirect these; to a client a redirect of a DELETE is a trap, and the
	// path is not one of the service's.
	if !clean(r.URL.EscapedPath()) {
		s.notFound(w, r)
		return
	}
	s.routes.ServeHTTP(w, r)
}

func (s *Server) router() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.notFound)
	mux.HandleFunc("DELETE /v2/access/chats/{userId}/messages/{messageId}", func(w http.ResponseWriter, r *http.Request) {
		s.unsend(w, r, r.PathValue("userId"), r.PathValue("messageId"))
	})
	return mux
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	x := s.begin(w, r)
	x.send(x.refuse(http.StatusNotFound, typeRouteNotFound, "No route for this method and path"))
}

func clean(escaped string) bool {
	if !strings.HasPrefix(escaped, "/") {
		return false
	}
	cleaned := path.Clean(escaped)
	return escaped == cleaned || cleaned != "/" && escaped == cleaned+"/"
}
