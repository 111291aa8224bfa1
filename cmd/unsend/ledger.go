package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/postgres"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// envLedger is the environment variable that gives a ledger's address, so that it does not show
// in a process list.
const envLedger = "UNSEND_LEDGER"

// ledgerFlags say which ledger a command works on.
type ledgerFlags struct {
	set     *pflag.FlagSet
	address string // as the flag, or an argument, has it
	run     string
}

func (f *ledgerFlags) register(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.run, "run", "", "`name` of the run in a PostgreSQL ledger")
}

// given is the address that the flag or the environment gives; none with a mock, which no
// environment should lead to what is real.
func (f *ledgerFlags) given(mock bool) string {
	if f.address != "" || mock {
		return f.address
	}
	return os.Getenv(envLedger)
}

// ledgerTarget is where a ledger is, or is to be.
type ledgerTarget struct {
	address string // a path, or that of a database; empty for a private one
	run     string // of a database
	fresh   bool   // there is nothing yet
	empty   bool   // there is an empty file
	copied  string // the folder of the copy that a dry run works on
}

// target is that of the batch of a file, - being standard input, or of what is in the ledger
// where file is empty. A mock has a private one unless one is named.
func (f *ledgerFlags) target(file string, mock, dryRun bool) (*ledgerTarget, error) {
	p := &ledgerTarget{address: f.given(mock), run: f.run}
	switch {
	case f.set.Changed("ledger") && f.address == "":
		return nil, errors.New("--ledger needs the name of a file, or an address")
	case p.address == "" && (mock || dryRun && file == "-"):
		p.fresh = true
		return p, nil
	case p.address == "" && file == "-":
		return nil, errors.New("standard input has no name to name a ledger after; name one with --ledger")
	case p.address == "":
		p.address = file + ".unsend.db"
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.fresh && file == "" {
		return nil, pathError(p.address, fs.ErrNotExist)
	}
	return p, nil
}

// check refuses an address that cannot name a ledger, and looks whether a file exists.
func (p *ledgerTarget) check() error {
	switch {
	case isPostgres(p.address) && p.run == "":
		return errors.New("a ledger in PostgreSQL holds many runs; name this one with --run")
	case isPostgres(p.address):
		return nil
	case isAddress(p.address):
		return fmt.Errorf("ledger %s: want a file, or an address that begins with postgres://", withoutPassword(p.address))
	case p.run != "":
		return errors.New("--run is for a ledger in PostgreSQL; leave it out, or give an address postgres://… to --ledger")
	}
	info, err := os.Stat(p.address)
	p.fresh = errors.Is(err, fs.ErrNotExist)
	p.empty = err == nil && info.Size() == 0
	return nil
}

// String names the ledger to a person.
func (p *ledgerTarget) String() string {
	if p.run != "" {
		return withoutPassword(p.address) + ", run " + p.run
	}
	return p.address
}

// open opens the ledger. A dry run gets one that it may change: a private one where there is
// none, or where the one of a database would be loaded into; a copy of a file; and a database to
// read only.
func (p *ledgerTarget) open(ctx context.Context, dryRun, loads bool, opts ...batch.Option) (*batch.Ledger, error) {
	switch {
	case p.address == "", dryRun && (p.fresh || p.empty), dryRun && loads && isPostgres(p.address):
		return sqlite.InMemory(opts...)
	case isPostgres(p.address):
		if dryRun {
			opts = append(opts, batch.ReadOnly())
		}
		return postgres.Open(ctx, p.address, p.run, opts...)
	}
	ledger, err := sqlite.Open(p.address, opts...) // which refuses what the real run would refuse
	if err != nil || !dryRun {
		return ledger, err
	}
	if err := ledger.Close(); err != nil {
		return nil, err
	}
	if p.copied, err = os.MkdirTemp("", "unsend-"); err != nil {
		return nil, err
	}
	duplicate := filepath.Join(p.copied, filepath.Base(p.address))
	if err := copyFile(duplicate, p.address); err != nil {
		return nil, err
	}
	return sqlite.Open(duplicate, opts...)
}

// remove takes away a ledger that the program has just made and does not need.
func (p *ledgerTarget) remove() {
	if !p.fresh || p.address == "" {
		return
	}
	path := p.address
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		_ = os.Remove(path + suffix)
	}
}

func copyFile(to, from string) error {
	in, err := openFile(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
