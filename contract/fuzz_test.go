package contract_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/contract"
)

func FuzzCheckResponse(f *testing.F) {
	v, document := newValidator(f), testdata(f, "openapi.yaml")
	for _, body := range []string{
		"", "null", "[]", `{"success":true}`, `{"success":true,"queue":{"id":9223372036854775808}}`, `{"success":true} {}`,
		`{"success":1,"success":2}`, `{"success":true,"queue":{"id":1.0,"price":1e999}}`,
		`{"error":"x","details":[{}]}`, testdata(f, "documented.json"), testdata(f, "wire.json"), "\xff", strings.Repeat("[", 200),
	} {
		f.Add(200, "application/json", "", []byte(body))
		f.Add(418, "text/html", "gzip", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, encoding string, body []byte) {
		resp := newResponse(status, string(body))
		resp.Header.Set("Content-Type", contentType)
		resp.Header.Set("Content-Encoding", encoding)
		vs := v.CheckResponse(nil, resp)
		wellFormed(t, vs, document)
		wantRead(t, resp.Body, string(body))
		var decoded struct {
			Queue *struct{ ID int64 }
		}
		if err := json.Unmarshal(body, &decoded); err != nil && len(vs) == 0 && status == http.StatusOK && encoding == "" {
			t.Errorf("%q passes and cannot be decoded: %v", body, err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		if again := v.CheckResponse(nil, resp); !reflect.DeepEqual(again, vs) {
			t.Errorf("got %v and then %v", vs, again)
		}
	})
}

// Everything that a violation may say of what was found. Nothing of it is a string of the wire.
var foundWords = regexp.MustCompile(`^(nothing|null|true|false|an empty string|a (string|number) of \d+ characters?` +
	`|an array of \d+ items?|an object of \d+ members?|the number [-+.\deE]{1,32}|a large number|status -?\d+` +
	`|another (path|method|media type)|text of another form|a member that occurs more than once|bytes that are not UTF-8` +
	`|text that is not JSON(, from byte \d+ on)?|text after the JSON value|more than 8 MiB|a body that broke off after \d+ bytes` +
	`|JSON (cut short after \d+ bytes?|nested deeper than \d+ levels|of more than 50000 values))$`)

// wellFormed holds of every list of violations: complete, one for each place, and in the
// contract's and this package's own words.
func wellFormed(t *testing.T, vs []contract.Violation, document string) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range vs {
		if v.Kind == "" || v.Want == "" || seen[v.Pointer] || !foundWords.MatchString(v.Found) {
			t.Errorf("violation %#v in %v", v, vs)
		}
		seen[v.Pointer] = true
		path, inBody := strings.CutPrefix(v.Pointer, "/")
		if !inBody {
			continue
		}
		for step := range strings.SplitSeq(path, "/") {
			if _, err := strconv.Atoi(step); err != nil && step != "*" && !strings.Contains(document, step+":") {
				t.Errorf("the pointer %q has a name of the wire", v.Pointer)
			}
		}
	}
}
