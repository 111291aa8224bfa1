package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/internal/textutil"
)

// Outcome is how a message came to be gone. Package batch adds "failed" and "skipped".
type Outcome string

// Outcomes of a call.
const (
	// Unsent means that the service confirmed this call.
	Unsent Outcome = "unsent"
	// AlreadyGone means that an attempt may have unsent the message, its response was lost, and the
	// service then reported that there is no such message.
	AlreadyGone Outcome = "already_gone"
)

// Result is returned by Unsend when the message is gone. It prints as its outcome.
type Result struct {
	Outcome   Outcome
	RequestID string      // identifies the request to the vendor's support; "" if not known
	RateLimit RateLimit   // of the connection, as the last response reported it
	Attempts  int         // attempts made
	Header    http.Header // of the last response, at most 16 KiB, without cookies
	Raw       []byte      // the last response's body as received, at most 8 MiB; added members included

	broken error // why Raw ends early
}

// Format prints the outcome for every verb: Raw has the text of the message.
func (r Result) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), string(r.Outcome))
}

// LogValue returns the outcome.
func (r Result) LogValue() slog.Value { return slog.StringValue(string(r.Outcome)) }

// Queue decodes the snapshot of the message, anew at each call. It returns nil and no error if the
// response has none, as after AlreadyGone. A member that was absent, null or zero has its zero value;
// Raw distinguishes them. If members violate the contract, or the response breaks off, Queue returns
// what could be read, and an error that names each such member by its path, ten at most, and the
// last member before the break. The error holds no text of the message.
func (r *Result) Queue() (*gen.Queue, error) {
	if r == nil || r.Outcome != Unsent {
		return nil, nil
	}
	var body snapshotBody
	small := len(r.Raw) < maxDecoded/objectCost || memory(r.Raw) < maxDecoded
	if small && json.Unmarshal(r.Raw, &body, jsontext.AllowInvalidUTF8(true)) == nil {
		return body.Queue, nil
	}
	return decodeByParts(r.Raw, r.broken)
}

// snapshotBody is what Queue reads of a body.
type snapshotBody struct {
	Queue *gen.Queue `json:"queue"`
}

const maxFaults = 10 // a hostile response has a million

var errTooLarge = errors.New("the rest is more than can be decoded")

// queueError lists in one line what Queue could not read.
type queueError []error

func (e queueError) Error() string {
	texts := make([]string, len(e))
	for i, fault := range e {
		texts[i] = textutil.OneLine(fault.Error())
	}
	return "decode queue: " + strings.Join(texts, "; ")
}

func (e queueError) Unwrap() []error { return e }

// lenient accepts what JSON forbids and browsers accept: the last of several members with one name,
// and U+FFFD for half an emoji, with which a cropped text may end.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decodeByParts decodes what can be read of a body. Cause, unless it is nil, is why the body breaks off.
func decodeByParts(raw []byte, cause error) (*gen.Queue, error) {
	var body snapshotBody
	p := parts{dec: jsontext.NewDecoder(bytes.NewBuffer(raw), lenient), size: len(raw), left: maxDecoded, names: map[reflect.Type][]string{}}
	err := p.decode(reflect.ValueOf(&body).Elem())
	if err == nil {
		if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
			p.faults = append(p.faults, errors.New("the response continues behind its end"))
		}
	} else {
		switch {
		case errors.Is(err, errTooLarge):
		case cause != nil:
			err = cause
		case errors.Is(err, io.ErrUnexpectedEOF):
			err = io.ErrUnexpectedEOF
		default:
			err = errors.New("the rest is no JSON") // its own text quotes the body
		}
		p.faults = append(p.faults, fmt.Errorf("the response breaks off at %s: %w", cmp.Or(p.path(), "its start"), err))
	}
	if len(p.faults) == 0 {
		return body.Queue, nil
	}
	return body.Queue, p.faults
}

// parts decodes a body value by value. A value of another kind than the contract's keeps its zero
// value and is named in faults. It ends at the first text that is not JSON.
type parts struct {
	dec    *jsontext.Decoder
	size   int              // of the body
	left   int              // bytes of memory that may still be taken
	last   jsontext.Pointer // to the last value that was read
	faults queueError
	names  map[reflect.Type][]string // of the members of a struct, in the order of its fields
}

// decode decodes the next value into v.
func (p *parts) decode(v reflect.Value) error {
	v.SetZero() // of an earlier member of the same name
	kind, want := p.dec.PeekKind(), wanted(v.Type())
	if kind == '{' && want == "an object" || kind == '[' && want == "a list" {
		return p.decodeEach(v)
	}
	text, err := p.dec.ReadValue()
	switch {
	case err != nil:
		return err
	case kind == '0' && int(p.dec.InputOffset()) == p.size:
		return io.ErrUnexpectedEOF // its other digits may be missing
	}
	p.last = p.dec.StackPointer()
	if err := p.take(memory(text)); err != nil {
		return err
	}
	if json.Unmarshal(text, v.Addr().Interface(), lenient) == nil {
		return nil
	}
	v.SetZero()
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, fmt.Errorf("%s is not %s", p.path(), want))
	}
	return nil
}

// decodeEach decodes the members of an object or the items of a list.
func (p *parts) decodeEach(v reflect.Value) error {
	_, _ = p.dec.ReadToken() // its bracket
	err := p.take(containerCost)
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for err == nil && p.dec.PeekKind() != ']' {
			item := reflect.New(v.Type().Elem()).Elem()
			if err = p.take(5 * int(item.Type().Size())); err == nil { // a list that grows is copied
				err = p.decode(item)
			}
			if err == nil || !item.IsZero() {
				v.Set(reflect.Append(v, item))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
		fallthrough
	default:
		for err == nil && p.dec.PeekKind() == '"' {
			err = p.decodeMember(v)
		}
	}
	if err == nil {
		_, err = p.dec.ReadToken()
	}
	return err
}

// decodeMember decodes a member of an object into the field of its name, if there is one.
func (p *parts) decodeMember(object reflect.Value) error {
	name, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	t := object.Type()
	if p.names[t] == nil {
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			p.names[t] = append(p.names[t], name)
		}
	}
	text := name.String()
	if i := slices.Index(p.names[t], text); i >= 0 {
		return p.decode(object.Field(i))
	}
	if err := p.take(12 * (len(text) &^ 0xff)); err != nil { // errors copy a long name again and again
		return err
	}
	return p.dec.SkipValue()
}

func (p *parts) take(memory int) error {
	if p.left -= memory; p.left < 0 {
		return errTooLarge
	}
	return nil
}

// path names the last value that was read.
func (p *parts) path() string {
	return strings.ReplaceAll(strings.TrimPrefix(string(p.last), "/"), "/", ".")
}

// wanted returns the words for what a type holds.
func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[gen.StringOrNumber]() {
		return "a string or a number"
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Struct:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Interface:
		return "a value that Go can hold"
	}
	return "a whole number of 64 bits"
}

// Bounds of the memory of a decoded body, in bytes. Values are large, and a list that grows is copied:
// without a bound a body of 8 MiB can take a gigabyte.
const (
	maxDecoded    = 32 << 20
	objectCost    = 5 * 336 // of the largest item of a list, a gen.Media
	containerCost = 400
	scalarCost    = 200
)

// memory estimates what a value takes, by counting its brackets and commas, which is quick.
func memory(text []byte) int {
	if text[0] == '"' && utf8.Valid(text) {
		return scalarCost + 2*len(text)
	}
	count := func(b byte) int { return bytes.Count(text, []byte{b}) }
	return scalarCost + count('{')*objectCost + count('[')*containerCost + count(',')*scalarCost +
		9*len(text) // a byte that is no UTF-8 becomes three
}
