// Package batch takes back many messages, on many connections, each at its own pace, and loses
// nothing that was said: not in a crash, a power cut, or a corrected input.
//
//	ledger, err := sqlite.Open("messages.db", batch.ForService(client), batch.DefaultConnection("conn_1"))
//	added, err := ledger.Replace(ctx, input.Read(file, input.Auto))   // all rows, or none
//	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
//		if err != nil {
//			return err // why the run ended early: the last pair
//		}
//		fmt.Println(result.Item.MessageID, result.Outcome, result.Err)
//	}
//	report, err := ledger.Report(ctx)
//
// # The ledger
//
// A [Ledger] is the work list and the record of what became of it. Package batch/sqlite keeps it
// in a SQLite file, whose tables are public (docs/batch/ledger.md); package batch/postgres keeps it in
// PostgreSQL, for many machines. Package batch/input reads the list from a file; any iterator of
// items will do. The same program with the same input goes on where the last run ended:
// there is no way to resume, since there is nothing else. A message is what connection, user and
// message id say; one that is listed twice is sent once. [Ledger.Replace] makes an input the
// list of what is still to be done: open messages that it does not list are set aside.
//
// # Outcomes
//
// Each message ends with one [Outcome], and each run yields a [Result] for each that ended in it.
//
//	what the client returned                           outcome       sent again by the next run
//	unsent, or already gone                            the same      no
//	an error of the message's scope                    failed        no, if the service itself said it and nothing is ambiguous
//	of the service's scope: tried ten times more, then failed        yes
//	of the connection's scope: that is stopped         failed        yes
//	of the account's or the client's: the run ends     failed        yes
//	nothing, for its connection was stopped            skipped       yes
//
// What a status or a type means is decided in package api, and nowhere here: see [api.Error].
// [Options].RetryFailed sends again what failed for good.
//
// # Pace and trouble
//
// The client paces each connection. A message that fails with a transient error waits between
// half a second and 30 seconds, longer each time, while others of its connection go on. After
// eight such failures in a row, or the first where nothing has succeeded yet, a connection only
// probes, until one request succeeds; after 15 minutes of nothing else it is stopped. A
// Retry-After holds the connection, for ten minutes at most.
//
// # How a run works
//
// One goroutine, the dispatcher, owns everything that changes: each connection's state, and a
// heap of connections by when each may send next. It reads a few messages of each ahead, so
// memory does not grow with their number. When a connection is due, its next message goes to
// the recorder, which writes to the ledger, one synced commit at a time; whatever comes while
// it syncs is in the next commit. A message whose commit is on the disk goes to a worker, which
// only sends, and hands the answer back to the dispatcher. An outcome takes the same way, and is
// yielded once it is on the disk. No goroutine belongs to a connection that waits.
//
//	                  due                        synced
//	heap ─> dispatcher ──> recorder (the ledger) ──────> worker ─> the service
//	             ^                     │                    │
//	             │                     └─ synced ─> results │
//	             └────────────── answer ────────────────────┘
//
// So a request that was sent is on record, whatever happens next: a message whose answer was
// not recorded may have been unsent, is sent again by the next run, and is [AlreadyGone] where
// the service does not know it any more. Where the ledger cannot be written, nothing more is
// sent, and nothing is told that it does not hold.
//
// [Store] says what a ledger asks of a database. [Run] knows of no other difference between them.
package batch
