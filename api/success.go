package api

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

const jsonSpace = " \t\r\n"

// readSuccess finds the top-level member success of a body, wherever it stands. What follows it,
// drifted or cut short, cannot change it; but where the member is there again and says anything
// else, the body says nothing.
func readSuccess(body []byte) (success, ok bool) {
	if success, ok = onlyMember(body); ok {
		return success, true
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), lenient)
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return false, false
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			break
		}
		if name.String() != "success" {
			if dec.SkipValue() != nil {
				break
			}
			continue
		}
		value, err := dec.ReadToken()
		isBool := err == nil && (value.Kind() == 't' || value.Kind() == 'f') && ended(body[dec.InputOffset():])
		if !isBool || ok && success != value.Bool() {
			return false, false
		}
		success, ok = value.Bool(), true
	}
	return success, ok
}

// onlyMember reads success where it comes first and its name occurs nowhere else, as it is in
// practice: a decoder takes longer to make than this to answer.
func onlyMember(body []byte) (success, ok bool) {
	if bytes.Count(body, []byte("success")) > 1 || bytes.Contains(body, []byte(`\u`)) { // an escape may spell the name
		return false, false
	}
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

// ended reports whether a member can end where rest begins: an answer cut there is readable, one
// that goes on with anything else is no JSON, and says nothing.
func ended(rest []byte) bool {
	rest = bytes.TrimLeft(rest, jsonSpace)
	return len(rest) == 0 || rest[0] == ',' || rest[0] == '}'
}
