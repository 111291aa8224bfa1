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
//	what the client returned                                   outcome      sent again by a run that resumes
//	unsent, or already gone                                    the same     no
//	404 RESOURCE_NOT_FOUND, and an earlier try may have acted  already_gone no
//	400, 404, 422, or a 403 with a type of its own             failed       only if it may have been unsent
//	no answer, 408, 429, 5xx but 501 and 505, RULES_OUTDATED,
//	a 2xx that cannot be read: ten times more, then            failed       yes
//	other 401, SESSION_ types, 403 FORBIDDEN or without type   failed       yes
//	anything else                                              failed       yes
//	its connection was stopped                                 skipped      yes
//
// A connection is stopped by the last but two row of this table, by a certificate that is
// refused, by a client without a connection or configuration that works, and after 15
// minutes in which nothing but passing failures came.
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
