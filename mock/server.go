package mock

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
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
	err      error    // what Start returns: an option that cannot be used
	log      func(Entry, time.Duration)
	routes   map[string]http.HandlerFunc // by operation
	unknown  *http.ServeMux              // what no operation of the document serves
	mounts   []mount                     // of WithHandler
	handlers []mount                     // of WithOperation
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

// mount is a handler and the prefix of a path, or the pattern, that it serves.
type mount struct {
	pattern string
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
	s := &Server{opts: opts, media: 1, routes: map[string]http.HandlerFunc{}, unknown: http.NewServeMux(), document: ownDocument()}
	s.access.interval, s.access.burst = time.Second, 90
	s.journal.keep = defaultJournal
	s.messages.state, s.faults.script, s.faults.count = map[string]state{}, map[Message][]Fault{}, map[Message]uint64{}
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
	s.err = errors.Join(s.document.err, s.route())
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

// WithOperation executes an operation of the document by h, in place of its example or of
// unsending. The pattern is that of an [http.ServeMux], such as
// "GET /v2/access/chats/{userId}/messages"; its wildcards can be read with PathValue, and the
// body again. Credentials, rate limit, contract and faults come before h, which is called unless
// the fault means that nothing was done. The response of h is sent whole and is not checked.
//
// A pattern that [http.ServeMux] refuses, or that matches no operation of the document, gets 501
// and is named by the error of [Server.Start].
func WithOperation(pattern string, h http.Handler) Option {
	return func(s *Server) { s.handlers = append(s.handlers, mount{pattern, h}) }
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
		if strings.HasPrefix(r.URL.Path, m.pattern) {
			m.handler.ServeHTTP(w, r)
			_, _ = io.Copy(io.Discard, r.Body) // a client that is still writing would lose the response
			return
		}
	}
	// ServeMux would redirect paths that are not clean; a redirect of a DELETE is a trap.
	validator, err := s.document.validator()
	if err != nil || !isClean(r.URL.EscapedPath()) {
		s.handle((*exchange).noRoute)(w, r)
		return
	}
	id, values := validator.Operation(r)
	for name, value := range values {
		r.SetPathValue(name, value)
	}
	if route := s.routes[id]; route != nil {
		route(w, r)
		return
	}
	s.unknown.ServeHTTP(w, r)
}

// route finds what serves each operation of the document.
func (s *Server) route() error {
	errs := make([]error, len(s.handlers))
	for i, h := range s.handlers {
		errs[i] = fmt.Errorf("mock: WithOperation: the document has no operation %q", h.pattern)
		if err := register(http.NewServeMux(), h.pattern, http.NotFound); err != nil {
			errs[i] = fmt.Errorf("mock: WithOperation: %q is not a pattern: %w", h.pattern, err)
		}
	}
	for _, op := range s.document.operations {
		serve := func(x *exchange) { x.example(op, nil) }
		if op.id == "unsendChatMessage" {
			s.unsendOp, s.snapshot = op, newSnapshot(op.success(), s.media)
			serve = (*exchange).unsend
		}
		for i, h := range s.handlers {
			if op.matches(h.pattern) {
				serve, errs[i] = func(x *exchange) { x.custom(op, h) }, nil
			}
		}
		s.routes[op.id] = s.handle(serve)
	}
	s.unknown.HandleFunc("/", s.handle((*exchange).noRoute))
	for i, h := range s.handlers {
		if errs[i] != nil {
			_ = register(s.unknown, h.pattern, s.handle(func(x *exchange) { x.notImplemented(h.pattern) }))
		}
	}
	return errors.Join(errs...)
}

// register returns an error if ServeMux refuses the pattern, which it does by a panic.
func register(mux *http.ServeMux, pattern string, h http.HandlerFunc) (err error) {
	defer func() {
		if refused := recover(); refused != nil {
			err = fmt.Errorf("%v", refused)
		}
	}()
	mux.HandleFunc(pattern, h)
	return nil
}

// handle begins an exchange, reads its body, and logs it once it is complete.
func (s *Server) handle(serve func(*exchange)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
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
		serve(x)
	}
}

func isClean(escaped string) bool {
	return strings.HasPrefix(escaped, "/") && strings.TrimSuffix(escaped, "/") == strings.TrimSuffix(path.Clean(escaped), "/")
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
