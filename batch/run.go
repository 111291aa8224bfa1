package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/unsend-go/unsend/api"
)

// Run takes back the open messages of the ledger through client, which paces them, and yields
// a [Result] for each as it ends, once that is on record. Connections run side by side, each
// with a few requests in flight, and 4,096 of them in all. A connection whose session or
// permission fails is stopped, and the rest of its messages are Skipped; so is one on which
// nothing but transient errors came for 15 minutes. An error of the account or of this program
// ends the run. A message that fails with a transient error is sent again, up to ten times,
// while others go on.
//
// Leaving the loop, like [Options].Stop, sends nothing more and waits for what is under way;
// the end of ctx stops that too. Messages that were never sent then yield no Result, and all
// that were do: what was cut short has Failed. A ledger that cannot be written stops the run
// before the next request, and nothing is told that it does not hold. [Progress.Err] says why a
// run ended early.
//
// Run is over when the loop is: nothing goes on behind it. Each loop over what Run returns is
// a run of its own. One ledger has one run at a time.
func Run(ctx context.Context, client *api.Client, ledger *Ledger, opts Options) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		progress := opts.Progress
		if progress == nil {
			progress = new(Progress)
		}
		progress.begin()
		r, err := newRun(ctx, client, ledger, opts, progress)
		if err != nil {
			progress.change(func() { progress.err = err })
			return
		}
		defer ledger.give()
		go r.work()
		defer r.finish()
		for result := range r.results {
			if !yield(result) {
				r.halt(ErrStopped)
				return
			}
		}
	}
}

// run is one run of a batch.
type run struct {
	ctx      context.Context //nolint:containedctx // that of the run, as long as it lives
	cancel   context.CancelFunc
	client   *api.Client
	store    Store
	opts     Options
	progress *Progress
	results  chan Result
	ended    chan struct{} // closed when nothing of the run is left

	mu      sync.Mutex
	reason  error         // why nothing more is sent
	halting chan struct{} // closed once there is a reason
}

func newRun(ctx context.Context, client *api.Client, ledger *Ledger, opts Options, progress *Progress) (*run, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	switch {
	case ctx == nil:
		return nil, fmt.Errorf("%w: context is nil; use context.Background()", ErrOptions)
	case ledger == nil || ledger.store == nil:
		return nil, fmt.Errorf("%w: ledger is nil; make it with batch.Open", ErrOptions)
	case client.BaseURL() == "":
		return nil, fmt.Errorf("%w: client is nil or was not made by api.New", ErrOptions)
	case ledger.settings.readOnly:
		return nil, fmt.Errorf("%w %s is open for reading only", ErrLedger, ledger.Name())
	}
	if made := ledger.Service(); made != "" && made != mockService && made != ServiceOf(client) {
		return nil, fmt.Errorf("%w %s is of %s, not of %s", ErrLedger, ledger.Name(), made, ServiceOf(client))
	}
	if err := ledger.take(); err != nil {
		return nil, err
	}
	r := &run{
		client: client, store: ledger.store, opts: opts, progress: progress,
		results: make(chan Result, 64), ended: make(chan struct{}), halting: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r, nil
}

// work works on the ledger until nothing is left, or the run is halted. Where the claims are
// lost, as when a database was restarted, it begins again.
func (r *run) work() {
	defer close(r.ended)
	defer close(r.results)
	lost := 0 // times in a row
	for {
		err := r.session(&lost)
		if !errors.Is(err, ErrClaimLost) || r.halted() {
			r.halt(err)
			break
		}
		if lost++; lost > 30 { // some 13 minutes
			r.halt(fmt.Errorf("%w %s: %w", ErrLedger, r.store.Name(), err))
			break
		}
		r.progress.change(func() { r.progress.trouble = err })
		r.wait(backoff(lost))
	}
	r.conclude()
}

// session works on the ledger with one set of claims.
func (r *run) session(lost *int) error {
	ctx := context.WithoutCancel(r.ctx)
	if err := r.store.Begin(ctx, r.opts.RetryFailed); err != nil {
		return err
	}
	counts, err := r.store.Counts(ctx, true)
	if err == nil {
		*lost = 0
		r.progress.recount(counts)
		err = newDispatcher(r).work()
	}
	if errors.Is(err, ErrClaimLost) {
		return err
	}
	if err == nil && r.store.Shared() {
		if counts, err = r.store.Counts(ctx, true); err == nil {
			r.progress.recount(counts)
		}
	}
	if ending := r.store.End(ctx); err == nil {
		err = ending
	}
	return err
}

// conclude tells the progress why the run ended, unless nothing was left to do.
func (r *run) conclude() {
	r.mu.Lock()
	reason := r.reason
	r.mu.Unlock()
	r.progress.change(func() {
		c := r.progress.counts
		stopped := errors.Is(reason, ErrStopped) || reason != nil && errors.Is(reason, r.ctx.Err())
		if !stopped || c.Ended() < c.Items {
			r.progress.err = reason
		}
	})
}

// halt lets nothing more be sent. The first reason stands; halt reports whether it is this one.
// Without a reason it does nothing.
func (r *run) halt(reason error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason == nil || r.reason != nil {
		return false
	}
	r.reason = reason
	close(r.halting)
	return true
}

func (r *run) halted() bool {
	select {
	case <-r.halting:
		return true
	default:
		return false
	}
}

// wait returns after d, or when the run is to end.
func (r *run) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.halting:
	case <-r.opts.Stop:
		r.halt(ErrStopped)
	case <-r.ctx.Done():
		r.halt(r.ctx.Err())
	}
}

// finish waits until nothing of the run is left. Where the loop did not end by itself, as when
// its body panics, what is under way is stopped too.
func (r *run) finish() {
	select {
	case <-r.ended:
	default:
		if r.halt(ErrStopped) {
			r.cancel()
		}
	}
	for range r.results { // nobody listens any more
	}
	<-r.ended
	r.cancel()
}
