package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

var (
	errNotUTF8 = errors.New("not UTF-8")
	errTooDeep = errors.New("nested too deep")
	errTooMany = errors.New("too many values")
	errMore    = errors.New("more behind the value")
)

// decode reads data as one JSON value, as kin-openapi wants it: numbers as json.Number. Of
// members that stand twice in their object, repeated holds the paths.
func decode(data []byte) (value any, repeated [][]string, err error) {
	if !utf8.Valid(data) {
		return nil, nil, errNotUTF8
	}
	s := shapeOf(data)
	if s.depth > maxDepth {
		return nil, nil, errTooDeep
	}
	if s.values > maxValues {
		return nil, nil, errTooMany
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, nil, err
	}
	if len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		return nil, nil, errMore
	}
	if s.members != members(value) {
		repeated, err = repeatedMembers(data)
	}
	return value, repeated, err
}

// notJSON says what is wrong with data that decode refused, quoting none of it, and what is
// asked for.
func notJSON(data []byte, err error) (found, want string) {
	const limit = "JSON within this limit"
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errNotUTF8):
		return fmt.Sprintf("bytes that are not UTF-8, from byte %d on", notUTF8(data)), "JSON"
	case errors.Is(err, errTooDeep):
		return fmt.Sprintf("JSON nested deeper than %d levels", maxDepth), limit
	case errors.Is(err, errTooMany):
		return fmt.Sprintf("JSON of more than %d values", maxValues), limit
	case errors.Is(err, errMore):
		return "something behind the JSON value", "one JSON value"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("JSON cut short after %s", count(len(data), "byte")), "whole JSON"
	case errors.As(err, &syntax):
		return fmt.Sprintf("text that is not JSON, from byte %d on", syntax.Offset), "JSON"
	}
	return "text that is not JSON", "JSON"
}

// notUTF8 returns where data stops being UTF-8.
func notUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}
