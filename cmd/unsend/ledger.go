package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/postgres"
	"github.com/unsend-go/unsend/batch/sqlite"
)

// envLedger is the environment variable that gives a ledger's address, so that it does not show
// in a process list.
const envLedger = "UNSEND_LEDGER"

type ledgerFlags struct {
	set     *pflag.FlagSet
	address string // as the flag, or an argument, has it
	run     string
}

func (f *ledgerFlags) register(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.run, "run", "", "`name` of the run in a PostgreSQL ledger")
}

// given returns the address of the flag or the environment. With a mock the environment does not
// count: it may lead to a real ledger.
func (f *ledgerFlags) given(mock bool) string {
	if f.address != "" || mock {
		return f.address
	}
	return os.Getenv(envLedger)
}

// ledgerSuffix makes the name of a ledger from that of its input.
const ledgerSuffix = ".unsend.db"

// ledgerTarget is the place of a ledger that exists or will be made.
type ledgerTarget struct {
	address string // a path, or that of a database; empty for a private one
	run     string // of a database
	fresh   bool   // there is no file yet
	empty   bool   // the file is empty
}

// target returns that of the batch of a file, - being standard input; if file is empty the ledger
// has the list. A mock has a private one unless one is named.
func (f *ledgerFlags) target(file string, mock, dryRun bool) (*ledgerTarget, error) {
	p := &ledgerTarget{address: f.given(mock), run: f.run}
	nameless := namelessInput(file)
	switch {
	case f.set.Changed("ledger") && f.address == "":
		return nil, errors.New("--ledger needs the name of a file, or an address")
	case p.address == "" && (mock || dryRun && nameless != ""):
		p.fresh = true
		return p, nil
	case p.address == "" && nameless != "":
		return nil, fmt.Errorf("%s has no name to name a ledger after; name one with --ledger", nameless)
	case p.address == "":
		p.address = file + ledgerSuffix
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.fresh && file == "" {
		return nil, fmt.Errorf("%s does not exist; name the ledger of a batch, such as messages.csv.unsend.db", quoted(p.address))
	}
	return p, nil
}

// namelessInput describes an input that cannot be found again by its name, or returns "".
func namelessInput(file string) string {
	info, err := os.Stat(file)
	switch {
	case file == "-":
		return "standard input"
	case strings.HasPrefix(file, "/dev/"), err == nil && !info.IsDir() && !info.Mode().IsRegular():
		return file + " is a pipe, and"
	}
	return ""
}

// check refuses an address that cannot name a ledger, and notes whether the file exists.
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
	if err == nil && info.IsDir() {
		return isDirectory(p.address)
	}
	p.fresh = errors.Is(err, fs.ErrNotExist)
	p.empty = err == nil && info.Size() == 0
	return nil
}

func (p *ledgerTarget) String() string {
	if p.run != "" {
		return withoutPassword(p.address) + ", run " + p.run
	}
	return p.address
}

// arguments returns what names the ledger to a command, as a shell reads it.
func (p *ledgerTarget) arguments() string {
	if p.run != "" {
		return quoted(withoutPassword(p.address)) + " --run " + quoted(p.run)
	}
	return quoted(p.address)
}

// open opens the ledger. A dry run does not change it, and uses one in memory if there is none.
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

// elsewhere returns the name of the ledger in the folder of a new one that shares the most messages
// and the service with it, such as the ledger of a list that was renamed. It reads the first messages
// of a few ledgers.
func (p *ledgerTarget) elsewhere(ctx context.Context, own *batch.Ledger) (best string) {
	const mostLedgers, mostOwn, most = 20, 100, 10_000
	if !p.fresh || p.address == "" || isPostgres(p.address) {
		return ""
	}
	known, found := firstMessages(ctx, own, mostOwn), 0
	names, _ := filepath.Glob(filepath.Join(filepath.Dir(p.address), "*.db")) // none of a folder that it cannot match
	for _, name := range names[:min(len(names), mostLedgers)] {
		if filepath.Base(name) == filepath.Base(p.address) {
			continue
		}
		other, err := sqlite.Open(name, batch.ReadOnly())
		if err != nil {
			continue
		}
		var messages map[[2]string]bool
		if other.Service() == own.Service() {
			messages = firstMessages(ctx, other, most)
		}
		_ = other.Close()
		shared := 0
		for key := range known {
			if messages[key] {
				shared++
			}
		}
		if shared > found {
			best, found = name, shared
		}
	}
	return best
}

// firstMessages returns the user and message ids of the first messages of a ledger.
func firstMessages(ctx context.Context, ledger *batch.Ledger, most int) map[[2]string]bool {
	found := map[[2]string]bool{}
	for r, err := range ledger.Messages(ctx, batch.All) {
		if err != nil || len(found) == most {
			break
		}
		found[[2]string{r.Item.UserID, r.Item.MessageID}] = true
	}
	return found
}
