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
// the client or for one call. The key goes to the configured host only: redirects
// are never followed, plain http is refused but for loopback, and no error, log record or
// printed value holds the key.
//
// # Outcomes
//
// A nil error means that the message is gone: [Unsent], or [AlreadyGone] where an attempt whose
// answer was lost had evidently succeeded. That is decided from the status and the top-level
// success of the answer alone, so no drift in the rest of it turns a success into an error.
// [Result.Queue] decodes the rest, the snapshot of the message, when asked for.
//
// # Errors
//
// Every error of [Client.Unsend] is an [*Error], except those refused before anything is sent,
// which are [ErrConfig] or [ErrInvalidID]. Test for the kind with [errors.Is] and the sentinels
// below; errors of the network and of the context stay reachable. Error.Scope tells what has to
// change before the same call can succeed, Error.Retryable that waiting may be enough, and
// [Error.Hint] what to do, in words. Where Error.MaybeUnsent is false, no attempt of the call
// can have unsent the message. No error holds the key or the text of a message.
//
// # Retries
//
// A call is retried twice unless [WithRetries] says otherwise, after exponential
// backoff with full jitter from 500 ms to 20 s, or after the answer's Retry-After where it has
// one. A Retry-After over 60 s is not waited for, nor is any wait that would outlast the context:
// the error returns at once, with RetryAfter set. Each attempt has its own timeout.
//
// The first row that fits says what an attempt means. A type counts only where the service
// itself answered: with a JSON object that has a string error and a type, code or requestId; or
// a message and a code; or a success.
//
//	what happened                                               retried  may have unsent  scope
//	the pace asks for a wait that is too long; not sent         later    no               service
//	context ended, or WithStop closed                           later    as its attempt   client
//	certificate or TLS refused before a request                 no       no               client
//	407, or CONNECT answered 4xx by a proxy                     no       no               client
//	no request written (dial, DNS, CONNECT 5xx)                 yes      no               service
//	answer lost, late, malformed, a TLS alert or reset          yes      yes              service
//	2xx that ended before success                               yes      yes              service
//	no final status (outside 200 to 599)                        no       yes              service
//	404 RESOURCE_NOT_FOUND after an attempt that may have       no       it has           AlreadyGone
//	success: false                                              no       no               message
//	2xx without a readable success                              no       yes              service
//	303, 501, 505                                               no       yes              service
//	408, any other 5xx                                          yes      yes              service
//	425, 429                                                    yes      no               service
//	401 RULES_OUTDATED                                          yes      no               service
//	400, 401, 403, 404, 422 that the service did not answer     no       no               service
//	401 or 403 SESSION_*                                        no       no               connection
//	any other 401; 402                                          no       no               account
//	403 FORBIDDEN or without a type                             no       no               connection
//	403 of any other type                                       no       no               message
//	404 RESOURCE_NOT_FOUND                                      no       no               message
//	400, 422                                                    no       no               message
//	any other 404 (ROUTE_NOT_FOUND)                             no       no               client
//	any other 3xx or 4xx                                        no       no               service
//
// # One attempt is one request
//
// Nothing below this package sends a request again, so each is counted, paced and judged. Over
// HTTP/2 net/http would, on the peer's word that it did nothing (REFUSED_STREAM, GOAWAY, some
// resets): no such promise is believed, for being wrong costs a message, and doubt costs a
// retry. A kept HTTP/1.1 connection that turns out to be closed before anything was written is
// no attempt: the request goes out at once on another. A transport of the caller's that retries
// by itself is noticed through net/http/httptrace, and makes its attempt one that may have acted.
//
// HTTP/1.1 cannot tell a surplus answer, which arrives after the next request was written, from
// the answer to that request. A connection of this package's own on which anything was odd is
// therefore closed, and not used again.
//
// # Pacing
//
// Requests, retries included, are paced to the service's token bucket for each connection: 60 a
// minute after a burst of 90, or as [WithRateLimit] says. The client's bucket follows the
// answers' X-RateLimit-Remaining and Retry-After down, so that another process on the same
// connection is noticed. A wait that would outlast the context is refused at once, as
// [ErrRateLimited] with RetryAfter set and StatusCode 0.
package api
