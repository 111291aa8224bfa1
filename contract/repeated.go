package contract

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// repeatedMembers finds the members that stand more than once in their object. data is JSON.
// It takes longer than decoding and is asked only where the count says that there are some.
func repeatedMembers(data []byte) ([][]string, error) {
	r := repetitions{json: json.NewDecoder(bytes.NewReader(data))}
	err := r.value()
	return r.found, err
}

type repetitions struct {
	json  *json.Decoder
	at    []string
	found [][]string
}

func (r *repetitions) value() error {
	token, err := r.json.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		err = r.object()
	case json.Delim('['):
		err = r.array()
	default:
		return nil
	}
	if err != nil {
		return err
	}
	_, err = r.json.Token() // the closing bracket
	return err
}

func (r *repetitions) object() error {
	seen := map[string]bool{}
	for r.json.More() {
		token, err := r.json.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // JSON has nothing else here
		r.at = append(r.at, name)
		if seen[name] {
			r.found = append(r.found, slices.Clone(r.at))
		}
		seen[name] = true
		if err := r.value(); err != nil {
			return err
		}
		r.at = r.at[:len(r.at)-1]
	}
	return nil
}

func (r *repetitions) array() error {
	for i := 0; r.json.More(); i++ {
		r.at = append(r.at, strconv.Itoa(i))
		if err := r.value(); err != nil {
			return err
		}
		r.at = r.at[:len(r.at)-1]
	}
	return nil
}
