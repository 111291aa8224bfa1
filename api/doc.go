// Package api is a thin wrapper of the client that is generated from openapi.yaml: it adds
// authentication, the rate limit and typed errors to every operation, and unsends chat messages
// through the OFAuth Access API with retries that never misreport a lost response.
//
//	client, err := api.New(apiKey, api.WithConnection("conn_123"))
//	…
//	result, err := client.Unsend(ctx, userID, messageID)
//
// # Authentication
//
// [New] takes the API key; [FromEnv] reads OFAUTH_API_KEY, OFAUTH_CONNECTION_ID and
// OFAUTH_BASE_URL; [WithKeyFunc] is for keys that rotate. Every call acts on a creator's
// connection: [WithConnection] sets it for the client or for one call. The key goes to the
// configured host only: redirects are never followed, plain http is refused but for loopback, and
// no error, log record or printed value holds a key of 8 characters or more.
//
// # Outcomes
//
// A nil error means that the message is gone: [Unsent], or [AlreadyGone] if the response to an
// attempt was lost and the next attempt found no such message. That is decided from the status and
// the top-level success of the response alone, so no drift in the rest of it turns a success into
// an error. [Result.Queue] decodes the rest, the snapshot of the message, on demand.
//
// # Errors
//
// Other errors are an [*Error], or [ErrConfig] or [ErrInvalidID] if an argument was refused. Test for
// the kind with [errors.Is]. For errors of Unsend, MaybeUnsent is false only if no attempt of the
// call can have unsent the message; [WithMaybeUnsent] passes a true one on to the next call. The
// most common errors, of the table in docs/client/errors.md:
//
//	what happened                     errors.Is              Scope       what to do
//	404 RESOURCE_NOT_FOUND            ErrNotFound            message     nothing: it is not there
//	401 SESSION_EXPIRED               ErrSessionExpired      connection  have the creator connect again
//	401 UNAUTHORIZED                  ErrUnauthorized        account     check the key
//	403 FORBIDDEN                     ErrForbidden           connection  grant messages:write
//	429, or the client's own limit    ErrRateLimited         service     wait for RetryAfter
//	5xx, or no response at all        ErrServer, or none     service     call again later
//
// # Retries
//
// A transient error is retried twice unless [WithRetries] sets another number, after exponential
// backoff with full jitter from 500 ms to 20 s, or after the response's Retry-After. A Retry-After
// over 60 s is not waited for, nor is any wait that would outlast the context: the error returns
// at once, with RetryAfter set. Each attempt has its own timeout, [WithTimeout].
//
// # Other operations
//
// [Client.Generated] is the generated client with the same credentials, host check, bounds and rate
// limit. It retries a GET or HEAD, with the same headers, and nothing else. For a client generated
// from a longer openapi.yaml, pass it [Client.HTTPClient] and [Client.Authenticate], and make its
// errors with [ErrorOf].
//
// # The transport
//
// The client's own transport speaks HTTP/1.1 only, one request at a time on a connection, so that
// each request is counted and a lost connection makes one message ambiguous. Unsend keeps a
// connection only behind a response that the service itself sent; HTTPClient keeps connections as
// net/http does. One limitation of net/http remains: bytes behind a response that arrive in the
// same segment may be taken for the next response. It logs them by package log, which
// [log.SetOutput] silences.
//
// [WithHTTPClient] replaces the transport, and these guarantees with its own. HTTP/2 of net/http can
// be blocked by its peer beyond every deadline, loses all requests of a connection with it, and
// stays on a dead connection for minutes. A transport that sends a request again is noticed by the
// connections that it requests through [net/http/httptrace], and makes MaybeUnsent true; one that
// uses another context is not noticed. [WithMiddleware] is preferred for tracing, but otelhttptrace
// would record the key: it stores every request header.
//
// # Rate limit
//
// Requests, retries included, stay within the service's token bucket for each connection: 60 a
// minute after a burst of 90, or as [WithRateLimit] or [WithConnectionRate] set. X-RateLimit-Remaining
// and Retry-After of responses lower it, so that another process on the same connection is noticed;
// a Retry-After blocks the connection for at most 60 s. Waiting requests keep their order. A wait
// that would outlast the context is refused before it begins.
package api
