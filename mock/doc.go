// Package mock is an OFAuth in memory: a server that honors openapi.yaml, for tests and for
// trying things without an account.
//
// # In a test
//
//	server := mock.New()
//	client := server.Client() // an *http.Client without a socket
//
// Send requests with [DemoKey] and [DemoConnection] to any host. Client and server are those of
// net/http, joined by a pipe in memory: connections break, bodies end early and clients leave
// as they do on a network, and nothing outlives its request. Inside a testing/synctest bubble
// everything that waits (delays, the rate limit, timeouts) goes by virtual time.
//
// # On a socket
//
//	url, err := server.Start()
//	defer server.Close()
//
// [Server.StartAddr] listens on an address of your choice. Closed and started again, a server
// knows what it knew.
//
// # What it knows
//
// [WithMessages], [WithKeys], [WithReadOnlyKeys] and [WithConnections] say what exists and who
// may do what; [Server.SetConnection] and [Server.Remove] change it on the way. A request is
// checked in this order: credentials (401), the rate limit (429), permission (403), the
// contract (400, saying why), the message (404). The bodies of answers are the examples of
// openapi.yaml with the ids of the request. An operation of openapi.yaml that the mock does not
// know is answered 501.
//
// # What went on
//
// [Server.Journal] lists the requests and what became of them, [Server.Counts] counts them,
// [WithLog] tells of each as it ends, and [Server.Exists] and [Server.UnsentCount] tell about a
// message.
//
// # When things go wrong
//
// A [Fault] is anything but a plain answer: [Server.Next] scripts those of the next requests,
// [Server.NextFor] those of one message, [WithFaults] draws them from a seed. The next valid
// request consumes a scripted fault; requests rejected for credentials, rate limit or body do
// not. Whatever is scripted, no answer lies about the message.
//
// # Memory
//
// The server keeps the newest 10,000 requests (see [WithJournal]), less than 1 kB of each,
// whatever they held. Without [WithMessages], it also remembers each message that was unsent:
// about 100 bytes where the ids are decimal numbers, at most some 300 otherwise. Nothing else
// that clients send is kept.
//
// # The mock's own choices
//
// What the service does here is not known; nothing should be built on it:
//
//   - Without WithMessages every id exists once. A message belongs to the pair of user id and
//     message id.
//   - A second unsend of a message answers 404 RESOURCE_NOT_FOUND. No window of time closes.
//   - withUserId need not equal the user id of the path.
//   - Any key may use any connection, and any connection may unsend any message.
//   - Every request with a good key and a connection that works takes a token, whatever
//     becomes of it; a 429 takes none. The rate limit comes before the permission.
//   - X-RateLimit-Limit is the burst; X-RateLimit-Reset is in seconds from now, rounded up.
//     Where no connection is known, and without a rate limit, these headers are left out.
//   - Another path, and another method on the operation's path, answer 404 ROUTE_NOT_FOUND.
//     So do paths with empty or dot segments; they are not redirected.
//   - A request's body past 64 KiB is a 400.
//   - Request ids count up from req_000000000001, and come as X-Request-Id, too. Every error
//     has one, in the examples or not.
//   - The texts of errors, the type NOT_IMPLEMENTED of a 501, and the snapshot but for its ids.
package mock
