// Package batch takes back many messages: it reads which, sends at each connection's pace,
// keeps a journal, and resumes.
//
//	input := batch.Inspect(batch.Read(file, batch.Auto), batch.Shard{})   // nothing is sent yet
//	journal, err := batch.OpenJournal("run.jsonl", input, resume)
//	…
//	items := batch.Good(batch.Read(file, batch.Auto))                     // from its start again
//	for result := range batch.Run(ctx, client, items, batch.Options{Journal: journal}) {
//		…
//	}
//
// # Outcomes
//
// Each row of the input gets one [Result]: [Unsent], [AlreadyGone], [Failed] or [Skipped].
// A message is what connection, user and message id say; rows that repeat one are sent once,
// and each gets its outcome.
//
//	what the client returned                                    outcome       a run that resumes
//	unsent, or already gone                                     the same      leaves it
//	404 RESOURCE_NOT_FOUND, where an earlier try may have acted already_gone  leaves it
//	400, 404, 422, or a 403 with a type of its own              failed        leaves it, unless it may have been unsent
//	no answer, 408, 429, 5xx but 501 and 505, RULES_OUTDATED,
//	a 2xx that cannot be read: tried ten times more, then       failed        sends it again
//	another 401, SESSION_ types, 403 FORBIDDEN or without type,
//	a certificate refused, a client that cannot work            failed, and its connection is stopped: sends it again
//	anything else                                               failed        sends it again
//	nothing, for its connection was stopped                     skipped       sends it again
//
// A connection is stopped too where nothing but passing failures came for 15 minutes.
//
// # Pace
//
// The client paces; a run sees to it that each connection always has a request ready, and
// that none waits for another. Items that failed in passing wait between half a second and 30
// seconds, longer each time, while others of the connection go on; a Retry-After holds the
// connection, for ten minutes at most. Where eight requests in a row fail in passing, or the
// first, the connection only probes until one does not.
//
// # Journal
//
// See [Journal] and [OpenJournal]. A killed run loses nothing: what it had sent, and not seen
// answered, may have been unsent, and is sent again; where the service then says that there
// is no such message, it is [AlreadyGone].
package batch
