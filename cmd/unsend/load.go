package main

import (
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
	loaded := make(chan struct{})
	defer close(loaded)
	go func() {
		select {
		case <-j.shutdown.gently:
			_ = write.CloseWithError(errNothingSent)
		case <-loaded:
		}
	}()
	added, err := j.ledger.Replace(j.shutdown.ctx, batch.Read(read, batch.Auto), opts...)
	_ = read.Close()
	if j.shutdown.begun() {
		return errNothingSent
	}
	j.added = added
	if bad, ok := errors.AsType[*batch.InputError](err); ok {
		return j.refuse(bad)
	}
	if errors.Is(err, batch.ErrInput) {
		return fmt.Errorf("%s: %w", j.name(), err)
	}
	if err != nil {
		return err
	}
	j.list(added.Bad, added.BadRows)
	if added.New+added.Known == 0 {
		return fmt.Errorf("%s: no row can be used; nothing was sent", j.name())
	}
	return nil
}

// noConnection is what mends rows that name no connection, where nothing else names one.
const noConnection = "name one for all of them with --connection or " + envConnection + ", or add a column connection_id"

// refuse lists the bad rows, and returns the error to end with. What is the same in every row is
// said once.
func (j *job) refuse(input *batch.InputError) error {
	if input.NoConnection == input.Rows {
		return fmt.Errorf("%s: %s no connection; nothing was sent: %s", j.name(), rowsThat(input.Rows, "names", "name"), noConnection)
	}
	j.listNoConnection(input.NoConnection)
	j.list(input.Bad, input.Rows-input.NoConnection)
	return fmt.Errorf("%s in %s; nothing was sent: correct them, or leave them out with --skip-invalid", count(input.Rows, "bad row"), j.name())
}

// list lists bad rows, of which there are n.
func (j *job) list(bad []error, n int) {
	for _, err := range bad {
		if same, ok := err.(*batch.InputError); ok { //nolint:errorlint // its rows would match, too
			j.listNoConnection(same.NoConnection)
			n -= same.Rows
			continue
		}
		line(j.cmd.ErrOrStderr(), "%s: %v", j.name(), err)
		n--
	}
	if n > 0 {
		line(j.cmd.ErrOrStderr(), "%s: and %s", j.name(), count(n, "more bad row"))
	}
}

func (j *job) listNoConnection(n int) {
	if n > 0 {
		line(j.cmd.ErrOrStderr(), "%s: %s no connection; %s", j.name(), rowsThat(n, "names", "name"), noConnection)
	}
}

func rowsThat(n int, singular, plural string) string {
	if n == 1 {
		return "1 row " + singular
	}
	return number(n) + " rows " + plural
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
