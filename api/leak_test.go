package api_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

const secret = "meet-me-at-noon"

// TestErrorsHoldNoMessage plants a message's text in every place of an answer but where an
// error's own text belongs, and looks for it in all that is said of the error.
func TestErrorsHoldNoMessage(t *testing.T) {
	t.Parallel()
	snapshot := `{"id":1,"text":"` + secret + `","type":"` + secret + `","message":"` + secret + `","requestId":"` + secret + `","actionRequired":"` + secret + `"}`
	answers := map[string]string{}
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
			answers[fmt.Sprintf("%03d %s", status, place)] = fmt.Sprintf("HTTP/1.1 %03d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
	}
	maps.Copy(answers, map[string]string{
		"in the status line":     "HTTP/1.1 200 " + secret + "\r\n\r\n",
		"in a bad status":        "HTTP/1.1 " + secret + "\r\n\r\n",
		"in a bad version":       secret + " 200 OK\r\n\r\n",
		"in place of an answer":  secret + "\r\n\r\n",
		"in place, half quoted":  `\"` + secret + "\r\n\r\n",
		"in a header":            "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"in a folded header":     "HTTP/1.1 200 OK\r\n " + secret + "\r\n\r\n",
		"in headers":             "HTTP/1.1 500 X\r\nContent-Type: " + secret + "\r\nRetry-After: " + secret + "\r\nLocation: /" + secret + "\r\nContent-Length: 0\r\n\r\n",
		"in an encoding":         "HTTP/1.1 200 X\r\nContent-Encoding: " + secret + "\r\nContent-Length: 1\r\n\r\nx",
		"in a transfer encoding": "HTTP/1.1 200 X\r\nTransfer-Encoding: " + secret + "\r\n\r\nx",
		"in a length":            "HTTP/1.1 200 X\r\nContent-Length: " + secret + "\r\n\r\nx",
		"in a chunk's size":      "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
		"in a bad trailer":       "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + secret + "\r\n\r\n",
		"in broken gzip":         "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + secret,
		"in an interim answer":   "HTTP/1.1 103 " + secret + "\r\nLink: " + secret + "\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
		"in a 101":               "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: " + secret + "\r\n\r\n" + secret,
	})
	for place, answer := range answers {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			logger, log := debugLogger()
			server := says(t, answer, true)
			_, err := unsend(t.Context(), t, newOwnClient(t, "http://"+server.address, api.WithLogger(logger)), api.WithRetries(0))
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

// TestSnapshotsAreNotTold: neither a log nor an error of Queue has a message's text, though its
// answer is a success; and no log has an error's own text.
func TestSnapshotsAreNotTold(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
	}{
		{200, `{"success":true,"queue":{"id":1,"text":"` + secret + `"}}`},
		{200, `{"success":true,"queue":{"id":1,"text":"` + secret},
		{200, `{"success":true,"queue":{"id":1,"text":["` + secret + `"]}}`},
		{200, `{"success":true,"queue":"` + secret + `"}`},
		{200, `{"success":true,"queue":{"text":` + secret + `}}`},
		{403, `{"error":"` + secret + `"}`},
	} {
		logger, log := debugLogger()
		result, _ := unsend(t.Context(), t, newClient(t, answer(t, c.status, nil, c.body), api.WithLogger(logger)))
		_, err := result.Queue()
		if strings.Contains(fmt.Sprint(err, log), secret) || strings.Count(log.String(), "\n") != 2 {
			t.Errorf("%s: %v\n%s", c.body, err, log)
		}
	}
}
