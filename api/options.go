package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/unsend-go/unsend/internal/ids"
	"github.com/unsend-go/unsend/internal/transport"
)

// Bounds of the options' values.
const (
	maxRetries   = 20
	maxTimeout   = time.Hour
	maxPerMinute = 1_000_000
	maxBurst     = 1_000_000
)

// Option configures a [Client].
type Option func(*config) error

type config struct {
	key, keyName               string
	connection, connectionName string // the name is that of the environment variable it came from
	baseURL, baseURLName       string
	plainHTTP                  bool
	http                       *http.Client
	timeout                    time.Duration
	retries                    int
	perMinute, burst           int // perMinute 0: no limit
	log                        *slog.Logger
	userAgent                  string
}

func (cfg *config) apply(opts []Option) error {
	cfg.timeout = 30 * time.Second
	cfg.retries = 2
	cfg.perMinute, cfg.burst = 60, 90
	cfg.userAgent = "unsend-go/" + Version
	for i, opt := range opts {
		if opt == nil {
			return configError("option %d is nil; leave it out", i+1)
		}
		if err := opt(cfg); err != nil {
			return err
		}
	}
	if cfg.connectionName != "" && cfg.connection != "" {
		if err := checkID(cfg.connectionName, cfg.connection); err != nil {
			return optionError(err)
		}
	}
	return checkKey(cfg.keyName, cfg.key)
}

// base parses the configured base URL and refuses what would send the key astray.
func (cfg *config) base() (*url.URL, error) {
	text, name := cfg.baseURL, "base url"
	if text == "" {
		text = DefaultBaseURL
	}
	if cfg.baseURLName != "" {
		name = cfg.baseURLName
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Host == "" || base.Hostname() == "":
		// The parser's error quotes the URL, which may hold a password.
		return nil, configError("%s is not a url; want something like %s", name, DefaultBaseURL)
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, configError("%s has the scheme %q; want https", name, base.Scheme)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, configError("%s has a user, a query or a fragment; leave only scheme, host and path", name)
	case base.Scheme == "http" && !cfg.plainHTTP && !transport.IsLoopback(base.Hostname()):
		return nil, configError("%s would send the api key unencrypted to %s; use https, or WithPlainHTTP if you must", name, base.Hostname())
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

func checkKey(name, key string) error {
	switch {
	case key == "":
		return configError("%s is missing; set it to your OFAuth API key", name)
	case !visibleASCII(key):
		return configError("%s has a space, a newline or another character that no key has; copy it again", name)
	}
	return nil
}

// WithConnection names the creator's connection that acts, such as "conn_abc123", for every
// call that does not name another with [OnConnection]. Without either, a call is an
// [ErrConfig].
func WithConnection(id string) Option {
	return func(cfg *config) error {
		cfg.connection, cfg.connectionName = id, ""
		return optionError(checkID("connection id", id))
	}
}

// WithBaseURL sets the service's address; the default is [DefaultBaseURL]. It may have a
// path, but no user, query or fragment. Plain http is refused unless the host is loopback;
// see [WithPlainHTTP]. So is plain http to loopback through a proxy that is not loopback.
func WithBaseURL(address string) Option {
	return func(cfg *config) error {
		if address == "" {
			return configError("base url is empty; leave the option out for %s", DefaultBaseURL)
		}
		cfg.baseURL, cfg.baseURLName = address, ""
		return nil
	}
}

// WithPlainHTTP allows a base URL with plain http to a host that is not loopback, or through a
// proxy that is not. The API key then crosses the network unencrypted.
func WithPlainHTTP() Option {
	return func(cfg *config) error {
		cfg.plainHTTP = true
		return nil
	}
}

// WithHTTPClient sends through a copy of client, with its Transport, Timeout and Jar. Its
// redirect policy is not used: redirects are never followed. Where its Transport is nil, one
// fit for many concurrent calls takes its place.
func WithHTTPClient(client *http.Client) Option {
	return func(cfg *config) error {
		if client == nil {
			return configError("http client is nil; leave the option out for the default")
		}
		cfg.http = client
		return nil
	}
}

// WithTimeout bounds each attempt, from its first byte sent to its last byte read. The
// default is 30 s; above 0, at most 1 h. The whole call is bounded by its context.
func WithTimeout(d time.Duration) Option {
	return func(cfg *config) error {
		cfg.timeout = d
		if d <= 0 || d > maxTimeout {
			return configError("timeout %v is out of range; want more than 0 and at most %v", d, maxTimeout)
		}
		return nil
	}
}

// WithRetries sets how often a call is tried again after a passing fault. The default is 2;
// 0 to 20.
func WithRetries(n int) Option {
	return func(cfg *config) error {
		cfg.retries = n
		if n < 0 || n > maxRetries {
			return configError("%d retries are out of range; want 0 to %d", n, maxRetries)
		}
		return nil
	}
}

// WithRateLimit paces requests on each connection to a plan's token bucket: perMinute
// requests a minute after a burst. The default is 60 and 90, as on the pay-as-you-go and
// Starter plans; each 1 to 1,000,000.
func WithRateLimit(perMinute, burst int) Option {
	return func(cfg *config) error {
		cfg.perMinute, cfg.burst = perMinute, burst
		switch {
		case perMinute < 1 || perMinute > maxPerMinute:
			return configError("rate of %d requests a minute is out of range; want 1 to %d, or WithoutRateLimit", perMinute, maxPerMinute)
		case burst < 1 || burst > maxBurst:
			return configError("burst of %d requests is out of range; want 1 to %d, or WithoutRateLimit", burst, maxBurst)
		}
		return nil
	}
}

// WithoutRateLimit sends at once, for plans that have no limit.
func WithoutRateLimit() Option {
	return func(cfg *config) error {
		cfg.perMinute = 0
		return nil
	}
}

// WithLogger records every attempt (level debug) and every outcome (info, or warn for an
// error): ids, status and timings, never a credential or a message's text.
func WithLogger(log *slog.Logger) Option {
	return func(cfg *config) error {
		if log == nil {
			return configError("logger is nil; leave the option out for none")
		}
		cfg.log = log
		return nil
	}
}

// WithUserAgent replaces the User-Agent header, which is "unsend-go/" and [Version].
func WithUserAgent(agent string) Option {
	return func(cfg *config) error {
		cfg.userAgent = agent
		if agent == "" || !printableASCII(agent) {
			return configError("user agent must be printable ASCII and not empty")
		}
		return nil
	}
}

// CallOption configures one call of [Client.Unsend].
type CallOption func(*call) error

type call struct {
	connection  string
	withUserID  string
	retries     int
	stop        <-chan struct{}
	maybeUnsent bool
}

// Retries retries a transient error of this call up to n times, in place of as many as
// [WithRetries] says; 0 to 20.
func Retries(n int) CallOption {
	return func(c *call) error {
		c.retries = n
		if n < 0 || n > maxRetries {
			return configError("%d retries are out of range; want 0 to %d", n, maxRetries)
		}
		return nil
	}
}

// StopWith lets the call begin no further attempt once stop is closed: what waits ends with
// an [ErrStopped], and an attempt under way goes on to its end.
func StopWith(stop <-chan struct{}) CallOption {
	return func(c *call) error {
		c.stop = stop
		return nil
	}
}

// MaybeUnsentBefore says that an earlier call may have unsent the message, so that MaybeUnsent
// begins true, and a RESOURCE_NOT_FOUND is [AlreadyGone].
func MaybeUnsentBefore() CallOption {
	return func(c *call) error {
		c.maybeUnsent = true
		return nil
	}
}

// OnConnection names the connection that acts in this call.
func OnConnection(id string) CallOption {
	return func(c *call) error {
		c.connection = id
		return optionError(checkID("connection id", id))
	}
}

// WithUserID sets the withUserId of the request's body, which is the chat's user id unless
// told otherwise.
func WithUserID(id string) CallOption {
	return func(c *call) error {
		c.withUserID = id
		return optionError(checkID("with-user id", id))
	}
}

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
}

// optionError makes an id that an option refused an error of the configuration too.
func optionError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrConfig, err)
}

// checkID holds an id against the contract's pattern.
func checkID(name, id string) error {
	if err := ids.Check(id); err != nil {
		return fmt.Errorf("%w: %s %s", ErrInvalidID, name, err.Error())
	}
	return nil
}

func visibleASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
