package api_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestErrorsHoldNoMessage plants a message's text in every place of an answer but where an
// error's own text belongs, and looks for it in all that is said of the error.
func TestErrorsHoldNoMessage(t *testing.T) {
	const secret = "meet-me-at-noon"
	snapshot := `{"id":1,"text":"` + secret + `","type":"` + secret + `","message":"` + secret + `","requestId":"` + secret + `","actionRequired":"` + secret + `"}`
	bodies := map[string]string{
		"a snapshot":          snapshot,
		"a list of snapshots": "[" + snapshot + "]",
		"behind a BOM":        "\xef\xbb\xbf" + snapshot,
		"a list behind a BOM": "\xef\xbb\xbf[" + snapshot + "]",
		"in an envelope":      `{"queue":` + snapshot + `}`,
		"in brackets":         `[{"success":true,"queue":` + snapshot + `}]`,
		"cut":                 `{"queue":` + snapshot[:60],
		"unsent as text":      `{"success":"true","queue":` + snapshot + `}`,
		"both ways":           `{"success":true,"success":false,"queue":` + snapshot + `}`,
		"as details":          `{"error":"No","details":` + snapshot + `}`,
		"as an error object":  `{"error":` + snapshot + `,"code":` + snapshot + `}`,
		"as a name":           `{"` + secret + `":true}`,
		"as a string":         `"` + secret + `"`,
		"as text":             secret,
		"as HTML":             "<html>" + secret,
		"as a form":           "success=true&text=" + secret,
		"nonsense behind":     `{"queue":null}` + secret,
	}
	answers := map[string]string{}
	for place, body := range bodies {
		for _, status := range []int{0, 200, 201, 302, 400, 401, 403, 404, 422, 429, 500, 503, 600} {
			if status/100 != 2 && strings.Contains(place, "snapshot") || status/100 != 2 && place == "behind a BOM" {
				continue // its members are those of an error
			}
			answers[fmt.Sprintf("%03d %s", status, place)] = fmt.Sprintf("HTTP/1.1 %03d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
	}
	for place, answer := range map[string]string{
		"in the status line":         "HTTP/1.1 200 " + secret + "\r\n\r\n",
		"in a bad status":            "HTTP/1.1 " + secret + "\r\n\r\n",
		"in a bad version":           secret + " 200 OK\r\n\r\n",
		"in place of an answer":      secret + "\r\n\r\n",
		"in place, quoted":           `"` + secret + `"` + "\r\n\r\n",
		"in place, half quoted":      `\"` + secret + "\r\n\r\n",
		"in a header without colon":  "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"in a header without a name": "HTTP/1.1 200 OK\r\n: " + secret + "\r\n\r\n",
		"in a folded header":         "HTTP/1.1 200 OK\r\n " + secret + "\r\n\r\n",
		"in a header's name":         "HTTP/1.1 500 X\r\n" + secret + ": x\r\nContent-Length: 0\r\n\r\n",
		"in headers":                 "HTTP/1.1 500 X\r\nContent-Type: " + secret + "\r\nRetry-After: " + secret + "\r\nLocation: /" + secret + "\r\nWarning: " + secret + "\r\nContent-Length: 0\r\n\r\n",
		"in an encoding":             "HTTP/1.1 200 X\r\nContent-Encoding: " + secret + "\r\nContent-Length: 1\r\n\r\nx",
		"in an error's encoding":     "HTTP/1.1 500 X\r\nContent-Encoding: " + secret + "\r\nContent-Length: 1\r\n\r\nx",
		"in a transfer encoding":     "HTTP/1.1 200 X\r\nTransfer-Encoding: " + secret + "\r\n\r\nx",
		"in a length":                "HTTP/1.1 200 X\r\nContent-Length: " + secret + "\r\n\r\nx",
		"in two lengths":             "HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: " + secret + "\r\n\r\nx",
		"in a chunk's size":          "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
		"in a chunk's extension":     "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1;" + secret + "\r\nx\r\n0\r\n\r\n",
		"in a bad trailer":           "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + secret + "\r\n\r\n",
		"in a trailer's name":        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length, " + secret + "\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"in broken gzip":             "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + secret,
		"in an interim answer":       "HTTP/1.1 103 " + secret + "\r\nLink: " + secret + "\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
		"in a 101":                   "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: " + secret + "\r\n\r\n" + secret,
	} {
		answers[place] = answer
	}
	for place, answer := range answers {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			server := says(t, answer, true)
			_, err := unsend(t.Context(), t, newOwnClient(t, "http://"+server.address, api.WithLogger(logger)), api.Retries(0))
			e := apiError(t, err)
			said := strings.Join([]string{err.Error(), e.Type, e.Message, e.RequestID, e.ActionRequired, e.Hint(), fmt.Sprintf("%v %+v %#v %s %q", err, err, err, err, err), fmt.Sprintf("%v %+v %#v", *e, *e, *e), log.String()}, "\n")
			if e.Unwrap() != nil {
				said += fmt.Sprintf("%v %+v", e.Unwrap(), e.Unwrap())
			}
			if i := strings.Index(said, secret); i >= 0 {
				t.Errorf("the text is told: …%s", said[max(0, i-80):min(len(said), i+80)])
			}
		})
	}
}

// TestRecordsHoldNoText: a message's text must not get into a log by way of an answer.
func TestRecordsHoldNoText(t *testing.T) {
	const secret = "meet me at noon"
	for _, body := range []string{
		`{"success":true,"queue":{"id":1,"text":"` + secret + `"}}`, `{"success":true,"queue":{"id":1,"text":"` + secret,
		`{"success":false,"queue":{"id":1,"text":"` + secret + `"}}`, `{"queue":{"id":1,"text":"` + secret + `"}}`, `{"queue":{"id":1,"text":"` + secret,
		`{"error":"` + secret + `"}`, `{"error":"x","details":"` + secret + `"}`, secret, `"` + secret + `"`, `["` + secret + `"]`,
	} {
		for _, status := range []int{200, 201, 302, 400, 403, 404, 429, 500} {
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, _ = unsend(t.Context(), t, newClient(t, answer(t, status, nil, body), api.WithLogger(log), api.WithRetries(0)))
			if strings.Contains(out.String(), secret) {
				t.Errorf("%d %s: the text is in the log: %s", status, body, &out)
			}
			if strings.Count(out.String(), "\n") != 2 {
				t.Errorf("%d %s: want two records, got %s", status, body, &out)
			}
		}
	}
}

// TestErrorsOfSuccessesHoldNoText: what a 2xx says is a message, not an error's text.
func TestErrorsOfSuccessesHoldNoText(t *testing.T) {
	const secret = "meet me at noon"
	for _, body := range []string{
		`{"success":false,"queue":{"id":1,"text":"` + secret + `"}}`, `{"queue":{"id":1,"text":"` + secret + `"}}`, `{"queue":{"id":1,"text":"` + secret,
		`{"success":"true","queue":{"text":"` + secret + `"}}`, ` {"success":null,"queue":{"text":"` + secret + `"}}`,
	} {
		if e := fail(t, http.StatusOK, nil, body); strings.Contains(e.Error()+e.Message, secret) {
			t.Errorf("%s: the text is in the error %v", body, e)
		}
	}
	for _, body := range []string{
		`{"success":true,"queue":{"id":1,"text":"` + secret, `{"success":true,"queue":{"id":1,"text":["` + secret + `"]}}`, `{"success":true,"queue":{"text":"` + secret + `","id":"x"}}`,
		`{"success":true,"queue":"` + secret + `"}`, `{"success":true,"queue":{"text":` + secret + `}}`,
	} {
		if _, err := unsent(t, body).Queue(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
