package batch

// Wrap puts a store between a ledger and its own.
func (l *Ledger) Wrap(with func(Store) Store) { l.store = with(l.store) }
