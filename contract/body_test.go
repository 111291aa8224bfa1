package contract_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func TestBodiesReachTheNextReaderIntact(t *testing.T) {
	v := newValidator(t)
	for _, body := range []string{"", documentedRequest, `{"withUserId"`, "not json", strings.Repeat("x", 8*mib+100)} {
		closed := 0
		req := newRequest(t, "")
		req.GetBody = nil // as on a server
		req.Body = &countingCloser{strings.NewReader(body), &closed}
		v.CheckRequest(req)
		v.CheckRequest(req)
		wantRead(t, req.Body, body)

		resp := newResponse(http.StatusOK, "")
		resp.Body = &countingCloser{strings.NewReader(body), &closed}
		v.CheckResponse(req, resp)
		v.CheckResponse(req, resp)
		wantRead(t, resp.Body, body)

		if closed != 0 {
			t.Error("a body was closed")
		}
		_, _ = req.Body.Close(), resp.Body.Close()
		if closed != 2 {
			t.Errorf("%d bodies closed, want 2", closed)
		}
	}
}

type countingCloser struct {
	io.Reader
	closed *int
}

func (c *countingCloser) Close() error {
	*c.closed++
	return nil
}

func TestDepthIsBounded(t *testing.T) {
	v := newValidator(t)
	nested := func(n int) string {
		return `{"success":true,"queue":{"id":1,"releaseForms":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}`
	}
	wantPointers(t, v.CheckResponse(nil, newResponse(http.StatusOK, nested(98))))
	for _, levels := range []int{99, 20_000} {
		wantLines(t, v.CheckResponse(nil, newResponse(http.StatusOK, nested(levels))),
			"response body: found JSON nested deeper than 100 levels, want JSON within this limit")
	}
}

func TestNumberOfValuesIsBounded(t *testing.T) {
	v := newValidator(t)
	flood := func(n int) *http.Response {
		return newResponse(http.StatusOK, `{"success":true,"queue":{"id":1,"previews":[`+strings.Repeat(`"",`, n)+`1]}}`)
	}
	wantAllocated(t, 128*mib, func() {
		wantLines(t, v.CheckResponse(nil, flood(2*mib)), "response body: found JSON of more than 50000 values, want JSON within this limit")
	})
	if vs := v.CheckResponse(nil, flood(49_000)); len(vs) != 49_000 {
		t.Errorf("%d violations, want all 49,000", len(vs))
	}
}

// TestHostileJSONCostsWhatItsLengthDoes bounds memory, and with it the work, by a number that is
// the same on every machine.
func TestHostileJSONCostsWhatItsLengthDoes(t *testing.T) {
	v := newValidator(t)
	for name, body := range hostileJSON() {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{http.StatusOK, http.StatusUnprocessableEntity} {
				wantAllocated(t, 100*mib, func() { v.CheckResponse(nil, newResponse(status, body)) })
			}
			wantAllocated(t, 100*mib, func() { v.CheckRequest(newRequest(t, body)) })
			wantAllocated(t, 100*mib, func() {
				d := contract.NewDrift(fixedContract(t))
				_ = d.Add(nil, newResponse(http.StatusOK, body)) // an error for most
				if n := len(d.Findings()); n > 2_100 {
					t.Errorf("%d findings", n)
				}
			})
		})
	}
}

// hostileJSON is JSON of at most 400 KB that is meant to cost more than its length.
func hostileJSON() map[string]string {
	const (
		size  = 400_000
		queue = `{"success":true,"queue":{"id":1,`
		deep  = queue + `"media":[{"files":{"full":{"sources":[{}`
	)
	fill := func(before, unit, after string, most int) string {
		return before + strings.Repeat(unit, min(most, (size-len(before)-len(after))/len(unit))) + after
	}
	nest := func(before, open, middle, end, after string) string {
		n := min((size-len(before)-len(after))/(len(open)+len(end)), 95)
		return before + strings.Repeat(open, n) + middle + strings.Repeat(end, n) + after
	}
	names := make([]string, 25_000)
	for i := range names {
		names[i] = fmt.Sprintf(`,"n%d":{}`, i)
	}
	return map[string]string{
		"repeated members deep inside":  nest(`{"success":true,"x":`, `{"a":1,"a":`, "1", "}", "}"),
		"repeated members, one object":  fill(`{"success":true`, `,"success":true`, "}", size),
		"repeated members, known array": fill(queue+`"media":[{}`, `,{"id":1,"id":2}`, "]}}", 16_000),
		"repeated objects":              fill(`{"success":true`, `,"queue":{"id":1.5}`, "}", size),
		"deep, closed":                  nest(`{"success":true,"x":`, "[", "", "]", "}"),
		"deep, in a union":              nest(queue+`"price":`, "[", "", "]", "}}"),
		"deep objects, open":            fill("", `{"queue":`, "", size),
		"tiny values within the limit":  fill(queue+`"previews":[""`, `,""`, "]}}", 49_900),
		"media of all faults":           fill(queue+`"media":[{}`, `,{"id":"","type":1,"files":1}`, "]}}", 12_400),
		"files of all faults":           fill(queue+`"media":[{}`, `,{"files":{"full":{"size":"","sources":[{"width":""}]}}}`, "]}}", size),
		"items deep in what is known":   fill(deep, `,1.5`, "]}}}]}}", 49_900),
		"numbers that are no integers":  fill(queue+`"previews":[1`, `,1.0`, "]}}", 49_900),
		"a huge number":                 queue + `"price":1` + strings.Repeat("0", size) + "}}",
		"a huge integer":                `{"success":true,"queue":{"id":` + strings.Repeat("7", size) + "}}",
		"a huge exponent":               queue + `"price":1e` + strings.Repeat("9", size) + "}}",
		"many names":                    `{"success":true` + strings.Join(names, "") + "}",
		"a long name":                   `{"success":true,"` + strings.Repeat("a", size) + `":1}`,
		"long names, nested":            nest(`{"success":true,"x":`, `{"`+strings.Repeat("a", 30)+`":`, "1", "}", "}"),
		"a long string":                 `{"success":"` + strings.Repeat("\\u00e9", size/6) + `"}`,
		"not UTF-8":                     `{"success":"` + strings.Repeat("\xff", size) + `"}`,
		"unions of an error":            fill(`{"error":"x","details":[`, `{"a":[1]},`, `{}]}`, 16_000),
	}
}

func TestCompressedBodies(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		encoding string
		body     []byte
		want     []string
	}{
		"gzip":                      {"gzip", zipped(t, strings.NewReader(`{"success":true}`)), nil},
		"gzip with a fault":         {"GZIP", zipped(t, strings.NewReader(`{"success":1}`)), []string{"/success"}},
		"gzip cut":                  {"gzip", zipped(t, strings.NewReader(`{"success":true}`))[:20], []string{""}},
		"gzip unannounced":          {"", zipped(t, strings.NewReader(`{"success":true}`)), []string{""}},
		"plain, as curl prints":     {"gzip", []byte(`{"success":true}`), nil},
		"plain, as curl prints, br": {"br", []byte(`{"success":true}`), nil},
		"unknown encoding":          {"br", []byte("\x0b\x07\x80"), []string{""}},
		"bomb":                      {"gzip", bytes.Repeat(zipped(t, strings.NewReader(strings.Repeat(" ", mib))), 1024), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			resp := newResponse(http.StatusOK, string(row.body))
			resp.Header.Set("Content-Encoding", row.encoding)
			wantAllocated(t, 128*mib, func() { wantPointers(t, v.CheckResponse(nil, resp), row.want...) })
			wantRead(t, resp.Body, string(row.body))
		})
	}
}

func TestNoBody(t *testing.T) {
	v := newValidator(t)
	resp := newResponse(http.StatusOK, "")
	resp.Body = nil
	wantPointers(t, v.CheckResponse(nil, resp), "")
	wantLines(t, v.CheckResponse(nil, nil), "response body: found no response, want a response")
}

func zipped(t *testing.T, from io.Reader) []byte {
	t.Helper()
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	if _, err := io.Copy(w, from); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}
