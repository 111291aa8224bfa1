package batch

import (
	"context"
	"iter"

	"github.com/unsend-go/unsend/api"
)

// Run takes back the open messages of the ledger through client, which paces them, and yields
// a [Result] for each as it ends, once that is on record. Connections run side by side, each
// with a few requests in flight. A connection whose session or permission fails is stopped,
// and the rest of its messages are Skipped; so is one on which nothing but transient errors
// came for 15 minutes. An error of the account or of this program ends the run. A message that
// fails with a transient error is sent again, up to ten times, while others go on.
//
// Leaving the loop, like [Options].Stop, sends nothing more and waits for what is under way;
// the end of ctx stops that too. Messages that were never sent then yield no Result, and all
// that were do: what was cut short has Failed. [Progress.Err] says why a run ended early.
//
// Run is over when the loop is: nothing goes on behind it. Each loop over what Run returns is
// a run of its own. One ledger has one run at a time.
func Run(ctx context.Context, client *api.Client, ledger *Ledger, opts Options) iter.Seq[Result] {
	return func(func(Result) bool) {}
}
