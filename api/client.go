package api

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/ratelimit"
	"github.com/unsend-go/unsend/internal/transport"
)

// Version is this module's version, sent in the User-Agent header.
const Version = "0.1.0"

// DefaultBaseURL is the service's address unless [WithBaseURL] or OFAUTH_BASE_URL names another.
const DefaultBaseURL = "https://api-next.ofauth.com"

// Client unsends messages with one API key, and sends other operations of the contract. Make it
// with [New] or [FromEnv]. It is safe for concurrent use, and meant to be shared: it holds the state
// of the rate limit.
type Client struct {
	config
	guard       *transport.Guard
	server      string // the base URL, with a slash at its end
	keys        *keyring
	limiter     *ratelimit.Limiter
	jitter      func(time.Duration) time.Duration
	errorBodies chan struct{} // has an item for each error body that is being read
}

// In an outage thousands of error bodies arrive at once, and each is copied several times. A client
// reads maxErrorBodies of them at a time; each other waits for its turn for at most maxErrorTurn.
const (
	maxErrorBodies = 16
	maxErrorTurn   = 5 * time.Second
)

// New returns a client that authenticates with apiKey, which may be empty with [WithKeyFunc]. It
// sends nothing. It returns an [ErrConfig] if the key or an option is invalid.
func New(apiKey string, opts ...Option) (*Client, error) {
	return build(config{key: apiKey, keyName: "api key"}, opts)
}

// FromEnv is [New] with the key of OFAUTH_API_KEY and, unless options set others, the connection
// of OFAUTH_CONNECTION_ID and the base URL of OFAUTH_BASE_URL, which may both be unset. It returns
// an [ErrConfig] that names the variable if the key is missing.
func FromEnv(opts ...Option) (*Client, error) {
	return build(config{
		key: os.Getenv("OFAUTH_API_KEY"), keyName: "OFAUTH_API_KEY",
		baseURL: os.Getenv("OFAUTH_BASE_URL"), baseURLName: "OFAUTH_BASE_URL",
		settings: settings{connection: os.Getenv("OFAUTH_CONNECTION_ID")},
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
	guard, err := transport.NewGuard(transport.Config{
		Transport: cfg.http.Transport, Middleware: cfg.middleware, Base: base, PlainHTTP: cfg.plainHTTP, Refusal: ErrConfig,
	})
	if err != nil {
		return nil, err
	}
	keys := &keyring{fn: cfg.keyFunc, known: []string{cfg.key}}
	cfg.key = "" // a Client may be printed
	if cfg.http.Timeout <= 0 {
		cfg.http.Timeout = maxTimeout
	}
	return &Client{
		config: cfg, guard: guard, server: base.String() + "/", keys: keys, limiter: ratelimit.New(),
		jitter: fullJitter, errorBodies: make(chan struct{}, maxErrorBodies),
	}, nil
}

var errNoClient = configError("client is nil or was not made by New; make it with api.New")

// Generated returns a new generated client over [Client.HTTPClient] and [Client.Authenticate],
// with two methods for each operation of the contract, such as UnsendChatMessageWithResponse, which
// decodes the response, and UnsendChatMessage, which does not. Both send one request, and only a GET
// or HEAD is retried. Make a typed error of a response with [ErrorOf]. Generated returns nil for a nil
// Client.
func (c *Client) Generated() *gen.ClientWithResponses {
	if c == nil || c.guard == nil {
		return nil
	}
	return &gen.ClientWithResponses{ClientInterface: &gen.Client{
		Server: c.server, Client: c.HTTPClient(), RequestEditors: []gen.RequestEditorFn{c.Authenticate},
	}}
}

// HTTPClient returns a new http.Client for requests that [Client.Authenticate] prepared, such as
// those of another generated client. It sends to the client's host only, follows no redirect, waits
// for the rate limit of the request's x-connection-id, if any, and bounds each attempt by
// [WithTimeout] until its body is closed. A GET or HEAD without a body is retried as [Client.Unsend]
// is, with the same headers, and the last response is returned. Errors are an [*Error] in a
// [*url.Error]. A body over 8 MiB ends in an error. Of an error response 64 KiB are read, and its
// Content-Type is removed if the body is not JSON, so that generated parsers keep status and body.
// HTTPClient returns nil for a nil Client.
func (c *Client) HTTPClient() *http.Client {
	if c == nil || c.guard == nil {
		return nil
	}
	return &http.Client{Transport: &retryTransport{c}, Jar: c.http.Jar}
}

// BaseURL returns the service's address as the client uses it, without a slash at its end.
func (c *Client) BaseURL() string {
	if c == nil {
		return ""
	}
	return strings.TrimSuffix(c.server, "/")
}

// Delay returns how long the connection's rate limit would block a request now: 0 if it could be
// sent at once. It takes no token.
func (c *Client) Delay(connectionID string) time.Duration {
	if c == nil || c.guard == nil {
		return 0
	}
	rate, _ := c.rateOf(connectionID)
	return c.limiter.Delay(connectionID, rate)
}

// rateOf returns the rate of a connection, or zero if it has none, if its rate is invalid, or if there is
// no connection. It calls the caller's function outside of locks.
func (c *Client) rateOf(connectionID string) (ratelimit.Rate, error) {
	if connectionID == "" {
		return ratelimit.Rate{}, nil
	}
	perMinute, burst := c.rate(connectionID)
	if perMinute == 0 {
		return ratelimit.Rate{}, nil
	}
	if err := checkRate(perMinute, burst); err != nil {
		return ratelimit.Rate{}, err
	}
	return ratelimit.Rate{PerMinute: perMinute, Burst: burst}, nil
}

// waitForToken waits for the rate limit of a connection, unless ctx has ended or stop was closed. A
// wait of more than a second is logged.
func (c *Client) waitForToken(ctx context.Context, stop <-chan struct{}, connection string) error {
	rate, err := c.rateOf(connection)
	if err != nil {
		return err
	}
	return c.limiter.Wait(ctx, stop, connection, rate, c.logWait(ctx, connection))
}

// observe lowers the connection's bucket to what a response reports.
func (c *Client) observe(connection string, h http.Header) {
	rate, _ := c.rateOf(connection)
	c.limiter.Observe(connection, rate, count(h.Get(remainingHeader)), parseRetryAfter(h, time.Now()))
}

// retryTransport is the transport of [Client.HTTPClient].
type retryTransport struct{ client *Client }

// Unwrap returns the transport below.
func (t *retryTransport) Unwrap() http.RoundTripper { return t.client.guard }

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport below.
func (t *retryTransport) CloseIdleConnections() { t.client.guard.CloseIdleConnections() }

// RoundTrip sends a request, and repeats a GET or HEAD after a transient error.
func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	o := &operation{Client: t.client, request: req, key: req.Header.Get(apiKeyHeader), call: call{settings: t.client.settings}}
	o.call.connection = req.Header.Get(connectionHeader)
	if !isSafe(req) || req.Body != nil && req.Body != http.NoBody {
		o.call.retries = 0
	}
	var a *attempt
	var failure *Error
	if err := o.guard.Check(req); err != nil {
		failure = o.fail(req.Context(), notSent(err, nil))
	} else {
		a, failure = o.run(req.Context())
	}
	if a != nil && a.resp != nil {
		a.resp.Request = req
		return a.resp, nil
	}
	if o.attempts == 0 && req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, failure
}

func isSafe(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// boundedBody is the body of a 2xx, of which http.MaxBytesReader bounds the length.
type boundedBody struct {
	io.ReadCloser
	end      context.CancelFunc
	redactor redactor
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case isType[*http.MaxBytesError](err):
		err = transport.ErrTooLarge
	case err != nil && err != io.EOF: //nolint:errorlint // readers return it as it is
		err = redactError(err, b.redactor)
	}
	return n, err
}

func (b *boundedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// ErrorOf returns the typed error for a response of which body was read, by the table of
// docs/client/errors.md. It returns nil for any 2xx, even one with "success": false. Compare it with
// nil before it becomes an error: a nil *Error in an interface is not nil. Attempts is 1 and
// MaybeUnsent false; the key of resp.Request, if there is one, is redacted.
func ErrorOf(resp *http.Response, body []byte) *Error {
	if resp == nil || resp.StatusCode/100 == 2 {
		return nil
	}
	var r redactor
	if resp.Request != nil {
		key := resp.Request.Header.Get(apiKeyHeader)
		r.own = &key
	}
	e := describe(&attempt{resp: resp, status: resp.StatusCode, header: resp.Header, body: body}, r)
	e.Attempts, e.MaybeUnsent, e.other = 1, false, true
	return e
}
