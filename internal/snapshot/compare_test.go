package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/unsend-go/unsend/gen"
)

// compare decodes raw in both ways. It fails t where the decoder takes what encoding/json
// refuses, or makes something else of it.
func compare[T, Parts any](t *testing.T, raw []byte, read func(*decoder, *T, *Parts)) (decoded, right bool) {
	t.Helper()
	got, decoded := decode(raw, read)
	want := new(T)
	err := json.Unmarshal(raw, want)
	if decoded && err != nil {
		t.Errorf("decoded %.500q, to which encoding/json says %v", raw, err)
	}
	if decoded && err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%.500q becomes something else: %s", raw, difference(got, want))
	}
	return decoded, err == nil
}

func compareAnswer(t *testing.T, raw []byte) (decoded, right bool) {
	t.Helper()
	return compare(t, raw, readAnswer)
}

// difference shows where two values begin to differ, as JSON.
func difference(got, want any) string {
	is, _ := json.Marshal(got)
	should, _ := json.Marshal(want)
	from := 0
	for from < min(len(is), len(should)) && is[from] == should[from] {
		from++
	}
	from = max(from-20, 0)
	return fmt.Sprintf("got … %.80s …, want … %.80s …", is[from:], should[from:])
}

// values are what tests put in the place of another value.
func values() []string {
	return []string{
		`null`, `true`, `false`, `0`, `1`, `-1`, `1.0`, `1.5`, `-0.5e-3`, `1E2`, `300`, `70000`, `12345678901`,
		`1234567890123456789`, `123456789012345678901`, `1e39`, `1e400`, `""`, `"a"`, `"QUJD"`, `"1"`, `"\u00fc\/"`,
		`"2025-01-01T01:01:01Z"`, `"192.0.2.1"`, `{}`, `[]`, `[null]`, `[1,2]`, `[300]`, `[true]`, `[1.5]`, `["a","b"]`,
		`["2025-01-01T01:01:01Z"]`, `[{}]`, `[[]]`, `[[1],[2,3]]`, `{"a":1}`, `{"a":"b"}`, `{"id":1}`, `{"name":"a","size":1}`,
		`{"size":"1"}`, `[{"name":"a"},{"size":2}]`, `{"quoted":"5"}`, `{"quoted":5}`, `{"m0":1,"m65":2}`, `{"Extra":1,"name":"a"}`,
	}
}

// places are where the values of raw start and end.
func places(tb testing.TB, raw []byte) (all [][2]int) {
	tb.Helper()
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = valueAt(tb, raw, i)[1] - 1
		case ':', '[':
			if place := valueAt(tb, raw, i+1); place[1] > place[0] {
				all = append(all, place)
			}
		}
	}
	return all
}

// names are where the names of members start, at their opening quotes.
func names(tb testing.TB, raw []byte) (all []int) {
	tb.Helper()
	for i := 0; i < len(raw); i++ {
		if raw[i] == '"' {
			start := i
			i = valueAt(tb, raw, i)[1] - 1
			if raw[i+1] == ':' {
				all = append(all, start)
			}
		}
	}
	return all
}

// valueAt is where the value at i, or after the space at i, starts and ends. An array may
// end there instead.
func valueAt(tb testing.TB, raw []byte, i int) [2]int {
	tb.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw[i:]))
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		if bytes.HasPrefix(bytes.TrimSpace(raw[i:]), []byte("]")) {
			return [2]int{i, i}
		}
		tb.Fatal(err)
	}
	end := i + int(dec.InputOffset())
	return [2]int{end - len(value), end}
}

func splice(raw []byte, place [2]int, value string) []byte {
	return slices.Replace(bytes.Clone(raw), place[0], place[1], []byte(value)...)
}

// bodies are the documented example, and the same with more media: about 2, 10 and 100 KB.
// The wire's is what the service sends; in the escaped one, every string has escapes.
func bodies(tb testing.TB) map[string][]byte {
	tb.Helper()
	documented := testdata(tb, "documented.json")
	return map[string][]byte{
		"documented": documented,
		"wire":       testdata(tb, "wire.json"),
		"10 media":   withMedia(tb, documented, 10, false),
		"100 media":  withMedia(tb, documented, 100, false),
		"escaped":    withMedia(tb, documented, 10, true),
	}
}

// withMedia returns the body, compact, with its first medium n times.
func withMedia(tb testing.TB, body []byte, n int, escaped bool) []byte {
	tb.Helper()
	var answer gen.UnsendResponse
	if err := json.Unmarshal(body, &answer); err != nil {
		tb.Fatal(err)
	}
	answer.Queue.Media = slices.Repeat(answer.Queue.Media[:1], n)
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(escaped)
	if err := enc.Encode(answer); err != nil {
		tb.Fatal(err)
	}
	return raw.Bytes()
}

func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile("../../testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return content
}
