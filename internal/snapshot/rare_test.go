package snapshot

import (
	"strings"
	"testing"
)

func deep(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func media(n int) string {
	return `{"queue":{"media":[{}` + strings.Repeat(`,{}`, n-2) + `,{"releaseForms":[{}]}]}}`
}

// TestSeldomWrittenSo is read all the same.
func TestSeldomWrittenSo(t *testing.T) {
	for _, body := range []string{
		`{}`,
		` {"queue" : null , "more": [1, {"a":{}}, -1.5e+3, 0.0, 1E5, true, false, null] } `,
		"{\"queue\":\r\n\t{\"id\":-1}}",
		`{"queue":{"text":"\"\\\/\b\f\n\r\t\u00fcü\uD83C\udf1e🌞\u0000\ufffd"},"success":false}`,
		"{\"queue\":{\"text\":\"\x7f\u2028\ufffd\"}}",
		`{"queue":{"id":9223372036854775807,"price":-1.5e+3,"previews":[null,1]}}`,
		`{"queue":{"media":[null,{},{"files":{"full":{"sources":[{},{"url":"a"}]}}}]}}`,
		`{"a":` + deep(maxDepth-1) + `}`,
		media(maxObjects - 1),
		`{"a":"\u00e9","a":"` + "\u2028" + `"}`,
		`{"` + strings.Repeat("long", 50) + `":1}`,
	} {
		if decoded, _ := compareAnswer(t, []byte(body)); !decoded {
			t.Errorf("declined %.200q", body)
		}
	}
}

// TestLeftToJSON is right to encoding/json, which has rules of its own for it.
func TestLeftToJSON(t *testing.T) {
	for _, body := range []string{
		`null`,
		`{"queue":{"text":"\ud83c"}}`,
		`{"queue":{"text":"\ud83c\n"}}`,
		`{"queue":{"text":"\ud83c\u0041"}}`,
		`{"queue":{"text":"\udf1e\ud83c"}}`,
		"{\"queue\":{\"text\":\"\xff\"}}",
		"{\"queue\":{\"text\":\"long enough \xed\xa0\x80\"}}",
		"{\"queue\":{\"text\":\"\xc3\\n\"}}",
		"{\"queue\":{\"text\":\"\x80 begins no character\"}}",
		"{\"a\":\"\xc3\"}",
		`{"queue":{"id":-9223372036854775808}}`,
		`{"queue":{"id":-0}}`,
		`{"\u0071ueue":{"id":1}}`,
		`{"QueUe":{"id":1}}`,
		"{\"queue\":{\"i\u017fFree\":true}}",
		"{\"queue\":{\"isLi\u212aed\":true}}",
		`{"queue":{"id":1},"queue":{"text":"a"}}`,
		`{"a":` + deep(maxDepth) + `}`,
		media(maxObjects),
	} {
		if decoded, right := compareAnswer(t, []byte(body)); decoded || !right {
			t.Errorf("%.200q: decoded %v, right to encoding/json %v", body, decoded, right)
		}
	}
}

// TestNotJSON is wrong to both.
func TestNotJSON(t *testing.T) {
	for _, body := range []string{
		``, ` `, `[]`, `"queue"`, `{`, `}`, "{}\x00", "\ufeff{}", `{}}`, `{} {}`, `{},`,
		`{"queue":{"id":1,}}`, `{,"queue":{}}`, `{"queue" {}}`, `{"queue":}`, `{"queue"}`, `{queue:{}}`, `{"queue":{}`, `{"a":1 "b":2}`,
		`{"queue":{"previews":[1,]}}`, `{"queue":{"previews":[,1]}}`, `{"queue":{"previews":[1}}`, `{"queue":{"previews":{]}}`, `{"queue":{"previews":[1 2]}}`,
		`{"queue":{"id":01}}`, `{"queue":{"id":-01}}`, `{"queue":{"id":+1}}`, `{"queue":{"id":-}}`, `{"queue":{"id":1.}}`, `{"queue":{"id":.5}}`, `{"queue":{"id":1e}}`,
		`{"queue":{"id":9223372036854775808}}`, `{"queue":{"id":18446744073709551617}}`, `{"queue":{"id":1}`, `{"queue":{"isFree":tru}}`, `{"queue":{"isFree":truest}}`,
		`{"a":01}`, `{"a":1.e1}`, `{"a":1e+}`, `{"a":0x1}`, `{"a":--1}`, `{"a":nul}`, `{"a":NaN}`, `{"a":}`, `{"a":'b'}`,
		`{"a":"\'"}`, `{"a":"\u12"}`, `{"a":"\u+123"}`, `{"a":"\u12_4"}`, `{"a":"\u0x12"}`, `{"a":"\`, `{"a":"\u`, `{"a":"\ud83c\`, `{"a":"\ud83c\u00`, `{"a":"b`, `{"a`,
		"{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\x1f and more of it\"}", "{\"a\":\"more of it and \x1f\"}", "{\"a\":\u00a01}", "{\"\n\":1}", `{"\x":1}`,
		`{"queue":{"releaseForms":{"a":1e999}}}`, `{"queue":{"releaseForms":{"a"}}}`,
	} {
		if decoded, right := compareAnswer(t, []byte(body)); decoded || right {
			t.Errorf("%.200q: decoded %v, right to encoding/json %v", body, decoded, right)
		}
	}
}

// TestScan stops at the same bytes at every place in the eight that it takes at once.
func TestScan(t *testing.T) {
	for c := range 256 {
		stops := c < ' ' || c == '"' || c == '\\' || c >= 0x80
		for i := range 20 {
			raw := []byte(strings.Repeat("a", 20))
			raw[i] = byte(c)
			want := len(raw)
			if stops {
				want = i
			}
			d := decoder{raw: raw}
			if got := d.scan(0); got != want {
				t.Errorf("%q: stopped at %d, want %d", raw, got, want)
			}
		}
	}
}
