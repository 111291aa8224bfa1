package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// openInput opens the file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return openFile(name)
}

// openFile opens a file to read it, and refuses a directory now and not at the first read.
func openFile(name string) (*os.File, error) {
	file, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, pathError(name, err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, isDirectory(name)
	}
	return file, nil
}

func isDirectory(name string) error { return fmt.Errorf("%s is a directory; name a file", name) }

// pathError returns what is wrong with a file's name, and what to do.
func pathError(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist; check the name", quoted(name)) // which shows a space at its end
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
