package gen

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// StringOrNumber is a JSON string or a JSON number. It is written as it was read: the string
// "19.99", the number 19.99 and the number 0 stay what they are. The zero value is neither, and
// stands for a member that was absent or null. Values can be compared with ==.
type StringOrNumber struct {
	text     string // of a number, its digits as they were read
	isString bool
}

// String returns a value that is written as a JSON string, for a request's body:
//
//	gen.UnsendRequest{WithUserID: gen.String("51234567")}
func String(s string) StringOrNumber {
	return StringOrNumber{text: s, isString: true}
}

// Number returns a value that is written as a JSON number. It returns the zero value if n is
// infinite or NaN, which JSON cannot represent.
func Number[T int | int64 | float64](n T) StringOrNumber {
	text, err := json.Marshal(n)
	if err != nil {
		return StringOrNumber{}
	}
	return StringOrNumber{text: string(text)}
}

// String returns the string without its quotes, or the digits of the number as they were
// read. It returns "" for the zero value.
func (v StringOrNumber) String() string {
	return v.text
}

// IsString reports whether v is written as a JSON string.
func (v StringOrNumber) IsString() bool {
	return v.isString
}

// Float64 returns the number, or the number that the string spells, such as "19.99". It
// reports false if there is none, or none that a float64 can hold.
func (v StringOrNumber) Float64() (n float64, ok bool) {
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, false
	}
	return n, true
}

// MarshalJSON implements [json.Marshaler]. The zero value is written as null.
func (v StringOrNumber) MarshalJSON() ([]byte, error) {
	switch {
	case v.isString:
		return jsontext.AppendQuote(nil, v.text) // the encoder of the whole value may escape more
	case v.text == "":
		return []byte("null"), nil
	}
	return []byte(v.text), nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It returns an error for a JSON value that is not a
// string, a number or null.
func (v *StringOrNumber) UnmarshalJSON(data []byte) error {
	*v = StringOrNumber{}
	switch {
	case string(data) == "null":
		return nil
	case len(data) > 0 && data[0] == '"':
		v.isString = true
		text, err := jsontext.AppendUnquote(nil, data)
		if err != nil { // half an emoji, perhaps, which becomes U+FFFD
			return json.Unmarshal(data, &v.text)
		}
		v.text = string(text)
		return nil
	case len(data) > 0 && (data[0] == '-' || '0' <= data[0] && data[0] <= '9'):
		v.text = string(data)
		return nil
	}
	return errors.New("want a string or a number")
}
