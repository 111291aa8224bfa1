package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

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

// open opens the ledger. A dry run changes nothing in it, and has a private one if there is none.
func (p *ledgerTarget) open(ctx context.Context, dryRun bool, opts ...batch.Option) (*batch.Ledger, error) {
	switch {
	case p.address == "", dryRun && (p.fresh || p.empty):
		return sqlite.InMemory(opts...)
	case !isPostgres(p.address):
		return sqlite.Open(p.address, opts...)
	case !dryRun:
		return postgres.Open(ctx, p.address, p.run, opts...)
	}
	ledger, err := postgres.Open(ctx, p.address, p.run, append(opts, batch.ReadOnly())...)
	if errors.Is(err, fs.ErrNotExist) { // neither the schema nor the run is made
		return sqlite.InMemory(opts...)
	}
	return ledger, err
}
