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
		a.keys[key] = write
	}
}

func (a *access) setConnection(c Connection) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.connections == nil {
		a.connections = map[string]*connection{}
	}
	if known := a.connections[c.ID]; known != nil {
		known.Connection = c
		return
	}
	a.connections[c.ID] = &connection{Connection: c}
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

// check judges credentials, rate limit and permission, in this order, and says what is left
// of the connection's bucket, where there is one.
func (a *access) check(h http.Header, now time.Time) (*refusal, level) {
	write, known := a.keys[h.Get("apiKey")]
	if !known {
		return &refusal{status: http.StatusUnauthorized, kind: typeUnauthorized, text: "Missing or invalid API key"}, level{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.connections[h.Get("x-connection-id")]
	if c == nil {
		return &refusal{status: http.StatusUnauthorized, kind: typeSessionNotProvided, text: "Connection not found, or none named"}, level{}
	}
	switch c.State {
	case Expired:
		return &refusal{status: http.StatusUnauthorized, kind: typeSessionExpired, text: "The session of this connection has expired"}, a.level(c, now)
	case RulesOutdated:
		return &refusal{status: http.StatusUnauthorized, kind: typeRulesOutdated, text: "Signing rules are being refreshed"}, a.level(c, now)
	case Active:
	}
	if a.interval > 0 {
		if wait := c.bucket.take(now, a.interval, a.burst); wait > 0 {
			return &refusal{status: http.StatusTooManyRequests, kind: typeRateLimitExceeded, text: "Rate limit exceeded", wait: wait}, a.level(c, now)
		}
	}
	if !write || c.ReadOnly {
		return &refusal{status: http.StatusForbidden, kind: typeForbidden, text: "Permission required: messages:write"}, a.level(c, now)
	}
	return nil, a.level(c, now)
}

func (a *access) level(c *connection, now time.Time) level {
	if a.interval == 0 {
		return level{}
	}
	return c.bucket.level(now, a.interval, a.burst)
}
