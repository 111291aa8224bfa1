package main

import (
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/unsend-go/unsend/batch"
)

// source is the input of a batch, which can be read more than once.
type source struct {
	name       string // for people
	file       *os.File
	spooled    bool
	leftover   string // a file to remove once it is closed
	connection string // of rows that name none
}

// openSource opens the file, or standard input for "-", and gives up when the brake is
// pressed: who writes into a pipe may take his time.
func openSource(cmd *cobra.Command, name, connection string, b *brake) (*source, error) {
	type opened struct {
		*source
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := readableTwice(cmd, name, connection)
		done <- opened{s, err}
	}()
	select {
	case o := <-done:
		return o.source, o.err
	case <-b.soft:
		return nil, errNothingSent
	}
}

// readableTwice opens what can be read twice. What cannot, such as a pipe, is copied into a
// temporary file first.
func readableTwice(cmd *cobra.Command, name, connection string) (*source, error) {
	in, err := openInput(cmd, name)
	if err != nil {
		return nil, err
	}
	s := &source{name: inputName(name), connection: connection}
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			s.file = file
			return s, nil
		}
	}
	defer func() { _ = in.Close() }()
	if err := s.spool(in); err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return s, nil
}

func (s *source) spool(in io.Reader) error {
	file, err := os.CreateTemp("", "unsend-batch-*")
	if err != nil {
		return err
	}
	s.file, s.spooled = file, true
	if os.Remove(file.Name()) != nil { // on Windows, which removes no open file
		s.leftover = file.Name()
	}
	_, err = io.Copy(file, in)
	return err
}

// items reads the input from its start.
func (s *source) items() iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			yield(batch.Item{}, fmt.Errorf("%w: %w", batch.ErrInput, err))
			return
		}
		for item, err := range batch.OnConnection(batch.Read(s.file, batch.Auto), s.connection) {
			if !yield(item, err) {
				return
			}
		}
	}
}

// until ends items early when the brake is pressed.
func until(b *brake, items iter.Seq2[batch.Item, error]) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for item, err := range items {
			if b.pressed() || !yield(item, err) {
				return
			}
		}
	}
}

func (s *source) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	if s.leftover != "" {
		_ = os.Remove(s.leftover)
	}
}
