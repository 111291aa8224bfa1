package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/unsend-go/unsend/gen"
)

// Read returns the queue of a body {"success": …, "queue": {…}}: nil where it is null or
// absent. Where a member drifted from the contract, or the body breaks off, it returns what
// could be read together with an error that names the place. The cause, where it is not nil,
// is why the body breaks off.
func Read(raw []byte, cause error) (*gen.Queue, error) {
	if queue, ok := Decode(raw); ok {
		return queue, nil
	}
	var body answer
	err := json.Unmarshal(raw, &body)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		whole, at := mend(raw)
		_ = json.Unmarshal(whole, &body)
		if cause != nil {
			err = cause
		}
		if at == "" {
			err = fmt.Errorf("the answer goes on behind its end: %w", err)
		} else {
			err = fmt.Errorf("the answer breaks off at %s: %w", at, err)
		}
	} else if drift, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = fmt.Errorf("%s is a JSON %s, not the contract's %v: %w", drift.Field, drift.Value, drift.Type, err)
	}
	if err != nil {
		return body.Queue, fmt.Errorf("decode queue: %w", err)
	}
	return body.Queue, nil
}
