package contract_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The rows of this file are made from the contract itself, so that no property of it, present
// or to come, can be forgotten: each is given a value of every kind, and left out.

// kinds has a JSON text of each kind of value. A number counts as an integer as it is written.
var kinds = map[string]string{
	"null": "null", "boolean": "true", "integer": "7", "number": "7.5", "string": `"x"`, "array": "[]", "object": "{}",
}

func TestEveryPropertyIsHeldToItsType(t *testing.T) {
	for _, b := range bodies(t) {
		t.Run(b.name, func(t *testing.T) {
			b.eachProperty(t, func(p property) {
				allowed := admitted(p.schema)
				for kind, text := range kinds {
					wrong := b.with(t, p.path, json.RawMessage(text))
					if slices.Contains(allowed, kind) {
						continue // TestEveryPropertyAdmitsWhatItSays
					}
					vs := b.check(wrong)
					wantPointers(t, vs, p.pointer())
					if len(vs) == 1 && vs[0].Kind != strings.Replace(kind, "integer", "number", 1) {
						t.Errorf("%s: kind %q, want %q", p.pointer(), vs[0].Kind, kind)
					}
				}
			})
		})
	}
}

func TestEveryPropertyAdmitsWhatItSays(t *testing.T) {
	for _, b := range bodies(t) {
		wantPointers(t, b.check(b.full))
		b.eachProperty(t, func(p property) {
			for _, kind := range admitted(p.schema) {
				value := json.RawMessage(kinds[kind])
				if kind == "object" || kind == "string" {
					value = sample(p.schema)
				}
				wantPointers(t, b.check(b.with(t, p.path, value)))
			}
		})
	}
}

func TestEveryPropertyIsRequiredOnlyWhereTheContractSaysSo(t *testing.T) {
	for _, b := range bodies(t) {
		b.eachProperty(t, func(p property) {
			vs := b.check(b.with(t, p.path, nil))
			if !p.required {
				wantPointers(t, vs)
				return
			}
			wantPointers(t, vs, p.pointer())
			if len(vs) == 1 && vs[0].Kind != "missing" {
				t.Errorf("%s: kind %q, want missing", p.pointer(), vs[0].Kind)
			}
		})
	}
}

func TestEveryIntegerIsTakenToTheLetter(t *testing.T) {
	count := 0
	for _, b := range bodies(t) {
		b.eachProperty(t, func(p property) {
			if !slices.Contains(admitted(p.schema), "integer") || slices.Contains(admitted(p.schema), "number") {
				return
			}
			count++
			for _, text := range []string{"7.0", "7e0", "7E2", "7.5"} {
				wantPointers(t, b.check(b.with(t, p.path, json.RawMessage(text))), p.pointer())
			}
			for _, text := range []string{"0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808"} {
				wantPointers(t, b.check(b.with(t, p.path, json.RawMessage(text))))
			}
			if isInt64(p.schema) {
				for _, text := range []string{"9223372036854775808", "-9223372036854775809", "1" + strings.Repeat("0", 400)} {
					wantPointers(t, b.check(b.with(t, p.path, json.RawMessage(text))), p.pointer())
				}
			}
		})
	}
	if count < 30 {
		t.Errorf("only %d integers were tried", count)
	}
}

func TestEveryBoundOfAStringIsHeld(t *testing.T) {
	count := 0
	for _, b := range bodies(t) {
		b.eachProperty(t, func(p property) {
			for _, schema := range append(branches(p.schema), p.schema) {
				var wrong []string
				if len(schema.Enum) > 0 {
					wrong = append(wrong, "", "no such value", fmt.Sprint(schema.Enum[0])+" ")
				}
				if least := length(schema.MinLength); least > 0 {
					wrong = append(wrong, strings.Repeat("x", least-1))
				}
				if schema.MaxLength != nil {
					wrong = append(wrong, strings.Repeat("x", length(*schema.MaxLength)+1))
				}
				for _, text := range wrong {
					count++
					quoted, err := json.Marshal(text)
					if err != nil {
						t.Fatal(err)
					}
					wantPointers(t, b.check(b.with(t, p.path, quoted)), p.pointer())
				}
			}
		})
	}
	if count < 4 {
		t.Errorf("only %d rows: an enum and a least length are in the contract", count)
	}
}

func TestItemsOfEveryArrayAreJudged(t *testing.T) {
	count := 0
	for _, b := range bodies(t) {
		b.eachProperty(t, func(p property) {
			if p.schema.Items == nil {
				return
			}
			allowed := admitted(p.schema.Items.Value)
			for kind, text := range kinds {
				if slices.Contains(allowed, kind) {
					continue
				}
				count++
				good := string(sample(p.schema.Items.Value))
				items := json.RawMessage("[" + good + "," + text + "," + good + "]")
				wantPointers(t, b.check(b.with(t, p.path, items)), p.pointer()+"/1")
			}
		})
	}
	if count == 0 {
		t.Error("no array was tried")
	}
}

// length is a bound of the contract as an int, cut where a test would not try it.
func length(bound uint64) int {
	return int(min(bound, mib))
}
