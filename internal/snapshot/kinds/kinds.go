// Package kinds holds a type of every kind that a contract may give rise to. The tests of the
// generator and of what it writes read them; nothing else does.
package kinds

import (
	"encoding/json"
	"errors"
	"net/netip"
	"time"
)

// Everything has a member of every kind. Its names in JSON are the names of its fields.
type Everything struct {
	Bool    bool
	Int     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	String  string
	Enum    Enum
	Count   Count

	BoolPointer    *bool
	IntPointer     *int
	Int8Pointer    *int8
	Uint64Pointer  *uint64
	Float32Pointer *float32
	Float64Pointer *float64
	StringPointer  *string
	EnumPointer    *Enum

	Union        Union
	UnionPointer *Union
	Unions       []Union
	Level        Level
	LevelPointer *Level
	Levels       []Level
	Time         time.Time
	TimePointer  *time.Time
	Times        []time.Time
	Addr         *netip.Addr
	Duration     time.Duration
	Raw          json.RawMessage
	Number       json.Number

	Object        Object
	ObjectPointer *Object
	Objects       []Object
	Named         Objects
	Empty         *Empty
	Wide          *Wide
	Parent        *Everything
	Children      []Everything
	Sibling       *Sibling

	Strings        []string
	Ints           []int
	Bools          []bool
	Floats         []float64
	Enums          []Enum
	Bytes          []byte
	Small          []Byte
	Matrix         [][]int
	Pointers       []*int
	ObjectPointers []*Object
	PointerPointer **int
	SlicePointer   *[]string
	Array          [2]int
	Map            map[string]int
	Any            any
	AnyPointer     *any
	Anys           []any
	Interface      error
	Anonymous      struct{ A int }

	Embedded Embedded
	Quoted   *Quoted
	Accented *Accented
	Foreign  *json.UnmarshalTypeError

	Tagged   int `json:"tagged,omitempty"`
	TagLess  int `json:",omitempty"`
	Dash     int `json:"-,"` //nolint:staticcheck // a member named -
	Ignored  int `json:"-"`
	unlisted int
}

// Unlisted returns what no JSON can set.
func (e *Everything) Unlisted() int { return e.unlisted + e.Ignored }

// Enum is a kind of string.
type Enum string

// Count is a kind of integer.
type Count int16

// Byte is a kind of byte: a slice of it is written in base64.
type Byte byte

// Objects is a kind of slice.
type Objects []Object

// Object is a plain object.
type Object struct {
	Name *string `json:"name,omitempty"`
	Size *int64  `json:"size,omitempty"`
}

// Empty has no members.
type Empty struct{}

// Sibling leads back to where it comes from.
type Sibling struct {
	ID   *int64      `json:"id,omitempty"`
	Back *Everything `json:"back,omitempty"`
}

// Embedded takes members from another type.
type Embedded struct {
	Object
	Extra *int
}

// Quoted writes a number in quotes.
type Quoted struct {
	Value int64 `json:"quoted,string"`
}

// Accented has a name that is not ASCII, of which letter case is hard to tell.
type Accented struct {
	Size int `json:"größe"`
}

// Union reads itself and keeps what it read. It refuses arrays.
type Union struct{ kept []byte }

// Kept returns what was read.
func (u *Union) Kept() string { return string(u.kept) }

// UnmarshalJSON keeps the bytes that it is handed, which are its own.
func (u *Union) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		return errors.New("arrays are refused")
	}
	u.kept = append(u.kept[:0], raw...)
	return nil
}

// Level reads itself from a string.
type Level struct{ Value int }

// UnmarshalText takes the length of the text.
func (l *Level) UnmarshalText(text []byte) error {
	l.Value = len(text)
	return nil
}
