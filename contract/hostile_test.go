package contract_test

import (
	"net/http"
	"strings"
	"testing"
)

// hostile is JSON of some 400 KB that is meant to cost more than its length. Each has to be
// told in memory of the order of its length.
func hostile() map[string]string {
	const size = 400_000
	fill := func(before, unit, after string) string {
		return before + strings.Repeat(unit, (size-len(before)-len(after))/len(unit)) + after
	}
	nest := func(before, open, middle, end, after string) string {
		n := min((size-len(before)-len(after))/(len(open)+len(end)), 9_990)
		return before + strings.Repeat(open, n) + middle + strings.Repeat(end, n) + after
	}
	const queue = `{"success":true,"queue":{"id":1,`
	return map[string]string{
		"repeated members deep inside":  nest(`{"success":true,"x":`, `{"a":1,"a":`, "1", "}", "}"),
		"repeated members, one object":  fill(`{"success":true`, `,"success":true`, "}"),
		"repeated members, unknown":     fill(`{"success":true`, `,"a":1`, "}"),
		"repeated members, known array": fill(queue+`"media":[{}`, `,{"id":1,"id":2}`, "]}}"),
		"repeated objects":              fill(`{"success":true`, `,"queue":{"id":1.5}`, "}"),
		"deep, closed":                  nest(`{"success":true,"x":`, "[", "", "]", "}"),
		"deep, in a union":              nest(`{"success":true,"queue":{"id":1,"price":`, "[", "", "]", "}}"),
		"deep, open":                    strings.Repeat("[", size),
		"deep objects, open":            fill("", `{"queue":`, ""),
		"tiny values":                   fill(queue+`"previews":[""`, `,""`, "]}}"),
		"tiny values under the limit":   queue + `"previews":[""` + strings.Repeat(`,""`, 49_000) + "]}}",
		"tiny objects":                  fill(queue+`"media":[{}`, `,{}`, "]}}"),
		"tiny objects under the limit":  queue + `"media":[{}` + strings.Repeat(`,{}`, 49_000) + "]}}",
		"a medium of all faults":        fill(queue+`"media":[{}`, `,{"id":"","type":1,"files":1}`, "]}}"),
		"files of all faults":           fill(queue+`"media":[{}`, `,{"files":{"full":{"url":1,"size":"","sources":[{"url":1,"width":""}]}}}`, "]}}"),
		"deep in what is known":         fill(queue+`"media":[{"files":{"full":{"sources":[{}`, `,{"url":1}`, "]}}}]}}"),
		"items deep in what is known":   queue + `"media":[{"files":{"full":{"sources":[{}` + strings.Repeat(`,1.5`, 49_900) + "]}}}]}}",
		"a huge number":                 queue + `"price":1` + strings.Repeat("0", size) + "}}",
		"a huge integer":                `{"success":true,"queue":{"id":` + strings.Repeat("7", size) + "}}",
		"a huge fraction":               queue + `"price":0.` + strings.Repeat("7", size) + "}}",
		"a huge exponent":               queue + `"price":1e` + strings.Repeat("9", size) + "}}",
		"many numbers":                  fill(queue+`"previews":[1`, `,1.0`, "]}}"),
		"a long name":                   `{"success":true,"` + strings.Repeat("a", size) + `":1}`,
		"long names, nested":            nest(`{"success":true,"x":`, `{"`+strings.Repeat("a", 30)+`":`, "1", "}", "}"),
		"names of escapes":              fill(`{"success":true`, `,"\u0061\u0062":1`, "}"),
		"a long string":                 `{"success":"` + strings.Repeat("\\u00e9", size/6) + `"}`,
		"not UTF-8":                     `{"success":"` + strings.Repeat("\xff", size) + `"}`,
		"blanks":                        strings.Repeat(" ", size),
		"many unions":                   fill(`{"error":"x","details":[`, `{"a":[1]},`, `{}]}`),
	}
}

func TestHostileJSONCostsWhatItsLengthDoes(t *testing.T) {
	v := newValidator(t)
	for name, body := range hostile() {
		for _, status := range []int{http.StatusOK, http.StatusUnprocessableEntity} {
			before := allocated()
			v.CheckResponse(nil, newResponse(status, body))
			if grown := allocated() - before; grown > 100*mib {
				t.Errorf("%s, %d: %d MiB allocated for %d bytes", name, status, grown/mib, len(body))
			}
		}
	}
}
