package api_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/unsend-go/unsend/api"
)

// fail makes a call that is answered with status and body, without retries.
func fail(t testing.TB, status int, header http.Header, body string) *api.Error {
	t.Helper()
	client := newClient(t, answer(t, status, header, body), api.WithRetries(0), api.WithoutRateLimit())
	_, err := unsend(t.Context(), t, client)
	if err == nil {
		t.Fatalf("a %d is no error", status)
	}
	e := apiError(t, err)
	if e.StatusCode != status {
		t.Errorf("StatusCode %d, want %d", e.StatusCode, status)
	}
	return e
}

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
		"both the same":       {`{"error":"No","message":"No"}`, fields{Message: "No"}},
		"type and code":       {`{"error":"No","type":"A","code":"B"}`, fields{Type: "A", Message: "No"}},
		"empty type":          {`{"error":"No","type":"","code":"B"}`, fields{Type: "B", Message: "No"}},
		"nulls":               {`{"error":null,"message":"No","type":null,"code":null,"requestId":null,"actionRequired":null}`, fields{Message: "No"}},
		"a number as error":   {`{"error":42}`, fields{Message: "42"}},
		"an object as error":  {`{"error":{"message":"deep"},"type":"X"}`, fields{Type: "X", Message: "Forbidden (JSON without an error's text)"}},
		"an array as error":   {`{"error":["a","b"]}`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"a boolean as error":  {`{"error":true,"message":"No"}`, fields{Message: "true: No"}},
		"numbers everywhere":  {`{"error":"No","type":1,"requestId":2,"actionRequired":3}`, fields{"1", "No", "2", "3"}},
		"number as code":      {`{"message":"No","code":40001}`, fields{Type: "40001", Message: "No"}},
		"members added":       {`{"error":"No","stack":["a"],"zzz":{}}`, fields{Message: "No"}},
		"blanks around":       {"\r\n\t {\"error\" : \"No\"} \n", fields{Message: "No"}},
		"escapes":             {`{"error":"caf\u00e9 \ud83c\udf1e"}`, fields{Message: "café 🌞"}},
		"half a surrogate":    {`{"error":"\ud800"}`, fields{Message: "\ufffd"}},
		"only unknown names":  {`{"fault":"No"}`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"an empty object":     {`{}`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"null":                {`null`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"a string":            {`"No"`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"an array":            {`[{"error":"No"}]`, fields{Message: "Forbidden (JSON without an error's text)"}},
		"plain text":          {"upstream connect error", fields{Message: "Forbidden (an answer that is not the service's JSON)"}},
		"HTML":                {"<html>\n<h1>502</h1>\n</html>", fields{Message: "Forbidden (an HTML page, which is not the service's)"}},
		"cut JSON":            {`{"error":"No","type":"RULES_OUT`, fields{Message: "Forbidden (an answer that is not the service's JSON)"}},
		"JSON and more":       {`{"error":"No"}{"error":"Yes"}`, fields{Message: "Forbidden (an answer that is not the service's JSON)"}},
		"not UTF-8":           {"caf\xe9", fields{Message: "Forbidden (an answer that is not the service's JSON)"}},
		"an empty body":       {"", fields{Message: "Forbidden (no text in the answer)"}},
		"only blanks":         {" \n\t", fields{Message: "Forbidden (no text in the answer)"}},
		"an empty error":      {`{"error":""}`, fields{Message: "Forbidden (JSON without an error's text)"}},
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

func TestRequestIDOfTheBodyWins(t *testing.T) {
	header := http.Header{"X-Request-Id": {"req_header"}}
	if e := fail(t, 500, header, `{"error":"No","requestId":"req_body"}`); e.RequestID != "req_body" {
		t.Errorf("RequestID %q", e.RequestID)
	}
	if e := fail(t, 500, header, `{"error":"No","requestId":""}`); e.RequestID != "req_header" {
		t.Errorf("RequestID %q", e.RequestID)
	}
	if e := fail(t, 502, header, `<html>`); e.RequestID != "req_header" {
		t.Errorf("RequestID %q", e.RequestID)
	}
}

// TestErrorBodyIsCapped also holds the memory behind it to the cap: errors are kept in lists.
func TestErrorBodyIsCapped(t *testing.T) {
	const most = 64 << 10
	for name, body := range map[string]string{
		"text":           strings.Repeat("x", 4<<20),
		"JSON":           `{"error":"No","details":"` + strings.Repeat("x", 4<<20) + `"}`,
		"past the limit": strings.Repeat("x", api.MaxBody+100),
		"many keys":      strings.Repeat(plantedKey+" ", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			e := fail(t, 400, nil, body)
			if len(e.Body()) != most {
				t.Errorf("a body of %d bytes, want %d", len(e.Body()), most)
			}
			if cap(e.Body()) > 2*most {
				t.Errorf("%d bytes are held for a body of %d", cap(e.Body()), len(e.Body()))
			}
		})
	}
}

// TestErrorFieldsAreCapped for the same reason.
func TestErrorFieldsAreCapped(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, body := range map[string]string{
		"current": `{"error":"` + long + `","type":"` + long + `","requestId":"` + long + `","actionRequired":"` + long + `"}`,
		"earlier": `{"error":"` + long + `","message":"` + long + `y","code":"` + long + `"}`,
		"numbers": `{"error":` + strings.Repeat("9", 1<<20) + `}`,
		"a page":  "<html>" + long,
	} {
		t.Run(name, func(t *testing.T) {
			e := fail(t, 400, http.Header{"X-Request-Id": {long}}, body)
			if n := len(e.Message) + len(e.Type) + len(e.RequestID) + len(e.ActionRequired); n > 5*64<<10 {
				t.Errorf("the error holds %d bytes of text", n)
			}
			if !strings.HasSuffix(e.RequestID, "…") {
				t.Errorf("the request id is not cut: it has %d bytes", len(e.RequestID))
			}
		})
	}
}

func TestHostileErrorText(t *testing.T) {
	long := strings.Repeat("wide 🌞 ", 1000)
	for name, c := range map[string]struct {
		header http.Header
		body   string
	}{
		"long everything":   {nil, `{"error":"` + long + `","type":"` + long + `","requestId":"` + long + `","actionRequired":"` + long + `"}`},
		"long type":         {nil, `{"error":"No","type":"` + strings.Repeat("T", 10_000) + `"}`},
		"long id":           {nil, `{"error":"No","requestId":"` + strings.Repeat("é", 10_000) + `"}`},
		"lines":             {nil, `{"error":"a\r\nb\u0085c\u2028d\u2029e\u000bf\u000cg","type":"A\nB","requestId":"r\n1"}`},
		"terminal escapes":  {nil, `{"error":"\u001b[2J\u001b]0;title\u0007","type":"\u001b[31m","requestId":"\u009b0m"}`},
		"right to left":     {nil, `{"error":"\u202egnihton\u2066\u2069","type":"\u200fX","requestId":"\u202er"}`},
		"nuls":              {nil, `{"error":"a\u0000b","requestId":"\u0000"}`},
		"zero width":        {nil, `{"error":"\ufeffa\u200bb"}`},
		"header not UTF-8":  {http.Header{"X-Request-Id": {"req_\x9b\xff"}}, `{"error":"No"}`},
		"header right-left": {http.Header{"X-Request-Id": {"req_\u202e"}}, `{"error":"No"}`},
		"long header":       {http.Header{"X-Request-Id": {strings.Repeat("r", 100_000)}}, ``},
		"binary":            {nil, "\x00\x01\xfe\xff" + strings.Repeat("\x80", 1000)},
		"only lines":        {nil, `{"error":"\n\n\n"}`},
		"a long html page":  {nil, "<html>\r\n" + strings.Repeat("<p>\t</p>\r\n", 10_000)},
	} {
		t.Run(name, func(t *testing.T) {
			// unsend, which fail calls, holds the text to its rules.
			for _, status := range []int{200, 302, 403, 503} {
				if e := fail(t, status, c.header, c.body); !utf8.ValidString(e.Error()) || strings.Contains(e.Error(), "\n") {
					t.Errorf("%q", e.Error())
				}
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

func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		`{"error":"No","type":"X","requestId":"r","actionRequired":"a"}`, `{"message":"No","code":1,"details":{}}`, `{"error":{"a":[1]}}`,
		"<html>", "null", "", "[]", "\xff", `{"error":"\ud800"}`, strings.Repeat("[", 11_000), `{"error":"` + plantedKey + `"}`, `{"type":"RESOURCE_NOT_FOUND"}`,
	} {
		for _, status := range []int{200, 301, 401, 404, 429, 500} {
			f.Add(status, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			status = 200 + (status&0x7fffffff)%400
		}
		client := newClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			return newResponse(req, status, nil, strings.NewReader(string(body))), nil
		}), api.WithRetries(0), api.WithoutRateLimit())
		result, err := unsend(t.Context(), t, client)
		if success, ok := api.ReadSuccess(body); (err == nil) != (status/100 == 2 && ok && success) {
			t.Fatalf("%d %q: %v, %v", status, body, result, err)
		}
		if err == nil {
			return
		}
		if e := apiError(t, err); e.StatusCode != status || e.Message == "" || len(e.Body()) > 64<<10 || e.Attempts != 1 {
			t.Fatalf("%d %q: %+v", status, body, e)
		}
	})
}
