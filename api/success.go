package api

import (
	"bytes"
	"encoding/json"
)

const jsonSpace = " \t\r\n"

// readSuccess finds the top-level member success of a body, wherever it stands, and reads no
// further: what follows, drifted or cut short, cannot change it.
func readSuccess(body []byte) (success, ok bool) {
	if success, ok = firstMember(body); ok {
		return success, true
	}
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
			return success, isBool && err == nil && ended(body[dec.InputOffset():])
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false, false
		}
	}
	return false, false
}

// firstMember reads success where it comes first, as it does in practice: a decoder takes
// longer to make than this to answer.
func firstMember(body []byte) (success, ok bool) {
	for _, token := range []string{"{", `"success"`, ":"} {
		if body, ok = bytes.CutPrefix(bytes.TrimLeft(body, jsonSpace), []byte(token)); !ok {
			return false, false
		}
	}
	body = bytes.TrimLeft(body, jsonSpace)
	rest, success := bytes.CutPrefix(body, []byte("true"))
	if !success {
		rest, ok = bytes.CutPrefix(body, []byte("false"))
	}
	return success, ok && ended(rest)
}

// ended says whether a member can end where rest begins: an answer cut there is readable, one
// that goes on with anything else is no JSON, and says nothing.
func ended(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) == 0 || rest[0] == ',' || rest[0] == '}'
}
