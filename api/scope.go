package api

// Scope tells whose trouble an error is: what has to change before the same call can succeed.
type Scope int

const (
	ScopeUnknown    Scope = iota // not an error of a call
	ScopeMessage                 // this message: other messages may succeed
	ScopeConnection              // the creator's connection: other connections may succeed
	ScopeAccount                 // the API key or its account: nothing succeeds until it is mended
	ScopeService                 // the service or the way to it: the same call may succeed later
	ScopeClient                  // this program, its configuration or its caller
)

// String returns "unknown", "message", "connection", "account", "service" or "client".
func (s Scope) String() string {
	switch s {
	case ScopeMessage:
		return "message"
	case ScopeConnection:
		return "connection"
	case ScopeAccount:
		return "account"
	case ScopeService:
		return "service"
	case ScopeClient:
		return "client"
	case ScopeUnknown:
	}
	return "unknown"
}
