package api

import (
	"bytes"
	"encoding/json"
)

// readSuccess finds the top-level member success of a body, wherever it stands, and reads no
// further: what follows, drifted or cut short, cannot change it.
func readSuccess(body []byte) (success, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return false, false
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return false, false
		}
		if key == "success" {
			value, err := dec.Token()
			success, isBool := value.(bool)
			return success, isBool && err == nil
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false, false
		}
	}
	return false, false
}
