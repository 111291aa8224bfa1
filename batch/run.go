package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/unsend-go/unsend/api"
)

const (
	defaultInFlight = 4
	maxInFlight     = 1000
)

// Errors of [Run].
var (
	// ErrOptions is returned by Open and Add, and yielded by [Run], when an option, the
	// context, the client or the ledger cannot be used. Nothing is sent.
	ErrOptions = errors.New("invalid batch options")
	// ErrStopped is yielded by a run that [Options].Stop ended while messages were left.
	ErrStopped = api.ErrStopped
)

// Options configure [Run]. The zero value works.
type Options struct {
	// InFlight is how many requests one connection may have in flight, 1 to 1,000. The default
	// is 4. A connection starts with one, until the service has accepted it.
	InFlight int
	// Stop ends the run when it is closed: nothing more is sent, requests in flight are
	// completed, and their results yielded. To stop at once, end the context instead.
	Stop <-chan struct{}
	// Progress, if it is not nil, follows the run.
	Progress *Progress
	// RetryFailed also sends messages whose failure is final, if the last list includes them.
	RetryFailed bool
}

func (o *Options) validate() error {
	if o.InFlight == 0 {
		o.InFlight = defaultInFlight
	}
	if o.InFlight < 1 || o.InFlight > maxInFlight {
		return fmt.Errorf("%w: %d requests in flight are out of range; want 1 to %d", ErrOptions, o.InFlight, maxInFlight)
	}
	return nil
}

// Run unsends the open messages of the ledger through client, which applies each connection's
// rate limit, and yields a [Result] for each as it ends, once the ledger has stored it.
// Connections run side by side, each with a few requests in flight, and 4,096 of them in all. A
// connection whose session or permission fails is stopped, and the rest of its messages are
// Skipped; so is one on which nothing but transient errors came for 15 minutes. A message that
// fails with a transient error is sent again, up to ten times, while others continue.
//
// A run that ends early yields the reason as its last pair, with an empty Result: [ErrStopped], the
// context's error, an [ErrOptions] or [ErrLedger], or the [*api.Error] of the account's or the
// client's scope that ended it. A run that completes yields no error, whatever its messages'
// outcomes are.
//
// Leaving the loop, like [Options].Stop, sends nothing more and waits for the requests in flight;
// the end of ctx cancels them too. Then each message that was sent yields a Result, Failed if its
// request was cut short, and the others yield none. If a write to the ledger fails, the run stops
// before the next request and yields no result that was not stored.
//
// The run is complete when the loop ends: it leaves no goroutine behind. Each loop over the returned
// iterator is a run of its own. One ledger has one run at a time.
func Run(ctx context.Context, client *api.Client, ledger *Ledger, opts Options) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		progress := opts.Progress
		if progress == nil {
			progress = new(Progress)
		}
		progress.begin()
		r, err := newRun(ctx, client, ledger, opts, progress)
		if err == nil {
			err = r.loop(ledger, yield)
		}
		if err != nil {
			yield(Result{}, err)
		}
	}
}

// loop yields the results of the run, and returns why it ended early; nil if the caller left.
func (r *run) loop(ledger *Ledger, yield func(Result, error) bool) (early error) {
	defer ledger.release()
	go r.sessions()
	panicked := true
	defer func() {
		r.end(ErrStopped)
		if panicked { // cancel the requests in flight, too
			r.cancel()
		}
		for range r.results { // until nothing of the run is left
			continue
		}
		r.cancel()
	}()
	for result := range r.results {
		if !yield(result, nil) {
			panicked = false
			return nil
		}
	}
	panicked = false
	return r.early
}

// run is one run of a batch.
type run struct {
	ctx      context.Context //nolint:containedctx // that of the requests
	cancel   context.CancelFunc
	sending  context.Context         //nolint:containedctx // ends when nothing more is to be sent; its cause is the reason
	end      context.CancelCauseFunc // ends sending; the first reason stands
	client   *api.Client
	store    Store
	opts     Options
	progress *Progress
	countAt  time.Time   // when to read the counts of all workers again; the dispatcher's
	results  chan Result // closed when nothing of the run is left
	early    error       // why the run ended early; set before results is closed
}

func newRun(ctx context.Context, client *api.Client, ledger *Ledger, opts Options, progress *Progress) (*run, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	switch {
	case ctx == nil:
		return nil, fmt.Errorf("%w: context is nil; use context.Background()", ErrOptions)
	case ledger == nil || ledger.store == nil:
		return nil, fmt.Errorf("%w: ledger is nil; make it with sqlite.Open or postgres.Open", ErrOptions)
	case client.BaseURL() == "":
		return nil, fmt.Errorf("%w: client is nil or was not made by api.New", ErrOptions)
	case ledger.settings.ReadOnly:
		return nil, fmt.Errorf("%w %s is open for reading only", ErrLedger, ledger.Name())
	}
	service := StoreOptions{Service: ServiceOf(client)}
	if made := ledger.Service(); made != "" && (made != mockService || !isLocal(service.Service)) {
		if err := service.Check(ledger.Name(), made); err != nil {
			return nil, err
		}
	}
	if err := ledger.acquire(); err != nil {
		return nil, err
	}
	r := &run{client: client, store: ledger.store, opts: opts, progress: progress, results: make(chan Result, 64)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.sending, r.end = context.WithCancelCause(r.ctx)
	return r, nil
}

// maxLost is how many sessions in a row may lose their claims without an outcome, in some 13 minutes.
const maxLost = 30

// sessions works on the ledger until nothing is left or the run is ended. It begins a new session if
// the claims are lost, as when a database restarts.
func (r *run) sessions() {
	defer close(r.results)
	outcomes := 0
	for lost := 1; ; lost++ {
		err := r.session()
		r.progress.change(func() {
			if r.progress.outcomes > outcomes {
				outcomes, lost = r.progress.outcomes, 1
			}
		})
		if !errors.Is(err, ErrClaimLost) || r.sending.Err() != nil || lost > maxLost {
			r.conclude(err)
			return
		}
		r.progress.change(func() { r.progress.trouble = err })
		r.wait(backoff(lost))
	}
}

// session works on the ledger with one set of claims.
func (r *run) session() error {
	ctx := context.WithoutCancel(r.ctx)
	if err := r.store.Begin(ctx, r.opts.RetryFailed); err != nil {
		return err
	}
	err := r.recount(ctx)
	if err == nil {
		d := &dispatcher{run: r, events: make(chan event, maxInFlightOverall)}
		err = d.work()
	}
	if errors.Is(err, ErrClaimLost) {
		return err
	}
	if err == nil && r.store.Shared() {
		err = r.recount(ctx)
	}
	return cmp.Or(err, r.store.End(ctx))
}

// recount sets the progress to the ledger's counts. That may read millions of rows, so that it takes
// a twentieth of the time at most.
func (r *run) recount(ctx context.Context) error {
	start := time.Now()
	counts, err := r.store.Counts(ctx, true)
	now := time.Now()
	r.countAt = now.Add(20 * now.Sub(start))
	if err == nil {
		r.progress.recount(counts)
	}
	return err
}

// conclude sets why the run ended early; a stop with nothing left to do is not early.
func (r *run) conclude(err error) {
	if err != nil {
		r.end(err)
	}
	reason := context.Cause(r.sending)
	stopped := errors.Is(reason, ErrStopped) || reason != nil && errors.Is(reason, context.Cause(r.ctx))
	if c := r.progress.Counts(); !stopped || c.Ended() < c.Items {
		r.early = reason
	}
}

// wait returns after d, or when the run is ended.
func (r *run) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.sending.Done():
	case <-r.opts.Stop:
		r.end(ErrStopped)
	}
}
