package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// output is standard output. It remembers its first failure and writes nothing after it, so
// that a command can write as it goes and ask once.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// complaint is the error to report at the end. A reader that has gone, such as head, has what
// it wanted.
func (o *output) complaint() error {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	return failed(fmt.Errorf("standard output: %w", o.err))
}

// writeJSON writes v and a newline, with indent where it is not empty. Failures are seen by
// the [output] behind w.
func writeJSON(w io.Writer, v any, indent string) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	_ = enc.Encode(v)
}
