package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// fields are the exported texts of an error.
type fields struct{ Type, Message, RequestID, ActionRequired string }

func TestErrorShapes(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want fields
	}{
		"current": {
			`{"error":"The session has expired","type":"SESSION_EXPIRED","requestId":"req_1","actionRequired":"refresh_session"}`,
			fields{"SESSION_EXPIRED", "The session has expired", "req_1", "refresh_session"},
		},
		"current, least":      {`{"error":"No"}`, fields{Message: "No"}},
		"earlier edition":     {`{"error":"Validation failed","code":"VALIDATION_ERROR","details":[{"field":"withUserId"}]}`, fields{Type: "VALIDATION_ERROR", Message: "Validation failed"}},
		"the SDKs'":           {`{"message":"Validation failed","code":"VALIDATION_ERROR","details":{"a":1}}`, fields{Type: "VALIDATION_ERROR", Message: "Validation failed"}},
		"error and message":   {`{"error":"Forbidden","message":"Needs messages:write","type":"FORBIDDEN"}`, fields{Type: "FORBIDDEN", Message: "Forbidden: Needs messages:write"}},
		"type and code":       {`{"error":"No","type":"A","code":"B"}`, fields{Type: "A", Message: "No"}},
		"empty type":          {`{"error":"No","type":"","code":"B"}`, fields{Type: "B", Message: "No"}},
		"nulls":               {`{"error":null,"message":"No","type":null,"code":null,"requestId":null,"actionRequired":null}`, fields{Message: "No"}},
		"a number as error":   {`{"error":42}`, fields{Message: "42"}},
		"an object as error":  {`{"error":{"message":"deep"},"type":"X"}`, fields{Type: "X", Message: "Forbidden (JSON without an error's text)"}},
		"an array as error":   {`{"error":["a","b"]}`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"numbers everywhere":  {`{"error":"No","type":1,"requestId":2,"actionRequired":3}`, fields{"1", "No", "2", "3"}},
		"members added":       {`{"error":"No","stack":["a"],"zzz":{}}`, fields{Message: "No"}},
		"escapes":             {`{"error":"caf\u00e9 \ud83c\udf1e"}`, fields{Message: "café 🌞"}},
		"half a surrogate":    {`{"error":"\ud800"}`, fields{Message: "\ufffd"}},
		"null":                {`null`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"an array":            {`[{"error":"No"}]`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"plain text":          {"upstream connect error", fields{Message: "Forbidden (a response that is not the service's JSON)"}},
		"HTML":                {"<html>\n<h1>502</h1>\n</html>", fields{Message: "Forbidden (an HTML page, which is not the service's)"}},
		"cut JSON":            {`{"error":"No","type":"RULES_OUT`, fields{Message: "Forbidden (a response that is not the service's JSON)"}},
		"an empty body":       {"", fields{Message: "Forbidden (no text in the response)"}},
		"names in upper case": {`{"ERROR":"No","Type":"X"}`, fields{Type: "X", Message: "No"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := fail(t, http.StatusForbidden, nil, c.body)
			if got := (fields{e.Type, e.Message, e.RequestID, e.ActionRequired}); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if string(e.Body()) != c.body {
				t.Errorf("Body %q, want %q", e.Body(), c.body)
			}
		})
	}
}

// TestErrorsAreCapped also holds the memory behind a body to its cap: errors are kept in lists.
func TestErrorsAreCapped(t *testing.T) {
	const most = 64 << 10
	long := strings.Repeat("x", 1<<20)
	for name, body := range map[string]string{
		"text":           long,
		"every member":   `{"error":"` + long + `","message":"` + long + `y","type":"` + long + `","requestId":"` + long + `","actionRequired":"` + long + `"}`,
		"a number":       `{"error":` + strings.Repeat("9", 1<<20) + `}`,
		"past the limit": strings.Repeat("x", api.MaxBody+100),
		"many keys":      strings.Repeat(plantedKey+" ", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			e := fail(t, 400, http.Header{"X-Request-Id": {long}}, body)
			if len(e.Body()) > most || len(e.Body()) < most/3 || cap(e.Body()) > 2*most {
				t.Errorf("a body of %d bytes in %d, want at most %d", len(e.Body()), cap(e.Body()), most)
			}
			for _, text := range []string{e.Message, e.Type, e.RequestID, e.ActionRequired} {
				if len(text) > 1<<10 {
					t.Errorf("a text of %d bytes", len(text))
				}
			}
			if !strings.HasSuffix(e.RequestID, "…") {
				t.Errorf("the request id is not cut: it has %d bytes", len(e.RequestID))
			}
		})
	}
}

// TestHostileErrorText: fail holds each text to one line that a terminal can show.
func TestHostileErrorText(t *testing.T) {
	long := strings.Repeat("wide 🌞 ", 1000)
	for name, c := range map[string]struct{ id, body string }{
		"long everything":  {id: long, body: `{"error":"` + long + `","type":"` + long + `","actionRequired":"` + long + `"}`},
		"long type":        {body: `{"error":"No","type":"` + strings.Repeat("T", 10_000) + `"}`},
		"lines":            {body: `{"error":"a\r\nb\u0085c\u2028d\u2029e\u000bf\u000cg","type":"A\nB","requestId":"r\n1"}`},
		"terminal escapes": {body: `{"error":"\u001b[2J\u001b]0;title\u0007","type":"\u001b[31m","requestId":"\u009b0m"}`},
		"right to left":    {id: "req_\u202e", body: `{"error":"\u202egnihton\u2066\u2069","type":"\u200fX"}`},
		"nuls":             {body: `{"error":"a\u0000b","requestId":"\u0000"}`},
		"not UTF-8":        {id: "req_\x9b\xff", body: `{"error":"No"}`},
		"binary":           {body: "\x00\x01\xfe\xff" + strings.Repeat("\x80", 1000)},
		"only lines":       {body: `{"error":"\n\n\n"}`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{200, 403} {
				_ = fail(t, status, http.Header{"X-Request-Id": {c.id}}, c.body)
			}
		})
	}
}

func TestErrorTextSaysWhatMatters(t *testing.T) {
	e := fail(t, 503, nil, `{"error":"Network error","type":"NETWORK","requestId":"req_1"}`)
	if want := "unsend message: 503 NETWORK: Network error (request req_1); it may have been unsent"; e.Error() != want {
		t.Errorf("got  %s\nwant %s", e, want)
	}
	e = fail(t, 403, nil, `{"error":"`+strings.Repeat("x", 10_000)+`","type":"FORBIDDEN","requestId":"req_1"}`)
	if text := e.Error(); !strings.HasPrefix(text, "unsend message: 403 FORBIDDEN: xxx") || !strings.HasSuffix(text, "x… (request req_1)") || len(text) < 390 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}
