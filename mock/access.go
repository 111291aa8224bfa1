package mock

import (
	"net/http"
	"sync"
	"time"
)

// State is how a connection answers.
type State string

// States of a connection. The zero State is a connection that works.
const (
	Active        State = ""
	Expired       State = "expired"        // 401 SESSION_EXPIRED, with actionRequired
	RulesOutdated State = "rules_outdated" // 401 RULES_OUTDATED
)

// Connection is a creator's connection, named by the header x-connection-id. The zero value
// but for the ID works and holds the permission messages:write.
type Connection struct {
	ID       string
	State    State
	ReadOnly bool // lacks messages:write: 403 FORBIDDEN
}

// access holds keys and connections, and what each connection may still send.
type access struct {
	mu          sync.Mutex
	keys        map[string]bool // whether the key holds messages:write
	connections map[string]*connection
	interval    time.Duration // one token; 0 is no limit
	burst       int
}

type connection struct {
	Connection
	bucket bucket
}

func (a *access) addKeys(write bool, keys []string) {
	if a.keys == nil {
		a.keys = map[string]bool{}
	}
	for _, key := range keys {
		if key != "" { // a request without a key must not match
			a.keys[key] = write
		}
	}
}

func (a *access) setConnection(c Connection) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.connections == nil {
		a.connections = map[string]*connection{}
	}
	switch known := a.connections[c.ID]; {
	case known != nil:
		known.Connection = c
	case c.ID != "":
		a.connections[c.ID] = &connection{Connection: c}
	}
}

func (a *access) demoUnlessGiven() {
	if a.keys == nil {
		a.addKeys(true, []string{DemoKey})
	}
	if a.connections == nil {
		a.setConnection(Connection{ID: DemoConnection})
	}
}

// SetConnection adds a connection, or changes a known one from the next request on. Its rate
// limit goes on from where it was.
func (s *Server) SetConnection(c Connection) { s.access.setConnection(c) }

// refusal says why a request is not carried out.
type refusal struct {
	status int
	kind   string
	text   string
	wait   time.Duration // of a 429
}

// check judges credentials, rate limit and permission, in this order. It names the
// connection where it is a known one, and says what is left of its bucket.
func (a *access) check(h http.Header, now time.Time) (refused *refusal, connectionID string, left level) {
	write, known := a.keys[h.Get("apiKey")]
	if !known {
		return unauthorized(typeUnauthorized, "Missing or invalid API key"), "", level{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.connections[h.Get("x-connection-id")]
	if c == nil {
		return unauthorized(typeSessionNotProvided, "Connection not found, or none named"), "", level{}
	}
	refused = a.judge(c, write, now)
	if a.interval > 0 {
		left = c.bucket.level(now, a.interval, a.burst)
	}
	return refused, c.ID, left
}

func (a *access) judge(c *connection, write bool, now time.Time) *refusal {
	switch c.State {
	case Expired:
		return unauthorized(typeSessionExpired, "The session of this connection has expired")
	case RulesOutdated:
		return unauthorized(typeRulesOutdated, "Signing rules are being refreshed")
	case Active:
	}
	if a.interval > 0 {
		if wait := c.bucket.take(now, a.interval, a.burst); wait > 0 {
			return &refusal{http.StatusTooManyRequests, typeRateLimitExceeded, "Rate limit exceeded", wait}
		}
	}
	if !write || c.ReadOnly {
		return &refusal{http.StatusForbidden, typeForbidden, "Permission required: messages:write", 0}
	}
	return nil
}

func unauthorized(kind, text string) *refusal {
	return &refusal{http.StatusUnauthorized, kind, text, 0}
}

func badRequest(text string) *refusal {
	return &refusal{http.StatusBadRequest, typeBadRequest, text, 0}
}
