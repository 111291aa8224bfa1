package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of JSON that is read: that of encoding/json, so that no
// body passes here which a Go program could not decode.
const maxDepth = 10_000

// maxValues is how many values a body may hold, objects and arrays counted too. Some hundred
// are usual. Three bytes of JSON can make a hundred of memory, and each value can be at fault.
const maxValues = 100_000

var (
	errTooDeep = errors.New("nested too deep")
	errTooMany = errors.New("too many values")
	errMore    = errors.New("more behind the value")
)

// decode reads data as one JSON value, as kin-openapi wants it: numbers as json.Number. Of
// members that stand twice in their object, repeated holds the paths.
func decode(data []byte) (value any, repeated [][]string, err error) {
	d := decoder{json: json.NewDecoder(bytes.NewReader(data))}
	d.json.UseNumber()
	if value, err = d.value(); err != nil {
		return nil, nil, err
	}
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errMore
	}
	return value, d.repeated, nil
}

type decoder struct {
	json     *json.Decoder
	values   int
	at       []string
	repeated [][]string
}

func (d *decoder) value() (any, error) {
	if d.values++; d.values > maxValues {
		return nil, errTooMany
	}
	token, err := d.json.Token()
	if err != nil {
		return nil, err
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return token, nil
	}
	if len(d.at) == maxDepth {
		return nil, errTooDeep
	}
	var value any
	if delim == '{' {
		value, err = d.object()
	} else {
		value, err = d.array()
	}
	if err != nil {
		return nil, err
	}
	_, err = d.json.Token() // the closing bracket
	return value, err
}

func (d *decoder) object() (any, error) {
	object := map[string]any{}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder admits nothing else here
		d.at = append(d.at, name)
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			d.repeated = append(d.repeated, slices.Clone(d.at))
		}
		d.at = d.at[:len(d.at)-1]
		object[name] = value
	}
	return object, nil
}

func (d *decoder) array() (any, error) {
	array := []any{}
	for d.json.More() {
		d.at = append(d.at, strconv.Itoa(len(array)))
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		d.at = d.at[:len(d.at)-1]
		array = append(array, value)
	}
	return array, nil
}

// notJSON says what is wrong with data that decode refused, quoting none of it, and what is
// asked for.
func notJSON(data []byte, err error) (found, want string) {
	const limit = "JSON within this limit"
	var syntax *json.SyntaxError
	switch {
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

// notUTF8 returns where data stops being UTF-8, or -1.
func notUTF8(data []byte) int {
	for i := 0; i < len(data); {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
