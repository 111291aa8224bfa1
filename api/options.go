package api

import (
	"cmp"
	"context"
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
	maxRetries = 20
	maxTimeout = time.Hour
	maxRate    = 1_000_000 // requests a minute, and of a burst
)

// Option configures a [Client]. [New] and [FromEnv] take Options and SharedOptions.
type Option interface{ toClient(cfg *config) error }

// CallOption configures one call. [Client.Unsend] takes CallOptions and SharedOptions.
type CallOption interface{ toCall(c *call) error }

// SharedOption configures a client, or one call in place of what the client was given.
type SharedOption interface {
	Option
	CallOption
}

type (
	clientOption func(*config) error
	callOption   func(*call) error
	sharedOption func(*settings) error
)

func (o clientOption) toClient(cfg *config) error { return o(cfg) }
func (o callOption) toCall(c *call) error         { return o(c) }
func (o sharedOption) toClient(cfg *config) error { return o(&cfg.settings) }
func (o sharedOption) toCall(c *call) error       { return o(&c.settings) }

// settings are what a SharedOption sets.
type settings struct {
	connection string
	timeout    time.Duration
	retries    int
}

// config is what the options of a client set.
type config struct {
	settings
	key, keyName         string
	baseURL, baseURLName string
	plainHTTP            bool
	http                 http.Client // of the caller's, the transport, the timeout and the jar are used
	middleware           []func(http.RoundTripper) http.RoundTripper
	keyFunc              func(context.Context) (string, error)
	rate                 func(connectionID string) (perMinute, burst int)
	log                  *slog.Logger
	userAgent            string
}

// call is what the options of one call set.
type call struct {
	settings
	withUserID  string
	stop        <-chan struct{}
	maybeUnsent bool
}

func (cfg *config) apply(opts []Option) error {
	cfg.timeout, cfg.retries, cfg.userAgent = 30*time.Second, 2, "unsend-go/"+Version
	cfg.rate = func(string) (int, int) { return 60, 90 }
	cfg.log = slog.New(slog.DiscardHandler)
	fromEnv := cfg.connection
	for i, opt := range opts {
		if opt == nil {
			return configError("option %d is nil; leave it out", i+1)
		}
		if err := opt.toClient(cfg); err != nil {
			return err
		}
	}
	if cfg.connection != "" && cfg.connection == fromEnv && ids.Check(fromEnv) != nil {
		return optionError(checkID("OFAUTH_CONNECTION_ID", fromEnv))
	}
	if cfg.keyFunc == nil {
		return checkKey(cfg.keyName, cfg.key)
	}
	return nil
}

// base parses the configured base URL and refuses one that would expose the key.
func (cfg *config) base() (*url.URL, error) {
	name := cmp.Or(cfg.baseURLName, "base url")
	base, err := url.Parse(cmp.Or(cfg.baseURL, DefaultBaseURL))
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

// WithConnection sets the creator's connection that acts, such as "conn_abc123". Unsend returns an
// [ErrConfig] if there is none.
func WithConnection(id string) SharedOption {
	return sharedOption(func(s *settings) error {
		s.connection = id
		return optionError(checkID("connection id", id))
	})
}

// WithBaseURL sets the service's address; the default is [DefaultBaseURL]. It may have a path, but
// no user, query or fragment. Plain http is refused, but for loopback without a proxy of another
// machine; see [WithPlainHTTP].
func WithBaseURL(address string) Option {
	return clientOption(func(cfg *config) error {
		cfg.baseURL, cfg.baseURLName = address, ""
		return refuseIf(address == "", "base url is empty; leave the option out for %s", DefaultBaseURL)
	})
}

// WithPlainHTTP allows a base URL with plain http to a host that is not loopback, or through a
// proxy that is not. The API key then crosses the network unencrypted.
func WithPlainHTTP() Option {
	return clientOption(func(cfg *config) error {
		cfg.plainHTTP = true
		return nil
	})
}

// WithHTTPClient uses the Transport, Timeout and Jar that client has now, and ignores its redirect
// policy: redirects are never followed. If Transport is nil, the client's own is used. Section "The
// transport" describes what another may do; [WithMiddleware] keeps the client's own.
func WithHTTPClient(client *http.Client) Option {
	return clientOption(func(cfg *config) error {
		if client == nil {
			return configError("http client is nil; leave the option out for the default")
		}
		cfg.http = *client
		return nil
	})
}

// WithMiddleware wraps the transport, below the check of the host: with otelhttp.NewTransport, for
// example. Given more than once, the first is outermost. It receives requests with their
// credentials, and may send one again, which makes MaybeUnsent true. New returns an [ErrConfig] if
// wrap is nil or returns nil.
func WithMiddleware(wrap func(next http.RoundTripper) http.RoundTripper) Option {
	return clientOption(func(cfg *config) error {
		cfg.middleware = append(cfg.middleware, wrap)
		return refuseIf(wrap == nil, "middleware is nil; leave the option out for none")
	})
}

// WithKeyFunc calls key for the API key of each attempt of Unsend and of each call of Authenticate,
// for keys that rotate. It is called concurrently. The key of New may be empty then, and is not
// sent. If key returns an error or an invalid key, the call returns an [ErrConfig] and nothing is
// sent. The last 16 keys are redacted from errors and log records.
func WithKeyFunc(key func(ctx context.Context) (string, error)) Option {
	return clientOption(func(cfg *config) error {
		cfg.keyFunc = key
		return refuseIf(key == nil, "key function is nil; leave the option out for the key of New")
	})
}

// WithTimeout bounds each attempt, including dial and TLS, until its last byte is read: above 0, at
// most 1 h. The default is 30 s. The whole call is bounded by its context.
func WithTimeout(d time.Duration) SharedOption {
	return sharedOption(func(s *settings) error {
		s.timeout = d
		return refuseIf(d <= 0 || d > maxTimeout, "timeout %v is out of range; want more than 0 and at most %v", d, maxTimeout)
	})
}

// WithRetries sets how often a call is retried after transient errors: 0 to 20. The default is 2.
func WithRetries(n int) SharedOption {
	return sharedOption(func(s *settings) error {
		s.retries = n
		return refuseIf(n < 0 || n > maxRetries, "%d retries are out of range; want 0 to %d", n, maxRetries)
	})
}

// WithRateLimit keeps the requests of each connection within a token bucket: perMinute requests a
// minute after a burst. The default is 60 and 90, as on the pay-as-you-go and Starter plans; each
// is 1 to 1,000,000.
func WithRateLimit(perMinute, burst int) Option {
	return clientOption(func(cfg *config) error {
		cfg.rate = func(string) (int, int) { return perMinute, burst }
		return checkRate(perMinute, burst)
	})
}

// WithoutRateLimit disables the client's rate limit, for plans that have none.
func WithoutRateLimit() Option {
	return clientOption(func(cfg *config) error {
		cfg.rate = func(string) (int, int) { return 0, 0 }
		return nil
	})
}

// WithConnectionRate is [WithRateLimit] for connections on different plans, and replaces that option.
// It calls rate several times for each request, concurrently: rate must be quick. 0 requests a
// minute is no limit. If a rate is out of range, the call returns an [ErrConfig] and nothing is sent.
func WithConnectionRate(rate func(connectionID string) (perMinute, burst int)) Option {
	return clientOption(func(cfg *config) error {
		cfg.rate = rate
		return refuseIf(rate == nil, "connection rate is nil; leave the option out for WithRateLimit")
	})
}

func checkRate(perMinute, burst int) error {
	const wrong = "is out of range; want 1 to 1000000, or WithoutRateLimit"
	if perMinute < 1 || perMinute > maxRate {
		return configError("rate of %d requests a minute %s", perMinute, wrong)
	}
	return refuseIf(burst < 1 || burst > maxRate, "burst of %d requests %s", burst, wrong)
}

// WithLogger records every attempt and success of Unsend, and every wait of more than a second for
// the rate limit, at level debug, and every failed Unsend at warn: ids, status and timings, never a
// credential or a message's text.
func WithLogger(log *slog.Logger) Option {
	return clientOption(func(cfg *config) error {
		cfg.log = log
		return refuseIf(log == nil, "logger is nil; leave the option out for none")
	})
}

// WithUserAgent sets the User-Agent header: printable ASCII. The default is "unsend-go/" and [Version].
func WithUserAgent(agent string) Option {
	return clientOption(func(cfg *config) error {
		cfg.userAgent = agent
		return refuseIf(agent == "" || !isASCII(agent, ' '), "user agent must be printable ASCII and not empty")
	})
}

// WithStop ends the call between two attempts once stop is closed: a wait ends with [ErrStopped],
// and an attempt in flight completes. In a bubble of testing/synctest, make the channel inside the
// bubble.
func WithStop(stop <-chan struct{}) CallOption {
	return callOption(func(c *call) error {
		c.stop = stop
		return nil
	})
}

// WithMaybeUnsent is for a message that an earlier call may have unsent: MaybeUnsent begins true,
// and RESOURCE_NOT_FOUND means [AlreadyGone].
func WithMaybeUnsent() CallOption {
	return callOption(func(c *call) error {
		c.maybeUnsent = true
		return nil
	})
}

// WithUserID sets the withUserId of the request's body. The default is the chat's user id.
func WithUserID(id string) CallOption {
	return callOption(func(c *call) error {
		c.withUserID = id
		return optionError(checkID("with-user id", id))
	})
}

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
}

// refuseIf returns a configError if an option is wrong.
func refuseIf(wrong bool, format string, args ...any) error {
	if !wrong {
		return nil
	}
	return configError(format, args...)
}

// optionError returns the error of an option's id as an ErrConfig too.
func optionError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrConfig, err)
}

// checkID checks an id against the contract's pattern.
func checkID(name, id string) error {
	if err := ids.Check(id); err != nil {
		return fmt.Errorf("%w: %s %s", ErrInvalidID, name, err.Error())
	}
	return nil
}

// isASCII reports whether s has printable ASCII from least on only.
func isASCII(s string, least rune) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < least || r > '~' })
}
