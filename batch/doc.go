// Package batch unsends many messages over many connections. Progress is kept in a ledger, so that
// a run that crashed, lost power or was given a corrected list can be started again without losing
// or repeating work.
//
//	ledger, err := sqlite.Open("messages.db", batch.ForService(client), batch.DefaultConnection("conn_1"))
//	added, err := ledger.Replace(ctx, input.Read(file, input.Auto)) // all rows, or none
//	for result, err := range batch.Run(ctx, client, ledger, batch.Options{}) {
//		if err != nil {
//			return err // why the run ended early: the last pair
//		}
//		fmt.Println(result.Item.Ref, result.Item.MessageID, result.Outcome, result.Err)
//	}
//	report, err := ledger.Report(ctx)
//
// # The ledger
//
// A [Ledger] is the work list and the record of each message's outcome. Package batch/sqlite keeps
// it in a file, batch/postgres in PostgreSQL, for many machines. Package batch/input reads a list
// from a file; any iterator of items will do. The same program with the same list resumes where
// the last run ended. A message is identified by its connection, user and message ids. Duplicates
// are sent once. [Ledger.Add] adds a list to the messages that the ledger has. [Ledger.Replace] also
// sets aside the open messages that the list lacks, so that a run sends those of the list alone.
//
// A request is recorded before it is sent, and an outcome before it is yielded, each by a synced
// commit. A message whose response was not recorded may have been unsent: the next run sends it
// again, and it is [AlreadyGone] if the service has no such message any more. If a write to the
// ledger fails, nothing more is sent.
//
// # Outcomes
//
// Each message gets one [Outcome] in a run, which yields a [Result] for it.
//
//	what the client returned                           outcome       sent again by the next run
//	unsent, or already gone                            the same      no
//	an error of scope message                          failed        no, unless it may have been unsent or a gateway responded
//	an error of scope service, from all 11 attempts    failed        yes
//	of scope connection, which stops the connection    failed        yes
//	of scope account or client, which ends the run     failed        yes
//	nothing, as its connection was stopped             skipped       yes
//
// Package api decides what a status or a type means: see [api.Error]. With [Options].RetryFailed a
// run also sends the failed messages that it would not send again.
//
// # Rate limits and transient errors
//
// The client applies each connection's rate limit. A message that fails with a transient error
// waits between half a second and 30 seconds, longer each time, while others of its connection
// continue. After eight such failures in a row a connection sends one request at a time, at growing
// intervals, until one succeeds. So does a connection on which nothing has succeeded yet. If nothing
// succeeds for 15 minutes the connection is stopped. A Retry-After blocks the connection, for ten
// minutes at most.
package batch
