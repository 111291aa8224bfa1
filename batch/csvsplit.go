package batch

import (
	"bytes"
	"errors"
	"slices"
)

var (
	errBareQuote = errors.New(`a quote stands inside of a field that is not quoted; write "" for it, and quote the field`)
	errTail      = errors.New("something follows the closing quote of a field")
	errOpenQuote = errors.New("a quoted field is not closed")
)

// splitter takes rows of CSV (RFC 4180) apart. It differs from encoding/csv in its bounds: a
// quote that is not closed takes no more than a row's length, and the lines behind it are
// read as rows again.
type splitter struct {
	fields [][]byte
	text   []byte // of quoted fields
	ends   []int  // of the fields in text
}

// row returns the fields of the next row that is not blank, which are good until the next
// call, and the line where it starts.
func (s *splitter) row(src *lines) ([][]byte, int, error) {
	for {
		l, err := src.next()
		if err != nil {
			return nil, l.number, fault(err)
		}
		switch {
		case len(l.text) == 0:
			continue
		case bytes.IndexByte(l.text, '"') < 0:
			s.plain(l.text)
			return s.fields, l.number, nil
		}
		return s.fields, l.number, s.quoted(src, l)
	}
}

func (s *splitter) plain(text []byte) {
	s.fields = s.fields[:0]
	for {
		i := bytes.IndexByte(text, ',')
		if i < 0 {
			s.fields = append(s.fields, text)
			return
		}
		s.fields = append(s.fields, text[:i])
		text = text[i+1:]
	}
}

// quoted reads a row that may go on over several lines.
func (s *splitter) quoted(src *lines, first line) error {
	s.text, s.ends = s.text[:0], s.ends[:0]
	open, err := s.scan(first.text, false)
	var more []line
	for size := len(first.text); open && err == nil; {
		l, readErr := src.next()
		if size += len(l.text) + 1; readErr != nil || size > maxRow {
			if readErr == nil {
				more = append(more, line{slices.Clone(l.text), l.number})
			}
			src.undo(more)
			return errOpenQuote
		}
		more = append(more, line{slices.Clone(l.text), l.number})
		s.text = append(s.text, '\n')
		open, err = s.scan(l.text, true)
	}
	if err != nil {
		src.undo(more)
		return err
	}
	s.fields = s.fields[:0]
	from := 0
	for _, end := range s.ends {
		s.fields = append(s.fields, s.text[from:end])
		from = end
	}
	return nil
}

// scan adds a line's fields, the first of which may be open already, and says whether the
// last is open still.
func (s *splitter) scan(text []byte, open bool) (bool, error) {
	for {
		if !open && len(text) > 0 && text[0] == '"' {
			open, text = true, text[1:]
		} else if !open {
			i := bytes.IndexAny(text, `,"`)
			if i >= 0 && text[i] == '"' {
				return false, errBareQuote
			}
			if i < 0 {
				s.end(text)
				return false, nil
			}
			s.end(text[:i])
			text = text[i+1:]
			continue
		}
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			s.text = append(s.text, text...)
			return true, nil
		}
		s.text = append(s.text, text[:i]...)
		text = text[i+1:]
		switch {
		case len(text) > 0 && text[0] == '"':
			s.text = append(s.text, '"')
			text = text[1:]
		case len(text) == 0:
			s.end(nil)
			return false, nil
		case text[0] == ',':
			s.end(nil)
			open, text = false, text[1:]
		default:
			return false, errTail
		}
	}
}

func (s *splitter) end(rest []byte) {
	s.text = append(s.text, rest...)
	s.ends = append(s.ends, len(s.text))
}
