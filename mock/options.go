package mock

import (
	"net/http"
	"time"
)

// Option changes a server that [New] makes.
type Option func(*Server)

// Message is the address of a message.
type Message struct{ UserID, MessageID string }

// WithMessages makes these the only messages that exist. It can be given more than once.
// Without it every id exists once: that is the mock's choice.
func WithMessages(list ...Message) Option {
	return func(s *Server) {
		for _, m := range list {
			s.messages.put(m)
		}
	}
}

// WithKeys accepts these API keys, which hold the permission messages:write, in place of
// [DemoKey].
func WithKeys(keys ...string) Option {
	return func(s *Server) { s.access.addKeys(true, keys) }
}

// WithReadOnlyKeys accepts these API keys, which lack the permission messages:write, in place
// of [DemoKey].
func WithReadOnlyKeys(keys ...string) Option {
	return func(s *Server) { s.access.addKeys(false, keys) }
}

// WithConnections knows these connections in place of [DemoConnection]. Any key may use any
// connection: that is the mock's choice.
func WithConnections(list ...Connection) Option {
	return func(s *Server) {
		for _, c := range list {
			s.access.setConnection(c)
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

// WithoutRateLimit lets every request through, as the plans Launch and Enterprise may, and
// sends no X-RateLimit headers.
func WithoutRateLimit() Option {
	return func(s *Server) { s.access.interval = 0 }
}

// WithClock sets the time that the rate limit and the journal go by. The default is
// [time.Now], which inside a testing/synctest bubble is the bubble's. Delays of faults always
// go by time's own timers.
func WithClock(now func() time.Time) Option {
	return func(s *Server) {
		if now != nil {
			s.now = now
		}
	}
}

// WithMedia sets how many media the snapshot of a message holds, 1 by default: each adds
// about 1.2 kB to the answer. Values below 0 are taken as 0.
func WithMedia(n int) Option {
	return func(s *Server) { s.media = max(0, n) }
}

// WithJournal sets how many entries the journal keeps, the newest ones; 10,000 by default. 0
// keeps none, a negative number keeps all.
func WithJournal(n int) Option {
	return func(s *Server) { s.journal.keep = n }
}

// WithFaults draws a fault for a share of the requests: rate is that share, 0 to 1. Which
// request meets which fault follows from the seed and the order of requests. With no faults
// given they are drawn from [DefaultFaults].
func WithFaults(seed uint64, rate float64, list ...Fault) Option {
	return func(s *Server) { s.faults.draw(seed, rate, list) }
}

// WithHandler answers paths that start with prefix by h, beside the API: a page of
// documentation, say. Such requests are not checked, limited or journaled.
func WithHandler(prefix string, h http.Handler) Option {
	return func(s *Server) {
		if h != nil {
			s.mounts = append(s.mounts, mount{prefix, h})
		}
	}
}
