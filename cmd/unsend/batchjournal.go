package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/unsend-go/unsend/batch"
)

// openJournal opens the journal of the run, if it has one. A dry run writes none, but knows
// what is left where it would resume.
func (o *batchOptions) openJournal(name string, input batch.Input) (*batch.Journal, error) {
	path := o.journalPath(name)
	if path == "" {
		return nil, nil //nolint:nilnil // a nil journal is none
	}
	if o.dryRun {
		if _, err := os.Stat(path); !o.resume || errors.Is(err, fs.ErrNotExist) {
			return nil, nil //nolint:nilnil // a nil journal is none
		}
	}
	journal, err := batch.OpenJournal(path, input, o.resume)
	switch {
	case errors.Is(err, batch.ErrJournalExists):
		return nil, fmt.Errorf("journal %s exists: go on with that run by --resume, or begin another with --journal", path)
	case errors.Is(err, batch.ErrJournalInUse):
		return nil, failed(err) // which passes, and is no mistake of the input
	}
	return journal, err
}

// journalPath is "" where no journal is kept.
func (o *batchOptions) journalPath(name string) string {
	switch {
	case o.journal != "":
		return o.journal
	case o.client.mock:
		return ""
	case name == "-":
		name = "unsend"
	}
	if o.shard != "" {
		name += "." + strings.Replace(o.shard, "/", "-of-", 1)
	}
	return name + ".journal"
}
