package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxRecord is more than any line of a journal has.
const maxRecord = 8 << 10

// journalEnd is where a journal can be written on.
type journalEnd struct {
	at   int64 // behind the last good line
	open bool  // which lacks its newline
}

// readJournal hands the lines of a journal to each, as a header or an event. What follows the
// last newline, and is not a whole record, was torn and is passed over; anything else that is
// no record is an error with its line number. In a joined reader further journals may follow
// the first, each after its header.
func readJournal(r io.Reader, joined bool, each func(record) error) (journalEnd, error) {
	in := bufio.NewReaderSize(r, maxRecord)
	var end journalEnd
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			if rec, whole := lastRecord(line, n); whole {
				end.at, end.open = end.at+int64(len(line)), true
				return end, at(n, each(rec))
			}
			return end, nil
		case errors.Is(err, bufio.ErrBufferFull):
			if torn, err := endsTorn(in); torn || err != nil {
				return end, err
			}
			return end, at(n, errors.New("it is longer than any line that a run writes"))
		case err != nil:
			return end, err
		}
		if joined {
			// A journal whose last line was torn runs into the header of the next.
			if i := bytes.Index(line, []byte(`{"journal":`)); i > 0 {
				line = line[i:]
			}
		}
		rec, err := parseRecord(line)
		switch {
		case err != nil:
		case n == 1 && rec.Journal == "":
			err = errors.New("it is not the header of a journal")
		case n > 1 && rec.Journal != "" && !joined:
			err = errors.New("it is a second header: journals that were joined can be reported on, but not resumed")
		default:
			err = each(rec)
		}
		if err != nil {
			return end, at(n, err)
		}
		end.at += int64(len(line))
	}
}

// lastRecord reads a line that lacks its newline: it was torn there, or before.
func lastRecord(line []byte, number int) (record, bool) {
	rec, err := parseRecord(line)
	return rec, err == nil && (number > 1 || rec.Journal != "")
}

// endsTorn reads on in a line that is too long, and says whether it has no end.
func endsTorn(in *bufio.Reader) (bool, error) {
	for {
		_, err := in.ReadSlice('\n')
		switch {
		case err == nil:
			return false, nil
		case errors.Is(err, io.EOF):
			return true, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return false, err
		}
	}
}

func at(line int, err error) error {
	if err == nil {
		return nil
	}
	return &LineError{Line: line, Err: err}
}

// remember is what a journal has to say of one message, in rows. It returns the row's state
// before and after.
func (r *rows) remember(rec *record) (before, after state, row ref, err error) {
	row, known := r.find(rec.item())
	if known {
		before = r.state(row)
	} else if row, known = r.add(0, 0); !known {
		return 0, 0, 0, errTooMany
	}
	switch rec.Event {
	case eventSend:
		after = maybe
	case eventEnd:
		after = state(0).with(rec.Outcome)
	}
	if rec.Final {
		after |= final
	}
	if rec.MaybeUnsent {
		after |= maybe
	}
	r.setState(row, after)
	return before, after, row, nil
}
