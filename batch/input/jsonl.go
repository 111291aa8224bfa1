package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/batch/internal/cell"
)

const jsonExample = `{"user_id": 51, "message_id": 64}`

var errOpenObject = errors.New("the JSON object does not end on its line: want one whole object on each line; jq -c . writes it so")

type jsonReader struct {
	lines   *lines
	text    bytes.Reader // one line
	decoder jsontext.Decoder
	later   bool // an object was read before
	ignored *ignoredNames
}

func (r *jsonReader) next() (batch.Item, int, error) {
	for {
		line, err := r.lines.next()
		if err != nil {
			return batch.Item{}, r.lines.number, err
		}
		line = bytes.TrimFunc(line, cell.IsBlank)
		if len(line) == 0 {
			continue
		}
		item, err := r.item(line)
		if errors.Is(err, errOpenObject) && !r.later {
			err = unusable("%w", err) // all are printed so
		}
		r.later = true
		return item, r.lines.number, err
	}
}

// item reads one object. Its errors quote nothing of the line.
func (r *jsonReader) item(line []byte) (batch.Item, error) {
	if line[0] != '{' {
		return batch.Item{}, fmt.Errorf("the line is no JSON object: want one such as %s", jsonExample)
	}
	r.text.Reset(line)
	// A name that comes twice is found by what it means, however it is spelled.
	r.decoder.Reset(&r.text, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	v, err := r.members()
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return batch.Item{}, errOpenObject
	case errors.As(err, &syntax):
		return batch.Item{}, fmt.Errorf("the line is not JSON from byte %d on", syntax.ByteOffset+1)
	case err != nil:
		return batch.Item{}, err
	case r.decoder.InputOffset() < int64(len(line)):
		return batch.Item{}, errors.New("a comma or something else follows the JSON object: want one object on each line, and nothing else")
	}
	return v.item()
}

func (r *jsonReader) members() (*values, error) {
	var v values
	var seen [numColumns]bool
	var near []string
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for r.decoder.PeekKind() == '"' {
		token, err := r.decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		c, ours := exactColumn(name)
		switch {
		case !ours:
			if r.ignored.add(name) {
				near = append(near, name)
			}
			err = r.skip(name)
		case seen[c]:
			err = namedTwice(c)
		default:
			seen[c] = true
			v[c], err = r.value(c)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, err
	}
	for _, name := range near {
		if err := nearMiss(name, func(c column) bool { return seen[c] }); err != nil {
			return nil, err
		}
	}
	return &v, nil
}

func (r *jsonReader) skip(name string) error {
	if r.decoder.PeekKind() != '"' {
		return r.decoder.SkipValue()
	}
	token, err := r.decoder.ReadToken()
	if err != nil {
		return err
	}
	return refuseConnections(name, token.String())
}

// value returns an id to the letter: a number is not read as a float.
func (r *jsonReader) value(c column) (string, error) {
	kind := r.decoder.PeekKind()
	if kind == '{' || kind == '[' {
		return "", fmt.Errorf("%s has more than one value: want a text or a whole number", c)
	}
	token, err := r.decoder.ReadToken()
	if err != nil || kind == 'n' {
		return "", err
	}
	text := token.String()
	switch {
	case c == inMaybeUnsent, c == inRef:
		return text, nil
	case kind == 't', kind == 'f':
		return "", invalidID(c, fmt.Errorf("is %s: want a text or a whole number", text))
	case kind == '0':
		if mistake := cell.CheckNumber(text); mistake != nil {
			return "", invalidID(c, mistake)
		}
	}
	return text, nil
}
