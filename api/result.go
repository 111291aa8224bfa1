package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/textutil"
)

// Outcome is how a message came to be gone. Package batch adds to its values.
type Outcome string

// Outcomes of a call.
const (
	// Unsent means that the service confirmed this call.
	Unsent Outcome = "unsent"
	// AlreadyGone means that an attempt of this call may have unsent the message, its response
	// was lost, and the service then reported that there is no such message.
	AlreadyGone Outcome = "already_gone"
)

// Result is returned if the message is known to be gone. It prints as its outcome.
type Result struct {
	Outcome   Outcome
	RequestID string      // identifies the request to the vendor's support; "" if not known
	RateLimit RateLimit   // of the connection, as the last response reported it
	Attempts  int         // requests sent
	Header    http.Header // of the last response, at most 16 KiB, without cookies
	Raw       []byte      // the last response's body as received, at most 8 MiB; added members included

	broken error // why Raw ends early
}

// Format prints the outcome, whatever the verb: Raw has the text of the message.
func (r Result) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), string(r.Outcome))
}

// LogValue is the outcome.
func (r Result) LogValue() slog.Value { return slog.StringValue(string(r.Outcome)) }

// Queue decodes the snapshot of the message, anew at each call. It returns nil and no error if the
// response has none, as that of an AlreadyGone. A member that was absent, null or zero has its zero
// value; Raw distinguishes them. If members drifted from the contract, or the response breaks off,
// Queue returns what could be read, and an error that names each drifted member by its path, ten at
// most, and the last member before the break. The error holds no text of the message.
func (r *Result) Queue() (*gen.Queue, error) {
	if r == nil || r.Outcome != Unsent {
		return nil, nil
	}
	var body snapshotBody
	if !mayBeTooLarge(r.Raw) && json.Unmarshal(r.Raw, &body, jsontext.AllowInvalidUTF8(true)) == nil {
		return body.Queue, nil
	}
	return decodeByParts(r.Raw, r.broken)
}

// snapshotBody is what Queue reads of a body.
type snapshotBody struct {
	Queue *gen.Queue `json:"queue"`
}

const maxFaults = 10 // a hostile response has a million

var (
	errNoJSON   = errors.New("the rest is no JSON")
	errGoesOn   = errors.New("the response continues behind its end")
	errTooLarge = errors.New("the rest is more than can be decoded")
)

// queueError is what Queue could not read, as one line.
type queueError []error

func (e queueError) Error() string {
	texts := make([]string, len(e))
	for i, fault := range e {
		texts[i] = textutil.OneLine(fault.Error())
	}
	return "decode queue: " + strings.Join(texts, "; ")
}

func (e queueError) Unwrap() []error { return e }

// lenient accepts what JSON forbids and browsers accept: of members with one name the last, and as
// U+FFFD half an emoji, with which a cropped text may end.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decodeByParts reads what can be read of a body, value by value: one of another kind than the
// contract's keeps its zero value and is named. A cause that is not nil is why the body breaks off.
func decodeByParts(raw []byte, cause error) (*gen.Queue, error) {
	var body snapshotBody
	var faults queueError
	last := "its start"
	each := func(dec *jsontext.Decoder, target any) error {
		value := reflect.ValueOf(target).Elem()
		value.SetZero() // an earlier member of the same name counts no more
		kind := dec.PeekKind()
		kinds, name := wanted(value.Type())
		fits := strings.ContainsRune(kinds, rune(kind))
		if fits && (kind == '{' || kind == '[') && value.Kind() != reflect.Interface {
			return errSkip // its members come here one by one
		}
		text, err := dec.ReadValue()
		if err != nil {
			return err
		}
		last = strings.ReplaceAll(strings.TrimPrefix(string(dec.StackPointer()), "/"), "/", ".")
		if fits && json.Unmarshal(text, target, lenient) == nil {
			return nil
		}
		value.SetZero()
		if len(faults) < maxFaults {
			faults = append(faults, fmt.Errorf("%s is not %s", last, name))
		}
		return nil
	}
	text, end := readable(raw, cause)
	if len(text) > 0 {
		if err := json.Unmarshal(text, &body, lenient, json.WithUnmarshalers(json.UnmarshalFromFunc(each))); err != nil {
			end = errNoJSON
		}
	}
	switch {
	case errors.Is(end, errGoesOn):
		faults = append(faults, end)
	case end != nil:
		faults = append(faults, fmt.Errorf("the response breaks off at %s: %w", last, end))
	}
	if len(faults) == 0 {
		return body.Queue, nil
	}
	return body.Queue, faults
}

// wanted returns the first bytes of the JSON values that fit into a type, and what they are.
func wanted(t reflect.Type) (kinds, name string) {
	if t == reflect.TypeFor[gen.StringOrNumber]() {
		return `"0n`, "a string or a number"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Struct:
		return "{n", "an object"
	case reflect.Slice:
		return "[n", "a list"
	case reflect.String:
		return `"n`, "a string"
	case reflect.Bool:
		return "tfn", "true or false"
	case reflect.Interface:
		return `{["0tfn`, "a value that Go can hold"
	}
	return "0n", "a whole number of 64 bits"
}

// readable returns the part of a body that is JSON and not too large, with the brackets that close
// it, and what is wrong with its end.
func readable(raw []byte, cause error) (text []byte, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), lenient)
	for left := maxDecoded; len(text) == 0 || dec.StackDepth() > 0; {
		depth := dec.StackDepth()
		in, _ := dec.StackIndex(depth)
		token, err := dec.ReadToken()
		at := int(dec.InputOffset())
		within, n := dec.StackIndex(dec.StackDepth())
		isName := within == '{' && n%2 == 1
		switch {
		case err == nil && token.Kind() == '0' && at == len(raw):
			err = io.ErrUnexpectedEOF // its other digits may be missing
		case err == nil:
			if left -= cost(in, token.Kind(), isName, raw[len(text):at]); left < 0 {
				err, cause = errTooLarge, nil
			}
		}
		switch {
		case err == nil:
			if !isName { // a name stays only with its value
				text = raw[:at:at]
			}
			continue
		case cause != nil:
			err = cause
		case errors.Is(err, io.ErrUnexpectedEOF):
			err = io.ErrUnexpectedEOF
		case !errors.Is(err, errTooLarge):
			err = errNoJSON // its own text quotes the body
		}
		for ; depth > 0; depth-- {
			kind, _ := dec.StackIndex(depth)
			text = append(text, byte(kind)+2) // '[' and ']' are two apart, as '{' and '}' are
		}
		return text, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return text, errGoesOn
	}
	return text, nil
}

// What a decoded body takes in memory, in bytes. Values are large, and a list that grows is copied,
// so that a body of 8 MiB can take a gigabyte.
const (
	maxDecoded       = 32 << 20
	listedObjectCost = 5 * 336 // of the largest element of a list, a gen.Media
	containerCost    = 400
	listedScalarCost = 200
	scalarCost       = 100
)

// cost is what a token in a list or an object takes in memory, with its name if it has one.
func cost(in, kind jsontext.Kind, isName bool, text []byte) int {
	switch {
	case isName && len(text) > 256: // none of the contract's, but an error copies it again and again
		return 12 * len(text)
	case isName, kind == '}', kind == ']':
		return 0
	case kind == '{' && in == '[':
		return listedObjectCost
	case kind == '{' || kind == '[':
		return containerCost + len(text)
	case kind == '"' && !utf8.Valid(text): // each bad byte becomes three
		return listedScalarCost + 9*len(text)
	}
	if in == '[' {
		return listedScalarCost + 2*len(text)
	}
	return scalarCost + 2*len(text)
}

// mayBeTooLarge reports whether a body could take more than maxDecoded. It counts bytes, which is
// quick, and overestimates.
func mayBeTooLarge(raw []byte) bool {
	count := func(b byte) int { return bytes.Count(raw, []byte{b}) }
	return len(raw) > maxDecoded/listedObjectCost &&
		count('{')*listedObjectCost+count('[')*containerCost+count(',')*listedScalarCost+len(raw)*9 > maxDecoded
}
