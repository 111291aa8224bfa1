package gen_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/gen"
)

// TestStringOrNumberKeepsWhatCame reads values and writes them again, unchanged.
func TestStringOrNumberKeepsWhatCame(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"19.99"`:               `string "19.99", 19.99`,
		`"a\"b\\c"`:             `string "a\"b\\c", no number`,
		`"1e400"`:               `string "1e400", no number`, // past a float64
		`"null"`:                `string "null", no number`,
		`""`:                    `string "", no number`,
		`0`:                     `number "0", 0`,
		`19.990`:                `number "19.990", 19.99`,
		`-1e2`:                  `number "-1e2", -100`,
		`123456789012345678901`: `number "123456789012345678901", 1.2345678901234568e+20`,
		`null`:                  `number "", no number`,
	} {
		var v gen.StringOrNumber
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		kind, number := "number", "no number"
		if v.IsString() {
			kind = "string"
		}
		if n, ok := v.Float64(); ok {
			number = fmt.Sprint(n)
		}
		if got := fmt.Sprintf("%s %q, %s", kind, v, number); got != want {
			t.Errorf("%s is read as the %s, want the %s", text, got, want)
		}
		if written, err := json.Marshal(v); err != nil || string(written) != text {
			t.Errorf("%s is written as %s, %v", text, written, err)
		}
	}
	for _, text := range []string{"true", "{}", "[]"} {
		v := gen.String("before")
		if err := json.Unmarshal([]byte(text), &v); err == nil || v != (gen.StringOrNumber{}) {
			t.Errorf("%s is read as %q, %v; want an error", text, v, err)
		}
	}
}

// TestZeroValuesAreWritten marshals values: false, 0 and "" are members, and an empty list differs
// from an absent one.
func TestZeroValuesAreWritten(t *testing.T) {
	t.Parallel()
	empty := gen.Queue{Media: []gen.Media{}, Previews: []int64{}, ReleaseForms: []any{}, Price: gen.Number(0)}
	for _, c := range []struct {
		value       any
		has, absent []string
	}{
		{gen.Queue{}, []string{`"id":0`, `"isFree":false`, `"text":""`}, []string{"media", "previews", "price", "releaseForms"}},
		{empty, []string{`"media":[]`, `"previews":[]`, `"releaseForms":[]`, `"price":0`}, nil},
		{gen.UnsendResponse{}, []string{`"success":false`}, []string{"queue"}},
		{gen.UnsendRequest{WithUserID: gen.String("51234567")}, []string{`{"withUserId":"51234567"}`}, nil},
		{gen.UnsendRequest{WithUserID: gen.Number(51234567)}, []string{`{"withUserId":51234567}`}, nil},
		{gen.UnsendRequest{WithUserID: gen.Number(math.Inf(1))}, []string{`{"withUserId":null}`}, nil},
	} {
		text, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range c.has {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s lacks %s", text, part)
			}
		}
		for _, member := range c.absent {
			if strings.Contains(string(text), `"`+member+`":`) {
				t.Errorf("%s has the member %s", text, member)
			}
		}
	}
}
