package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/ids"
)

// ErrLedger is returned when the ledger cannot be used: the file is not a ledger, belongs to
// another service, is locked or damaged, or the disk is full or failing. The error names which,
// and what to do.
var ErrLedger = errors.New("ledger")

// Ledger is a list of messages to unsend, and the record of each one's outcome. Open it with
// package batch/sqlite or batch/postgres. Methods are safe for concurrent use. During a run, Add
// and Replace return an error.
type Ledger struct {
	store    Store
	settings settings
	busy     atomic.Bool // during a run, an Add or a Replace
}

// NewLedger returns a ledger over the store that open returns. It is for stores of this module only;
// it may change in a minor version.
func NewLedger(open func(StoreOptions) (Store, error), opts ...Option) (*Ledger, error) {
	settings, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	store, err := open(settings.StoreOptions)
	if err != nil {
		return nil, err
	}
	return &Ledger{store: store, settings: settings}, nil
}

// acquire makes the ledger the caller's alone, until release.
func (l *Ledger) acquire() error {
	if !l.busy.CompareAndSwap(false, true) {
		return fmt.Errorf("%w %s is in use by a run, or something is being added to it; wait until that has ended", ErrLedger, l.Name())
	}
	return nil
}

func (l *Ledger) release() { l.busy.Store(false) }

// Add adds the rows to the ledger: all of them, or none if one is bad. The error is then an
// [*InputError] that lists the bad rows, or, if the input cannot be read to its end, one that
// matches [ErrInput]. With [SkipBad] bad rows are left out. A message that the ledger has is not
// added again, and a final one stays final. What was added is durable when Add returns. If the
// ledger fails, the error is an [ErrLedger].
func (l *Ledger) Add(ctx context.Context, rows iter.Seq2[Item, error], opts ...AddOption) (Added, error) {
	return l.add(ctx, rows, false, opts)
}

// Replace is Add, and makes the rows the list of messages to send: open messages that they lack
// are set aside, and sent only when a later list has them again. Final ones keep their outcome;
// [Options].RetryFailed no longer sends those that failed and are not listed.
func (l *Ledger) Replace(ctx context.Context, rows iter.Seq2[Item, error], opts ...AddOption) (Added, error) {
	return l.add(ctx, rows, true, opts)
}

func (l *Ledger) add(ctx context.Context, rows iter.Seq2[Item, error], replace bool, opts []AddOption) (Added, error) {
	if err := l.acquire(); err != nil {
		return Added{}, err
	}
	defer l.release()
	check := rowCheck{connection: l.settings.connection}
	for i, opt := range opts {
		if opt == nil {
			return Added{}, fmt.Errorf("%w: option %d of Add is nil; leave it out", ErrOptions, i+1)
		}
		opt(&check.settings)
	}
	how := AddMode{Replace: replace}
	if check.settings.preview {
		how.Preview = new(Totals)
	}
	added, err := l.store.Add(ctx, check.good(rows), how)
	if err != nil {
		return Added{}, err
	}
	added.preview = how.Preview
	added.BadRows, added.Bad, added.Ignored = check.bad.Rows, check.bad.Bad, check.ignored
	return added, nil
}

// Plan returns what a run would do now; retryFailed is that of its [Options].
func (l *Ledger) Plan(ctx context.Context, retryFailed bool) (Plan, error) {
	totals, err := l.store.Totals(ctx)
	if err != nil {
		return Plan{}, err
	}
	return totals.plan(retryFailed), nil
}

// Report sums up the outcomes.
func (l *Ledger) Report(ctx context.Context) (Report, error) {
	counts, err := l.store.Counts(ctx, false)
	if err != nil {
		return Report{}, err
	}
	groups, err := l.store.Groups(ctx, maxGroups)
	if err != nil {
		return Report{}, err
	}
	for i := range groups {
		groups[i].Scope = scopeOf(groups[i].Scope)
	}
	return Report{Counts: counts, Open: counts.Items - counts.Ended(), Service: l.store.Service(), Groups: groups}, nil
}

// Messages yields the messages that the filter selects, in the order in which they were added, as
// results. An error ends the loop.
func (l *Ledger) Messages(ctx context.Context, filter Filter) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		after := int64(0)
		for { // in parts, so that a slow loop blocks no other
			part, err := l.store.Messages(ctx, filter, after, maxMessages)
			if err = cmp.Or(err, ctx.Err()); err != nil {
				yield(Result{}, err)
				return
			}
			for i := range part {
				if !yield(part[i].result(), nil) {
					return
				}
			}
			if len(part) == 0 {
				return
			}
			after = part[len(part)-1].Key
		}
	}
}

// maxMessages is how many messages are read at once.
const maxMessages = 500

// result makes a result of what a ledger stores.
func (e *Entry) result() Result {
	r := Result{
		Item: e.Item, Outcome: e.Outcome, Final: e.Final, MaybeUnsent: e.Item.MaybeUnsent,
		Attempts: e.Attempts, RequestID: e.RequestID, EndedAt: e.At, Hint: e.Failure.Hint,
	}
	if e.Failure != (Failure{}) {
		r.Err = &api.Error{
			StatusCode: e.Failure.Status, Answered: e.Failure.Answered, Err: causes[e.Failure.Cause],
			Type: e.Failure.Type, Message: e.Failure.Text, Scope: scopeOf(e.Failure.Scope),
			RequestID: e.RequestID, Attempts: e.Attempts, MaybeUnsent: e.Item.MaybeUnsent,
		}
	}
	return r
}

// Name returns the ledger's path, or its address without the password.
func (l *Ledger) Name() string { return l.store.Name() }

// Service returns the service that the ledger is for, as [ServiceOf] writes it, or "mock"; empty
// if it is for any.
func (l *Ledger) Service() string { return l.store.Service() }

// Warning returns one line about a ledger that is usable, but less safe, as on a network file
// system; empty if there is none. A run may change it.
func (l *Ledger) Warning() string { return l.store.Warning() }

// Discard is Close. It also removes the ledger's file if opening this ledger created it and no
// run has begun on it: nobody else's ledger, and none with a record, is removed.
func (l *Ledger) Discard() error { return l.store.Close(true) }

// Close releases the ledger. A loop over [Run] must have ended.
func (l *Ledger) Close() error { return l.store.Close(false) }

// Option configures the opening of a ledger. A nil one is an [ErrOptions].
type Option func(*settings) error

type settings struct {
	StoreOptions

	connection string
}

// DefaultConnection sets the connection of items that name none. Without it they are bad rows.
func DefaultConnection(id string) Option {
	return func(s *settings) error {
		if err := ids.Check(id); err != nil {
			return fmt.Errorf("%w: %w: default connection %w", ErrOptions, api.ErrInvalidID, err)
		}
		s.connection = id
		return nil
	}
}

// ReadOnly opens a ledger for Report, Messages and Plan only; in PostgreSQL for [Preview] too. It
// takes no lock, works during a run, and creates nothing: if there is no such ledger, the error
// matches [io/fs.ErrNotExist].
func ReadOnly() Option {
	return func(s *settings) error {
		s.ReadOnly = true
		return nil
	}
}

// AddOption configures one call of [Ledger.Add] or [Ledger.Replace]. A nil one is an [ErrOptions].
type AddOption func(*addSettings)

type addSettings struct{ skipBad, preview bool }

// SkipBad leaves bad rows out and adds the others. An input that cannot be read to its end is
// refused all the same.
func SkipBad() AddOption {
	return func(s *addSettings) { s.skipBad = true }
}

// Preview makes Add and Replace store nothing: they report what they would have added, and
// [Added.Plan] what a run would then do.
func Preview() AddOption {
	return func(s *addSettings) { s.preview = true }
}

func newSettings(opts []Option) (settings, error) {
	var s settings
	for i, opt := range opts {
		if opt == nil {
			return s, fmt.Errorf("%w: option %d is nil; leave it out", ErrOptions, i+1)
		}
		if err := opt(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}
