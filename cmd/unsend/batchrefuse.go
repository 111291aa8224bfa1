package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/cmd/unsend/internal/words"
)

var errNothingSent = errInterrupted("interrupted; nothing was sent")

// refuse lists what is wrong with the input, and returns the error to end with unless the
// good rows are to be sent all the same.
func (o *batchOptions) refuse(w io.Writer, name string, input batch.Input) error {
	if input.Err != nil {
		return fmt.Errorf("%s: %w", name, input.Err)
	}
	for _, bad := range input.BadRows {
		_, _ = fmt.Fprintf(w, "%s: %s\n", name, plain(bad.Error()))
	}
	if more := input.Bad - len(input.BadRows); more > 0 {
		_, _ = fmt.Fprintf(w, "%s: and %s\n", name, words.Count(more, "more bad row"))
	}
	switch {
	case input.Bad > 0 && !o.skipInvalid:
		return fmt.Errorf("%s in %s; nothing was sent: correct them, or leave them out with --skip-invalid", words.Count(input.Bad, "bad row"), name)
	case input.Messages == 0 && o.shard == "":
		return fmt.Errorf("%s has no messages; add rows below the header", name)
	}
	return nil
}

// errDeclined is the answer to the question before a batch.
var errDeclined = failed(errors.New("not confirmed; nothing was sent"))
