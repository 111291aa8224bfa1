package gen_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/gen"
)

// TestStringOrNumberKeepsWhatCame reads and writes values: nothing of them changes on the way.
func TestStringOrNumberKeepsWhatCame(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		isString bool
		says     string
		number   float64
		isNumber bool
	}{
		"a string":                 {text: `"19.99"`, isString: true, says: "19.99", number: 19.99, isNumber: true},
		"the documented string":    {text: `"<string>"`, isString: true, says: "<string>"},
		"an empty string":          {text: `""`, isString: true},
		"a string of odd letters":  {text: `"a\"b\\c"`, isString: true, says: `a"b\c`},
		"zero":                     {text: `0`, says: "0", isNumber: true},
		"a number":                 {text: `19.99`, says: "19.99", number: 19.99, isNumber: true},
		"a number with its zeros":  {text: `19.990`, says: "19.990", number: 19.99, isNumber: true},
		"a negative number":        {text: `-1e2`, says: "-1e2", number: -100, isNumber: true},
		"a long number":            {text: `123456789012345678901`, says: "123456789012345678901", number: 123456789012345678901, isNumber: true},
		"a number past a float":    {text: `1e400`, says: "1e400"},
		"a string past a float":    {text: `"1e400"`, isString: true, says: "1e400"},
		"a string with blanks":     {text: `" 5"`, isString: true, says: " 5"},
		"a string that says inf":   {text: `"inf"`, isString: true, says: "inf"},
		"null, which is no value":  {text: `null`},
		"a string that says null":  {text: `"null"`, isString: true, says: "null"},
		"a string that says false": {text: `"false"`, isString: true, says: "false"},
	} {
		t.Run(name, func(t *testing.T) {
			var v gen.StringOrNumber
			if err := json.Unmarshal([]byte(c.text), &v); err != nil {
				t.Fatal(err)
			}
			n, ok := v.Float64()
			if v.IsString() != c.isString || v.String() != c.says || n != c.number || ok != c.isNumber {
				t.Errorf("%q, string %t, number %v, %t", v.String(), v.IsString(), n, ok)
			}
			var written strings.Builder
			enc := json.NewEncoder(&written)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(v); err != nil || strings.TrimSpace(written.String()) != c.text {
				t.Errorf("written as %s, %v", written.String(), err)
			}
		})
	}
	for _, text := range []string{"true", "false", "{}", "[]", `{"a":1}`} {
		v := gen.String("before")
		if err := json.Unmarshal([]byte(text), &v); err == nil || v != (gen.StringOrNumber{}) {
			t.Errorf("%s is read as %q, %v", text, v, err)
		}
	}
}

func TestRequestIsWrittenAsTheCallerSays(t *testing.T) {
	for want, id := range map[string]gen.WithUserID{
		`{"withUserId":"51234567"}`: gen.String("51234567"),
		`{"withUserId":51234567}`:   gen.Number(51234567),
		`{"withUserId":1.5}`:        gen.Number(1.5),
		`{"withUserId":null}`:       gen.Number(math.Inf(1)),
	} {
		if got, err := json.Marshal(gen.UnsendRequest{WithUserID: id}); err != nil || string(got) != want {
			t.Errorf("written as %s, %v; want %s", got, err, want)
		}
	}
}

// TestNothingVanishesOnTheWayOut writes the zero values of a snapshot: false, 0 and "" are there,
// a list that is empty is told from one that was absent, and so is a price.
func TestNothingVanishesOnTheWayOut(t *testing.T) {
	for name, c := range map[string]struct {
		queue *gen.Queue
		has   []string
		lacks []string
	}{
		"zero values": {
			queue: &gen.Queue{},
			has:   []string{`"id":0`, `"isFree":false`, `"text":""`, `"giphyId":""`, `"mediaTypes":{"audio":0,"gif":0,"photo":0,"video":0}`},
			lacks: []string{`"media":`, `"previews":`, `"price":`, `"releaseForms":`},
		},
		"empty lists": {
			queue: &gen.Queue{Media: []gen.Media{}, Previews: []int64{}, ReleaseForms: []any{}},
			has:   []string{`"media":[]`, `"previews":[]`, `"releaseForms":[]`},
		},
		"prices": {queue: &gen.Queue{Price: gen.Number(0)}, has: []string{`"price":0`}},
		"no snapshot": {
			lacks: []string{"queue"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(gen.UnsendResponse{Queue: c.queue})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), `"success":false`) {
				t.Errorf("success is missing in %s", text)
			}
			for _, part := range c.has {
				if !strings.Contains(string(text), part) {
					t.Errorf("%s is missing in %s", part, text)
				}
			}
			for _, part := range c.lacks {
				if strings.Contains(string(text), part) {
					t.Errorf("%s is in %s", part, text)
				}
			}
		})
	}
}

// TestMembersArePlainValues walks the types: a pointer would be a nil check for every reader.
func TestMembersArePlainValues(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(at string, typ reflect.Type)
	walk = func(at string, typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer:
			if at != "UnsendResponse.Queue" {
				t.Errorf("%s is a pointer", at)
			}
			walk(at, typ.Elem())
		case reflect.Slice:
			walk(at, typ.Elem())
		case reflect.Struct:
			if typ.Name() == "" {
				t.Errorf("%s has a type without a name", at)
			}
			for field := range typ.Fields() {
				walk(typ.Name()+"."+field.Name, field.Type)
			}
		}
	}
	for _, v := range []any{gen.UnsendRequest{}, gen.UnsendResponse{}, gen.ErrorBody{}} {
		walk("", reflect.TypeOf(v))
	}
}
