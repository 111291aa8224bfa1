package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/unsend-go/unsend/api"
)

// maxExtra bounds the requests in flight beyond the first of each connection, which no other
// connection can take from it.
const maxExtra = 1024

// Run takes back the items' messages through client, which paces them, and yields a [Result]
// for each as it ends. Connections run side by side, each with a few requests in flight. A
// connection whose session or permission fails is stopped, and the rest of its items are
// Skipped; so is one on which nothing but passing failures came for 15 minutes. An item that
// fails in passing is sent again, up to ten times, while others go on.
//
// Leaving the loop, like [Options].Stop, sends nothing more and waits for what is under way;
// the end of ctx stops that too. Items that were never sent then yield no Result, and all
// that were do: what was cut short has Failed. [Progress.Err] says why a run ended early.
//
// The items are read on another goroutine, as fast as they come, and some 35 bytes are held
// for each. Run is over when the loop is: nothing goes on behind it. Each loop over what Run
// returns is a run of its own.
func Run(ctx context.Context, client *api.Client, items iter.Seq[Item], opts Options) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		r, err := newRun(ctx, client, opts)
		if err != nil {
			for item := range items {
				if !yield(Result{Item: item, Outcome: Failed, Err: err}) {
					return
				}
			}
			return
		}
		r.start(ctx, items, opts)
		defer r.finish()
		for result := range r.results {
			if !yield(result) {
				r.stop(ErrStopped)
				return
			}
		}
	}
}

// run is one run of a batch.
type run struct {
	client   *api.Client
	inFlight int
	shard    Shard
	journal  *Journal // nil for none

	ctx     context.Context //nolint:containedctx // that of the run, as long as it lives
	cancel  context.CancelFunc
	results chan Result
	ended   chan struct{} // closed when everything has ended
	working sync.WaitGroup
	helping sync.WaitGroup

	mu      sync.Mutex
	rows    *rows
	repeats repeats
	lanes   []*lane // by the number of the connection in rows; nil where the input did not name it
	order   []*lane
	extra   int   // workers beyond the first of each lane
	invalid int   // items that cannot be sent, for their ids
	read    bool  // all items were read
	over    bool  // everything has ended
	reason  error // why nothing more is sent
}

func newRun(ctx context.Context, client *api.Client, opts Options) (*run, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, fmt.Errorf("%w: context is nil; use context.Background()", ErrOptions)
	}
	r := &run{
		client:   client,
		inFlight: opts.InFlight,
		shard:    opts.Shard,
		journal:  opts.Journal,
		results:  make(chan Result, 64),
		ended:    make(chan struct{}),
		rows:     newRows(),
	}
	if r.journal != nil {
		known, err := r.journal.begin(opts.Shard)
		if err != nil {
			return nil, err
		}
		r.rows = known
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r, nil
}

func (r *run) start(ctx context.Context, items iter.Seq[Item], opts Options) {
	opts.Progress.follow(r)
	r.working.Go(func() { r.feed(items) })
	r.helping.Go(func() { r.watch(ctx, opts.Stop) })
	r.helping.Go(r.conclude)
	if r.journal != nil {
		r.helping.Go(func() { r.journal.out.syncUntil(r.ended) })
	}
}

// conclude waits for all that was begun, and ends the run.
func (r *run) conclude() {
	r.working.Wait()
	out := outbox{run: r}
	r.giveUpWaiting(&out)
	if err := r.journal.finish(); err != nil {
		r.stop(err)
	}
	r.mu.Lock()
	if c := r.total(); r.read && c.Ended() == c.Items && !errors.Is(r.reason, ErrJournal) {
		r.reason = nil // it was stopped with nothing left to do
	}
	r.over = true
	r.mu.Unlock()
	close(r.ended)
	close(r.results)
}

// finish waits until nothing of the run is left. Where the loop did not end by itself, as
// when its body panics, what is under way is stopped too.
func (r *run) finish() {
	if r.stop(ErrStopped) {
		r.cancel()
	}
	for range r.results { // nobody listens any more
	}
	r.helping.Wait()
	r.cancel()
}
