package api_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// fields are the exported texts of an error.
type fields struct{ Type, Message, RequestID, ActionRequired string }

func TestErrorShapes(t *testing.T) {
	const noText = "Forbidden (JSON without an error's text)"
	const packed = "Forbidden (the response is compressed, and the transport did not decompress it)"
	for name, c := range map[string]struct {
		body string
		want fields
	}{
		"current": {
			`{"error":"The session has expired","type":"SESSION_EXPIRED","requestId":"req_1","actionRequired":"refresh_session"}`,
			fields{"SESSION_EXPIRED", "The session has expired", "req_1", "refresh_session"},
		},
		"current, least":      {`{"error":"No"}`, fields{Message: "No"}},
		"earlier edition":     {`{"error":"No","code":"VALIDATION_ERROR","details":[]}`, fields{Type: "VALIDATION_ERROR", Message: "No"}},
		"the SDKs'":           {`{"message":"No","code":"VALIDATION_ERROR","details":{"a":1}}`, fields{Type: "VALIDATION_ERROR", Message: "No"}},
		"error and message":   {`{"error":"No","message":"Needs a","type":"FORBIDDEN"}`, fields{Type: "FORBIDDEN", Message: "No: Needs a"}},
		"a text twice":        {`{"error":"No","message":"No"}`, fields{Message: "No"}},
		"type and code":       {`{"error":"No","type":"A","code":"B"}`, fields{Type: "A", Message: "No"}},
		"empty type":          {`{"error":"No","type":"","code":"B"}`, fields{Type: "B", Message: "No"}},
		"nulls":               {`{"error":null,"message":"No","type":null,"code":null,"requestId":null}`, fields{Message: "No"}},
		"a number as error":   {`{"error":42}`, fields{Message: "42"}},
		"an object as error":  {`{"error":{"message":"deep"},"type":"X"}`, fields{Type: "X", Message: noText}},
		"an array as error":   {`{"error":["a","b"]}`, fields{Message: noText}},
		"numbers everywhere":  {`{"error":"No","type":1,"requestId":2,"actionRequired":3}`, fields{"1", "No", "2", "3"}},
		"escapes":             {`{"error":"caf\u00e9 \ud83c\udf1e"}`, fields{Message: "café 🌞"}},
		"null":                {`null`, fields{Message: noText}},
		"an array":            {`[{"error":"No"}]`, fields{Message: noText}},
		"plain text":          {"upstream connect error", fields{Message: "Forbidden (a response that is not the service's JSON)"}},
		"HTML":                {"<html>\n<h1>502</h1>\n</html>", fields{Message: "Forbidden (an HTML page, which is not the service's)"}},
		"cut JSON":            {`{"error":"No","type":"RULES_OUT`, fields{Message: "Forbidden (a response that is not the service's JSON)"}},
		"compressed":          {"\x1f\x8b\x08", fields{Message: packed}},
		"only lines":          {`{"error":"\n\n"}`, fields{Message: noText}},
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
	long := filler(1 << 20)
	for name, body := range map[string]string{
		"text":           long,
		"every member":   strings.ReplaceAll(`{"error":"#","message":"#y","type":"#","requestId":"#","actionRequired":"#"}`, "#", long),
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

func TestErrorText(t *testing.T) {
	quotes := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New(`read "a\"b" and "c\`) })
	_, err := unsend(t.Context(), t, newClient(t, quotes, api.WithRetries(0)))
	if want := `unsend message: read "…" and "…"; it may have been unsent`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	e := fail(t, 503, nil, `{"error":"Network error","type":"NETWORK","requestId":"req_1"}`)
	if want := "unsend message: 503 NETWORK: Network error (request req_1); it may have been unsent"; e.Error() != want {
		t.Errorf("got  %s\nwant %s", e, want)
	}
	text := fail(t, 403, nil, `{"error":"`+strings.Repeat("wide 🌞 ", 1000)+`","type":"FORBIDDEN","requestId":"req_1"}`).Error()
	start := strings.HasPrefix(text, "unsend message: 403 FORBIDDEN: wide 🌞 wide")
	if !start || !strings.HasSuffix(text, "… (request req_1)") || len(text) < 380 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

const secret = "meet-me-at-noon"

// TestErrorsHoldNoMessage plants a message's text in every place of a response but an error's own
// text, and looks for it in all that shows of the error.
func TestErrorsHoldNoMessage(t *testing.T) {
	t.Parallel()
	snapshot := strings.ReplaceAll(`{"id":1,"text":"#","type":"#","message":"#","requestId":"#","actionRequired":"#"}`, "#", secret)
	responses := map[string]string{}
	for place, body := range map[string]string{
		"a snapshot":         snapshot,
		"behind a BOM":       "\xef\xbb\xbf" + snapshot,
		"in a list":          "[" + snapshot + "]",
		"in an envelope":     `{"queue":` + snapshot + `}`,
		"in brackets":        `[{"success":true,"queue":` + snapshot + `}]`,
		"cut":                `{"queue":` + snapshot[:60],
		"unsent as text":     `{"success":"true","queue":` + snapshot + `}`,
		"refused":            `{"success":false,"queue":` + snapshot + `}`,
		"as details":         `{"error":"No","details":` + snapshot + `}`,
		"as an error object": `{"error":` + snapshot + `,"code":` + snapshot + `}`,
		"as a name":          `{"` + secret + `":true}`,
		"as a string":        `"` + secret + `"`,
		"as text":            secret,
		"as HTML":            "<html>" + secret,
		"nonsense behind":    `{"queue":null}` + secret,
	} {
		for _, status := range []int{0, 200, 302, 400, 404, 429, 500, 600} {
			if status/100 != 2 && (place == "a snapshot" || place == "behind a BOM") {
				continue // its members are those of an error
			}
			head := fmt.Sprintf("HTTP/1.1 %03d X\r\nContent-Length: %d\r\n\r\n", status, len(body))
			responses[fmt.Sprintf("%03d %s", status, place)] = head + body
		}
	}
	maps.Copy(responses, map[string]string{
		"in the status line":     "HTTP/1.1 200 " + secret + "\r\n\r\n",
		"in a bad status":        "HTTP/1.1 " + secret + "\r\n\r\n",
		"in a bad version":       secret + " 200 OK\r\n\r\n",
		"in place of a response": secret + "\r\n\r\n",
		"in place, half quoted":  `\"` + secret + "\r\n\r\n",
		"in a header":            "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"in a folded header":     "HTTP/1.1 200 OK\r\n " + secret + "\r\n\r\n",
		"in headers":             "HTTP/1.1 500 X\r\nContent-Type: " + secret + "\r\nRetry-After: " + secret + "\r\nContent-Length: 0\r\n\r\n",
		"in a location":          "HTTP/1.1 302 X\r\nLocation: /" + secret + "\r\nContent-Length: 0\r\n\r\n",
		"in an encoding":         "HTTP/1.1 200 X\r\nContent-Encoding: " + secret + "\r\nContent-Length: 1\r\n\r\nx",
		"in a transfer encoding": "HTTP/1.1 200 X\r\nTransfer-Encoding: " + secret + "\r\n\r\nx",
		"in a length":            "HTTP/1.1 200 X\r\nContent-Length: " + secret + "\r\n\r\nx",
		"in a chunk's size":      "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
		"in a bad trailer":       "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + secret + "\r\n\r\n",
		"in broken gzip":         "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + secret,
		"in an interim one":      "HTTP/1.1 103 " + secret + "\r\nLink: " + secret + "\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
		"in a 101":               "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: " + secret + "\r\n\r\n" + secret,
	})
	for place, response := range responses {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			logger, log := textLogger(slog.LevelDebug)
			server := respondFirst(t, response, true)
			client := newOwnClient(t, "http://"+server.address, api.WithLogger(logger))
			_, err := unsend(t.Context(), t, client, api.WithRetries(0))
			e := apiError(t, err)
			said := fmt.Sprintln(e.Type, e.Message, e.RequestID, e.ActionRequired, e.Hint(), e.Unwrap(), log)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
				said += fmt.Sprintf(verb+" "+verb, err, *e)
			}
			if i := strings.Index(said, secret); i >= 0 {
				t.Errorf("the text shows: …%s", said[max(0, i-80):min(len(said), i+80)])
			}
		})
	}
}
