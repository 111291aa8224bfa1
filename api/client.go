package api

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/ratelimit"
	"github.com/unsend-go/unsend/internal/transport"
)

// Version is this module's version, sent in the User-Agent header.
const Version = "0.1.0"

// DefaultBaseURL is the service's address unless [WithBaseURL] or OFAUTH_BASE_URL says
// otherwise.
const DefaultBaseURL = "https://api-next.ofauth.com"

// Client unsends messages with one API key. Make it with [New] or [FromEnv]; it is safe for
// concurrent use, and meant to be shared: the pacing is counted in it.
type Client struct {
	generated *gen.Client
	settings
	standard bool               // requests go through net/http's own transport
	pace     *ratelimit.Limiter // nil without a rate limit
	log      *slog.Logger
	redact   func(string) string
	jitter   func(time.Duration) time.Duration
}

// New returns a client that authenticates with apiKey. It sends nothing. An unusable key or
// option is an [ErrConfig].
func New(apiKey string, opts ...Option) (*Client, error) {
	return build(config{key: apiKey, keyName: "api key"}, opts)
}

// FromEnv is [New] with the key of OFAUTH_API_KEY, and, unless options say otherwise, the
// connection of OFAUTH_CONNECTION_ID and the base URL of OFAUTH_BASE_URL. A missing key is
// an [ErrConfig] that names the variable; the other two may be unset.
func FromEnv(opts ...Option) (*Client, error) {
	return build(config{
		key:            os.Getenv("OFAUTH_API_KEY"),
		keyName:        "OFAUTH_API_KEY",
		settings:       settings{connection: os.Getenv("OFAUTH_CONNECTION_ID")},
		connectionName: "OFAUTH_CONNECTION_ID",
		baseURL:        os.Getenv("OFAUTH_BASE_URL"),
		baseURLName:    "OFAUTH_BASE_URL",
	}, opts)
}

func build(cfg config, opts []Option) (*Client, error) {
	if err := cfg.apply(opts); err != nil {
		return nil, err
	}
	base, err := cfg.base()
	if err != nil {
		return nil, err
	}
	own := transport.Client(cfg.http, base, cfg.plainHTTP, ErrConfig)
	client := &Client{
		generated: &gen.Client{
			Server:         base.String() + "/",
			Client:         own,
			RequestEditors: []gen.RequestEditorFn{authenticate(cfg.key, cfg.connection, cfg.userAgent)},
		},
		standard: transport.Standard(own) != nil,
		settings: cfg.settings,
		log:      cfg.log,
		redact:   redactor(cfg.key),
		jitter:   fullJitter,
	}
	if cfg.perMinute > 0 {
		client.pace = ratelimit.New(cfg.perMinute, cfg.burst)
	}
	return client, nil
}

// Generated returns the generated client for operations and bodies that this package does
// not wrap. It adds the same credentials, refuses other hosts and never follows redirects.
// It neither retries nor paces, checks no ids ("..", say, addresses another resource), and
// sends without a connection unless the client has one or a request editor of the call sets
// the x-connection-id header. Each call returns a copy.
func (c *Client) Generated() *gen.Client {
	if c == nil || c.generated == nil {
		return nil
	}
	generated := *c.generated
	generated.RequestEditors = slices.Clone(generated.RequestEditors)
	if client, ok := generated.Client.(*http.Client); ok {
		own := *client
		generated.Client = &own
	}
	return &generated
}

// BaseURL returns the service's address as the client uses it, without a slash at its end.
func (c *Client) BaseURL() string {
	if c == nil || c.generated == nil {
		return ""
	}
	return strings.TrimSuffix(c.generated.Server, "/")
}

// Delay returns how long the connection's pace asks to wait before the next request: 0 where it
// can go at once, and without a rate limit. It reserves nothing.
func (c *Client) Delay(connectionID string) time.Duration {
	if c == nil || c.pace == nil {
		return 0
	}
	return c.pace.Delay(connectionID)
}

// Header names in the form in which net/http keeps them: others cost an allocation each.
const (
	apiKeyHeader     = "Apikey"
	connectionHeader = "X-Connection-Id"
	requestIDHeader  = "X-Request-Id"
	remainingHeader  = "X-Ratelimit-Remaining"
	limitHeader      = "X-Ratelimit-Limit"
	resetHeader      = "X-Ratelimit-Reset"
	retryAfterHeader = "Retry-After"
)

// authenticate holds the key in a closure, where no formatting verb can reach it.
func authenticate(key, connection, userAgent string) gen.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		req.Header[apiKeyHeader] = []string{key}
		if connection != "" {
			req.Header[connectionHeader] = []string{connection}
		}
		req.Header["User-Agent"] = []string{userAgent}
		return nil
	}
}

// fullJitter draws a wait between nothing and ceiling.
func fullJitter(ceiling time.Duration) time.Duration {
	return rand.N(ceiling + 1)
}
