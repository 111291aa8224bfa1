// Package mock is an in-memory OFAuth server that honors openapi.yaml, for tests in any language and
// for experiments without an account.
//
// # In a test
//
//	server := mock.New()
//	client := server.Client() // an *http.Client without a socket
//
// Send requests with [DemoKey] and [DemoConnection] to any host. Client and server are those of
// net/http, joined by a pipe in memory: connections break, bodies end early and clients leave
// as they do on a network, and nothing outlives its request.
//
// Inside a testing/synctest bubble everything that waits (delays, the rate limit, timeouts) uses
// virtual time. Make all channels and contexts that a call uses inside the bubble, that of
// api.WithStop too. If one was made outside, the bubble's time does not advance and the test hangs.
//
// [Server.Start] listens on a socket instead, [Server.StartAddr] on an address of your choice. A
// server that was closed and started again still has its messages, faults and journal.
//
// # What it does
//
// A request is checked in this order: credentials (401), the rate limit (429), the permission to
// write (403), the contract (400, with the reason), the message (404). The bodies of responses are
// the examples of openapi.yaml; a snapshot has the ids of the message. [WithMessages], [WithKeys]
// and [WithConnections] set what exists and who may do what.
//
// Any operation of openapi.yaml is served by its example, behind the same checks and faults; one
// without an example gets 501, and one without security needs no key. [WithOperation] executes one by
// a handler of yours, and [WithDocument] serves a longer OpenAPI document of your own.
//
// A [Fault] makes a response differ: [Server.Next] scripts those of the next requests,
// [Server.NextFor] those of one message, [WithFaults] draws them from a seed. The next valid
// request consumes a scripted fault; requests refused for credentials, rate limit or contract do
// not. Whatever is scripted, no response that arrives misreports whether the message was unsent.
//
// [Server.Journal] lists the requests and their responses, the newest 10,000 (see [WithJournal]),
// less than 1 kB of each; [WithBodies] keeps headers and bodies, 8 MiB in all. Without WithMessages
// the server remembers each message that was unsent, in some 300 bytes at most. [WithControl] lets
// programs in any language script and read all this by HTTP: docs/client/mock.md lists the paths.
//
// # The mock's own choices
//
// How the service behaves here is unknown; do not rely on it:
//
//   - Without WithMessages every id exists once. A message belongs to the pair of user id and
//     message id.
//   - A second unsend of a message gets 404 RESOURCE_NOT_FOUND. There is no time limit on
//     unsending.
//   - withUserId need not equal the user id of the path.
//   - Any key may use any connection, and any connection may unsend any message. A read-only
//     connection may GET.
//   - Every request with a good key and an active connection takes a token, whatever its response;
//     a 429 takes none. The rate limit comes before the permission.
//   - X-RateLimit-Limit is the burst; X-RateLimit-Reset is in seconds from now, rounded up. Both
//     are absent if the request names no known connection, or the mock has no rate limit.
//   - Another path, and another method on a path of the document, get 404
//     ROUTE_NOT_FOUND. So do paths with empty or dot segments; they are not redirected.
//   - A request's body of more than 64 KiB is a 400.
//   - Request ids count up from req_000000000001, and are sent as X-Request-Id, too. Every error
//     has one, whether its example does or not.
//   - The texts of errors, the type NOT_IMPLEMENTED of a 501, and the snapshot but for its ids.
package mock
