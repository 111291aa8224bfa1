package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/internal/ids"
)

// A journal is JSON lines. The first is its header, which says what input and shard it is of;
// each other one is an event: run and stop frame a run, send comes before each call for an
// item, wait after one that is to be repeated, and end with the item's outcome. Ids are named
// as in the input, so that lines of a journal can be picked out and be an input again.
const (
	journalName    = "unsend batch"
	journalVersion = 1

	eventRun  = "run"
	eventStop = "stop"
	eventSend = "send"
	eventWait = "wait"
	eventEnd  = "end"
)

// record is any line of a journal.
type record struct {
	Journal  string `json:"journal,omitempty"`
	Version  int    `json:"version,omitempty"`
	Input    string `json:"input,omitempty"`
	Shard    string `json:"shard,omitempty"`
	Messages int    `json:"messages,omitempty"`

	Event        string    `json:"event,omitempty"`
	At           time.Time `json:"at,omitzero"`
	ConnectionID string    `json:"connection_id,omitempty"`
	UserID       string    `json:"user_id,omitempty"`
	MessageID    string    `json:"message_id,omitempty"`
	Outcome      Outcome   `json:"outcome,omitempty"`
	Final        bool      `json:"final,omitempty"`
	MaybeUnsent  bool      `json:"maybe_unsent,omitempty"`
	Status       int       `json:"status,omitempty"`
	Type         string    `json:"type,omitempty"`
}

func headerLine(input Input) ([]byte, error) {
	line, err := json.Marshal(record{
		Journal: journalName, Version: journalVersion,
		Input: input.Fingerprint, Shard: input.Shard.String(), Messages: input.Messages,
	})
	return append(line, '\n'), err
}

func appendMark(dst []byte, event string, at time.Time) []byte {
	dst = append(dst, `{"event":"`...)
	dst = append(dst, event...)
	return append(appendTime(append(dst, '"'), at), "}\n"...)
}

func appendSend(dst []byte, item Item) []byte {
	return append(appendItem(dst, eventSend, item), "}\n"...)
}

func appendWait(dst []byte, item Item, maybeUnsent bool) []byte {
	dst = appendItem(dst, eventWait, item)
	if maybeUnsent {
		dst = append(dst, `,"maybe_unsent":true`...)
	}
	return append(dst, "}\n"...)
}

func appendEnd(dst []byte, at time.Time, r Result) []byte {
	dst = appendTime(appendItem(dst, eventEnd, r.Item), at)
	dst = append(dst, `,"outcome":"`...)
	dst = append(append(dst, r.Outcome...), '"')
	if r.Final {
		dst = append(dst, `,"final":true`...)
	}
	if r.MaybeUnsent {
		dst = append(dst, `,"maybe_unsent":true`...)
	}
	if r.Outcome == Failed {
		f := failureOf(r.Err)
		if f.status != 0 {
			dst = strconv.AppendInt(append(dst, `,"status":`...), int64(f.status), 10)
		}
		dst = appendText(append(dst, `,"type":`...), f.kind)
	}
	if r.Attempts > 0 {
		dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(r.Attempts), 10)
	}
	if r.RequestID != "" {
		dst = appendText(append(dst, `,"request_id":`...), cut(r.RequestID))
	}
	var e *api.Error
	if errors.As(r.Err, &e) && e.ActionRequired != "" {
		dst = appendText(append(dst, `,"action_required":`...), cut(e.ActionRequired))
	}
	return append(dst, "}\n"...)
}

// appendItem leaves the line open. Ids have no character that JSON would quote.
func appendItem(dst []byte, event string, item Item) []byte {
	dst = append(dst, `{"event":"`...)
	dst = append(dst, event...)
	if item.ConnectionID != "" {
		dst = append(dst, `","connection_id":"`...)
		dst = append(dst, item.ConnectionID...)
	}
	dst = append(dst, `","user_id":"`...)
	dst = append(dst, item.UserID...)
	dst = append(dst, `","message_id":"`...)
	dst = append(dst, item.MessageID...)
	return append(dst, '"')
}

func appendTime(dst []byte, at time.Time) []byte {
	dst = append(dst, `,"at":"`...)
	dst = at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	return append(dst, '"')
}

func appendText(dst []byte, text string) []byte {
	if ids.Check(text) == nil { // as types and request ids are
		dst = append(append(dst, '"'), text...)
		return append(dst, '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return append(dst, `""`...) // never: any string can be quoted
	}
	return append(dst, quoted...)
}

// parseRecord reads a line and refuses what no run writes.
func parseRecord(line []byte) (record, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return r, errors.New("it is not a line that a run writes")
	}
	return r, r.check()
}

func (r *record) check() error {
	switch {
	case r.Journal == journalName && r.Version > journalVersion:
		return fmt.Errorf("it is of version %d, newer than this program's %d", r.Version, journalVersion)
	case r.Journal == journalName && r.Version == journalVersion:
		return nil
	case r.Journal != "":
		return errors.New("it is of another program")
	}
	switch r.Event {
	case eventRun, eventStop:
		return nil
	case eventSend, eventWait, eventEnd:
		if ids.Check(r.UserID) != nil || ids.Check(r.MessageID) != nil || r.ConnectionID != "" && ids.Check(r.ConnectionID) != nil {
			return errors.New("it names no message")
		}
	default:
		return fmt.Errorf("no run writes the event %q", cut(r.Event))
	}
	switch r.Outcome {
	case "":
		if r.Event == eventEnd {
			return errors.New("it has no outcome")
		}
	case Unsent, AlreadyGone, Failed, Skipped:
		if r.Event != eventEnd {
			return errors.New("it has an outcome, and is no end")
		}
	default:
		return fmt.Errorf("no run writes the outcome %q", cut(string(r.Outcome)))
	}
	return nil
}

func (r *record) item() Item {
	return Item{ConnectionID: r.ConnectionID, UserID: r.UserID, MessageID: r.MessageID}
}

func (r *record) failure() failure {
	if r.Outcome != Failed {
		return failure{}
	}
	return failure{status: r.Status, kind: cut(r.Type)}
}
