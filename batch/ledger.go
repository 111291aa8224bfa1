package batch

import (
	"context"
	"errors"
	"iter"
)

// ErrLedger is a ledger that cannot be used: no ledger, another service's, in use by another
// process, damaged, or on a disk that is full or fails. The error says which, and what to do.
var ErrLedger = errors.New("ledger")

// Ledger is a list of messages to take back, and the record of what became of each. Make it
// with [Open], [InMemory], or a package of another [Store]; [Run] works on it. Its methods may
// be called at the same time, and while a run goes on.
type Ledger struct {
	store    Store
	settings settings
}

// NewLedger returns a ledger over a store, for packages that have one.
func NewLedger(store Store, opts ...Option) (*Ledger, error) {
	return nil, errors.ErrUnsupported
}

// Add adds the rows to the ledger: all of them, or none where one is bad. The error is then an
// [*InputError] that lists the bad rows, or whatever error of rows matches [ErrInput] where
// reading could not go on. With [SkipBad] bad rows are left out. A message that the ledger has
// already is not added again, and one that has ended stays ended. What was added is on the
// disk when Add returns.
func (l *Ledger) Add(ctx context.Context, rows iter.Seq2[Item, error], opts ...AddOption) (Added, error) {
	return Added{}, errors.ErrUnsupported
}

// Replace is Add, and makes the rows the list of what is still to be done: open messages that
// rows does not list are set aside. They stay in the ledger, and are sent only once a later
// input lists them again. What has ended is not touched.
func (l *Ledger) Replace(ctx context.Context, rows iter.Seq2[Item, error], opts ...AddOption) (Added, error) {
	return Added{}, errors.ErrUnsupported
}

// Plan tells what a run would do now. RetryFailed is that of [Options].
func (l *Ledger) Plan(ctx context.Context) (Plan, error) {
	return Plan{}, errors.ErrUnsupported
}

// Report sums up what became of the messages.
func (l *Ledger) Report(ctx context.Context) (Report, error) {
	return Report{}, errors.ErrUnsupported
}

// Messages yields the messages that the filter asks for, by line, and how each ended. An error
// ends the loop.
func (l *Ledger) Messages(ctx context.Context, filter Filter) iter.Seq2[Result, error] {
	return func(func(Result, error) bool) {}
}

// Name returns how the ledger is called: its path, or its address without the password.
func (l *Ledger) Name() string { return "" }

// Warning returns one line about a ledger that works, but not as safely as it should, such as
// on a network file system; empty where there is none.
func (l *Ledger) Warning() string { return "" }

// Close gives the ledger back. A run that goes on ends first.
func (l *Ledger) Close() error { return nil }
