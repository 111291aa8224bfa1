package mock

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unsend-go/unsend/internal/ids"
)

// State is the state of a connection.
type State string

// States of a connection. The zero State is active.
const (
	Active        State = ""
	Expired       State = "expired"        // 401 SESSION_EXPIRED, with actionRequired
	RulesOutdated State = "rules_outdated" // 401 RULES_OUTDATED
)

// Connection is a creator's connection, named by the header x-connection-id.
type Connection struct {
	ID       string
	State    State
	ReadOnly bool // lacks the permission messages:write: 403 FORBIDDEN
}

// ParseConnection reads a connection from "ID" or "ID:STATE", whose state is active, expired,
// rules_outdated or read_only.
func ParseConnection(text string) (Connection, error) {
	id, state, _ := strings.Cut(text, ":")
	if err := ids.Check(id); err != nil { // no client could send it
		return Connection{}, fmt.Errorf("the id %w", err)
	}
	c := Connection{ID: id}
	switch state {
	case "", "active":
	case string(Expired), string(RulesOutdated):
		c.State = State(state)
	case "read_only":
		c.ReadOnly = true
	default:
		return Connection{}, fmt.Errorf("%s: no state %q; use active, expired, rules_outdated or read_only", id, state)
	}
	return c, nil
}

// WithKeys accepts these API keys in place of [DemoKey].
func WithKeys(keys ...string) Option {
	return func(s *Server) { s.SetKeys(slices.AppendSeq(slices.Clone(keys), maps.Keys(s.access.keys))...) }
}

// SetKeys accepts these API keys alone from the next request on, as after a rotation. Empty ones
// are ignored.
func (s *Server) SetKeys(keys ...string) {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	s.access.keys = map[string]bool{}
	for _, key := range keys {
		if key != "" { // a request without a key must not match
			s.access.keys[key] = true
		}
	}
}

// WithConnections accepts these connections, with any key, in place of [DemoConnection].
func WithConnections(list ...Connection) Option {
	return func(s *Server) {
		for _, c := range list {
			s.SetConnection(c)
		}
	}
}

// WithRateLimit gives each connection a token bucket that holds burst requests and gains
// perMinute of them a minute. The default is 60 and 90; values below 1 are taken as 1, those
// above a million as a million.
func WithRateLimit(perMinute, burst int) Option {
	return func(s *Server) {
		perMinute, burst := min(max(1, perMinute), 1_000_000), min(max(1, burst), 1_000_000)
		// Rounded up, so that no minute ever holds more than perMinute.
		s.access.interval = (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute)
		s.access.burst = burst
	}
}

// WithoutRateLimit sets no rate limit, as the plans Launch and Enterprise may have none, and sends
// no X-RateLimit headers.
func WithoutRateLimit() Option {
	return func(s *Server) { s.access.interval = 0 }
}

// SetConnection adds a connection, or changes a known one from the next request on, keeping its token
// bucket.
func (s *Server) SetConnection(c Connection) {
	a := &s.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.connections == nil {
		a.connections = map[string]*connection{}
	}
	switch known := a.connections[c.ID]; {
	case known != nil:
		known.Connection = c
	case c.ID != "": // a request without a connection must not match
		a.connections[c.ID] = &connection{Connection: c}
	}
}

// access holds keys, and connections with their token buckets. Requests add nothing to it.
type access struct {
	mu          sync.Mutex
	keys        map[string]bool
	connections map[string]*connection
	interval    time.Duration // one token; 0 is no limit
	burst       int
}

type connection struct {
	Connection

	full time.Time // when its token bucket is full again; the zero time is a full one
}

// refusal is why a request is not executed.
type refusal struct {
	status    int
	errorType string
	text      string        // in place of the example's
	wait      time.Duration // of a 429
}

// check checks credentials, rate limit and permission, in this order. It returns the id of a known
// connection, and what is left of its bucket.
func (a *access) check(r *http.Request, now time.Time) (refused *refusal, connectionID string, left level) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.keys[r.Header.Get("apiKey")] {
		return &refusal{status: http.StatusUnauthorized, errorType: "UNAUTHORIZED"}, "", level{}
	}
	c := a.connections[r.Header.Get("x-connection-id")]
	if c == nil {
		return &refusal{status: http.StatusUnauthorized, errorType: "SESSION_NOT_PROVIDED"}, "", level{}
	}
	switch c.State {
	case Expired:
		refused = &refusal{status: http.StatusUnauthorized, errorType: "SESSION_EXPIRED"}
	case RulesOutdated:
		refused = &refusal{status: http.StatusUnauthorized, errorType: "RULES_OUTDATED"}
	default:
		if wait := a.takeLocked(c, now); wait > 0 {
			refused = &refusal{status: http.StatusTooManyRequests, errorType: "RATE_LIMIT_EXCEEDED", wait: wait}
		} else if c.ReadOnly && r.Method != http.MethodGet && r.Method != http.MethodHead {
			refused = &refusal{status: http.StatusForbidden, errorType: "FORBIDDEN"}
		}
	}
	return refused, c.ID, a.levelLocked(c, now)
}

// takeLocked takes a token of the connection, or returns how long until there is one.
func (a *access) takeLocked(c *connection, now time.Time) (wait time.Duration) {
	if a.interval == 0 {
		return 0
	}
	missing := max(0, c.full.Sub(now)) + a.interval
	if wait := missing - time.Duration(a.burst)*a.interval; wait > 0 {
		return wait
	}
	c.full = now.Add(missing)
	return 0
}

// level is the content of the X-RateLimit headers; zero for none.
type level struct {
	limit, remaining int
	reset            time.Duration // until the bucket is full
}

func (a *access) levelLocked(c *connection, now time.Time) level {
	if a.interval == 0 {
		return level{}
	}
	missing := max(0, c.full.Sub(now))
	// A token that is not whole yet does not count.
	taken := int((missing + a.interval - 1) / a.interval)
	return level{limit: a.burst, remaining: a.burst - taken, reset: missing}
}
