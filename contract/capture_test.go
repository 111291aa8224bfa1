package contract_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/contract"
)

func TestReadCapture(t *testing.T) {
	const typed = "content-type: application/json\n"
	for name, row := range map[string]struct {
		capture string
		status  int
		body    string
	}{
		"HTTP/1.1":             {"HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"success\":true}", 200, `{"success":true}`},
		"HTTP/1.0":             {"HTTP/1.0 404 Not Found\n" + typed + "\n{}", 404, `{}`},
		"HTTP/2":               {"HTTP/2 200 \n" + typed + "\n{\"success\":true}\n", 200, "{\"success\":true}\n"},
		"HTTP/2 without space": {"HTTP/2 429\n" + typed + "\n{}", 429, `{}`},
		"HTTP/3":               {"HTTP/3 503 \n" + typed + "\n{}", 503, `{}`},
		"after 100 Continue":   {"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n" + typed + "\n{}", 200, `{}`},
		"after a redirect":     {"HTTP/1.1 302 Found\nLocation: /x\n\nHTTP/1.1 307 Temporary\n\nHTTP/2 200 \n" + typed + "\n{}", 200, `{}`},
		"through a proxy":      {"HTTP/1.1 200 Connection established\n\nHTTP/2 200 \n" + typed + "\n{}", 200, `{}`},
		"chunks undone":        {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n" + typed + "\n{\"success\":true}", 200, `{"success":true}`},
		"length that is wrong": {"HTTP/1.1 200 OK\nContent-Length: 2\n" + typed + "\n{\"success\":true}", 200, `{"success":true}`},
		"head alone":           {"HTTP/1.1 204 No Content\n" + typed, 204, ``},
		"status line alone":    {"HTTP/1.1 200 OK", 200, ``},
		"blank lines in front": {"\n  \nHTTP/1.1 200 OK\n" + typed + "\n{}", 200, `{}`},
		"a mark in front":      {"\xef\xbb\xbfHTTP/1.1 200 OK\n" + typed + "\n{}", 200, `{}`},
		"a page":               {"HTTP/1.1 502 Bad Gateway\nContent-Type: text/html\n\n<html>HTTP/1.1 200 OK", 502, `<html>HTTP/1.1 200 OK`},
		"a binary body":        {"HTTP/1.1 200 OK\n\n\x1f\x8b\x00", 200, "\x1f\x8b\x00"},
		"bare JSON":            {`{"success":true}`, 200, `{"success":true}`},
		"bare JSON, marked":    {"\xef\xbb\xbf\n {\"success\":true}\n", 200, "\n {\"success\":true}\n"},
		"bare JSON, cut":       {`{"success":tr`, 200, `{"success":tr`},
		"bare null":            {"null\n", 200, "null\n"},
		"bare and long":        {`[` + strings.Repeat(" ", 100_000), 200, `[` + strings.Repeat(" ", 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			readers := []io.Reader{strings.NewReader(row.capture), iotest.OneByteReader(strings.NewReader(row.capture))}
			if head, ok := strings.CutSuffix(row.capture, row.body); ok && head != "" {
				readers = append(readers, strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n")+row.body))
			}
			for _, r := range readers {
				resp, err := contract.ReadCapture(r)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != row.status {
					t.Errorf("status %d, want %d", resp.StatusCode, row.status)
				}
				if got := resp.Header.Get("Content-Type"); strings.Contains(row.capture, typed) && got != "application/json" {
					t.Errorf("Content-Type %q", got)
				}
				wantRead(t, resp.Body, row.body)
			}
		})
	}
}

func TestReadCaptureKeepsTheFinalHead(t *testing.T) {
	resp, err := contract.ReadCapture(strings.NewReader("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n" +
		"HTTP/1.1 404 Not Found\r\nX-Two: 1\r\nx-two:2\r\nX-Empty:\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != "404 Not Found" || resp.Proto != "HTTP/1.1" || resp.ContentLength != -1 {
		t.Errorf("got %q %q, length %d", resp.Proto, resp.Status, resp.ContentLength)
	}
	if resp.Header.Get("Location") != "" || len(resp.Header.Values("X-Two")) != 2 {
		t.Errorf("headers %v", resp.Header)
	}
}

func TestReadCaptureRefusesWhatIsNoResponse(t *testing.T) {
	const (
		none   = "the capture is not a response: give it what `curl -i` prints, or a JSON body"
		empty  = "the capture is empty: give it what `curl -i` prints, or a JSON body"
		header = "the capture has a line in its head that is not a header: give it all that `curl -i` prints, with an empty line before the body"
		status = "the capture's first line is not a status line such as HTTP/1.1 200 OK"
		long   = "the capture's heads are longer than 1024 KiB"
	)
	for name, row := range map[string]struct{ capture, want string }{
		"empty":                 {"", empty},
		"only a mark":           {"\xef\xbb\xbf \r\n", empty},
		"very blank":            {strings.Repeat(" ", 1<<20), empty},
		"UTF-16":                {"\xff\xfeH\x00T\x00T\x00P\x00", "the capture is written in UTF-16: save it as UTF-8"},
		"words":                 {"curl: (6) Could not resolve host", none},
		"a request":             {"DELETE /v2/access/chats/7/messages/9 HTTP/1.1\nHost: x\n\n{}", none},
		"a status in words":     {"HTTP/1.1 OK\n\n{}", status},
		"four digits":           {"HTTP/1.1 2000 OK\n\n{}", status},
		"a header that is none": {"HTTP/1.1 200 OK\nContent-Type: application/json\n{\"success\":true}\n", header},
		"only interim":          {"HTTP/1.1 100 Continue\n\n", "the capture ends after 100: the final response is missing"},
		"endless headers":       {"HTTP/1.1 200 OK\n" + strings.Repeat("a: b\n", 1<<20), long},
		"an endless header":     {"HTTP/1.1 200 OK\na: " + strings.Repeat("x", 2<<20), long},
		"endless responses":     {strings.Repeat("HTTP/1.1 200 OK\n\n", 1<<20), long},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := contract.ReadCapture(strings.NewReader(row.capture))
			if resp != nil || err == nil || err.Error() != row.want {
				t.Errorf("got %v and %q, want %q", resp != nil, err, row.want)
			}
		})
	}
}

func TestReadCaptureReportsAReaderThatFails(t *testing.T) {
	broken := errors.New("input/output error")
	for _, before := range []string{"", "HTTP/1.1 200 OK\nContent-"} {
		_, err := contract.ReadCapture(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "the capture cannot be read: ") {
			t.Errorf("after %q: %v", before, err)
		}
	}
}
