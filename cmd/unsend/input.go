package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/batch"
)

// load reads the input into the ledger. What is wrong with it is listed, row by row.
func (j *job) load(in io.Reader) error {
	var opts []batch.AddOption
	if j.skipInvalid {
		opts = append(opts, batch.SkipBad())
	}
	// Who writes into a pipe may take his time: the copying waits for him, and the reading for
	// a signal too.
	read, write := io.Pipe()
	go func() {
		_, err := io.Copy(write, in)
		_ = write.CloseWithError(err)
	}()
	defer context.AfterFunc(j.shutdown.gently, func() { _ = write.CloseWithError(errNothingSent) })()
	added, err := j.ledger.Replace(j.shutdown.ctx, batch.Read(read, batch.Auto), opts...)
	_ = read.Close()
	if j.shutdown.begun() {
		return errNothingSent
	}
	j.added = added
	if bad, ok := errors.AsType[*batch.InputError](err); ok {
		if bad.NoConnection == bad.Rows { // which one remedy mends
			return fmt.Errorf("%s: %s; nothing was sent", j.name(), noConnection(bad.Rows))
		}
		listed := bad.Bad
		if bad.NoConnection > 0 {
			listed = append([]error{bad}, listed...)
		}
		j.list(listed)
		return fmt.Errorf("%s in %s; nothing was sent: correct them, or leave them out with --skip-invalid", count(bad.Rows, "bad row"), j.name())
	}
	if errors.Is(err, batch.ErrInput) {
		return fmt.Errorf("%s: %w", j.name(), err)
	}
	if err != nil {
		return err
	}
	j.list(added.Bad)
	if added.New+added.Known == 0 {
		return fmt.Errorf("%s: no row can be used; nothing was sent", j.name())
	}
	return nil
}

// list lists what is wrong with bad rows.
func (j *job) list(bad []error) {
	for _, err := range bad {
		text := err.Error()
		if same, ok := err.(*batch.InputError); ok && same.NoConnection > 0 { //nolint:errorlint // its rows would match, too
			text = noConnection(same.NoConnection)
		}
		line(j.cmd.ErrOrStderr(), "%s: %s", j.name(), text)
	}
}

// noConnection says how rows are mended that name no connection, where nothing else names one.
func noConnection(rows int) string {
	return count(rows, "row") + " without a connection; name one for all with --connection or " + envConnection + ", or add a column connection_id"
}

// openInput opens the file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	if name == "" {
		return nil, errNoName
	}
	return openFile(name)
}

var errNoName = errors.New("the name of the file is empty; name a file, or - for standard input")

// openFile opens a file to read it, and refuses a directory now and not at the first read.
func openFile(name string) (*os.File, error) {
	file, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, pathError(name, err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, fmt.Errorf("%s is a directory; name a file", name)
	}
	return file, nil
}

// pathError says what is wrong with a file's name, and what to do about it.
func pathError(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist; check the name", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read; check its permissions", name)
	}
	return err
}

func inputName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}
