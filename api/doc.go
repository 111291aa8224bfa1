// Package api unsends chat messages through the OFAuth Access API, and says for certain
// whether each is gone.
//
//	client, err := api.New(apiKey, api.WithConnection("conn_123"))
//	…
//	result, err := client.Unsend(ctx, userID, messageID)
//
// # Authentication
//
// [New] takes the API key; [FromEnv] reads OFAUTH_API_KEY, OFAUTH_CONNECTION_ID and
// OFAUTH_BASE_URL. Every call acts on a creator's connection: [WithConnection] names one for
// the client, [OnConnection] for a call. The key goes to the configured host only: redirects
// are never followed, plain http is refused but for loopback, and no error, log record or
// printed value holds the key.
//
// # Outcomes
//
// A nil error means that the message is gone: [Unsent], or [AlreadyGone] where an attempt
// whose answer was lost had evidently succeeded. That is decided from the status and the
// top-level success of the answer alone, so no drift in the rest of it turns a success into
// an error. [Result.Queue] decodes the rest, the snapshot of the message, when asked for.
//
// # Errors
//
// Every error of [Client.Unsend] is an [*Error], except those refused before anything is
// sent, which are [ErrConfig] or [ErrInvalidID]. Test for the kind with [errors.Is] and the
// sentinels below; errors of the network and of the context stay reachable. Where
// Error.MaybeUnsent is false, no attempt of the call can have unsent the message.
//
// # Retries
//
// A call is retried twice unless [WithRetries] says otherwise, after exponential backoff
// with full jitter from 500 ms to 20 s, or after the answer's Retry-After where it has one.
// A Retry-After over 60 s is not waited for, nor is any wait that would outlast the context:
// the error returns at once, with RetryAfter set. Each attempt has its own timeout.
//
//	what happened                                           retried  may have unsent
//	no connection (dial, DNS, refused by a proxy)           yes      no
//	certificate or TLS configuration refused                no       no
//	answer lost, late, or cut before success                yes      yes
//	408, 5xx but 501 and 505                                yes      yes
//	429                                                     yes      no
//	401 RULES_OUTDATED                                      yes      no
//	404 RESOURCE_NOT_FOUND after an attempt that may have   no       it has: AlreadyGone
//	303, 501, 505, a 2xx without a readable success         no       yes
//	other 3xx and 4xx, success: false                       no       no
//	context ended                                           no       as the attempt it ended
//
// # Pacing
//
// Requests, retries included, are paced to the service's token bucket for each connection:
// 60 a minute after a burst of 90, or as [WithRateLimit] says. The client's bucket follows
// the answers' X-RateLimit-Remaining and Retry-After down, so that another process on the
// same connection is noticed. A wait that would outlast the context is refused at once, as
// [ErrRateLimited] with RetryAfter set and StatusCode 0.
package api
