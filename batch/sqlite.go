package batch

import "errors"

// Open opens the ledger of a path, a SQLite file, and creates it where there is none.
func Open(path string, opts ...Option) (*Ledger, error) {
	return nil, errors.ErrUnsupported
}

// InMemory returns a ledger that is forgotten when it is closed, or when the process ends: a
// private temporary file, so that many messages take no more memory than a few.
func InMemory(opts ...Option) (*Ledger, error) {
	return nil, errors.ErrUnsupported
}
