package contract_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/unsend-go/unsend/contract"
)

const capturedHeaders = "content-type: application/json\nx-ratelimit-remaining: 89\n"

func TestReadCapture(t *testing.T) {
	for name, row := range map[string]struct {
		capture string
		status  int
		proto   string
		body    string
	}{
		"HTTP/1.1":              {"HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"success\":true}", 200, "HTTP/1.1", `{"success":true}`},
		"HTTP/1.0":              {"HTTP/1.0 404 Not Found\n" + capturedHeaders + "\n{}", 404, "HTTP/1.0", `{}`},
		"HTTP/2":                {"HTTP/2 200 \n" + capturedHeaders + "\n{\"success\":true}\n", 200, "HTTP/2", "{\"success\":true}\n"},
		"HTTP/2 without space":  {"HTTP/2 429\n" + capturedHeaders + "\n{}", 429, "HTTP/2", `{}`},
		"HTTP/2.0":              {"HTTP/2.0 200 OK\n" + capturedHeaders + "\n{}", 200, "HTTP/2.0", `{}`},
		"HTTP/3":                {"HTTP/3 503 \n" + capturedHeaders + "\n{}", 503, "HTTP/3", `{}`},
		"after 100 Continue":    {"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n" + capturedHeaders + "\n{}", 200, "HTTP/1.1", `{}`},
		"after early hints":     {"HTTP/2 103 \nlink: </x>\n\nHTTP/2 200 \n" + capturedHeaders + "\n{}", 200, "HTTP/2", `{}`},
		"after a redirect":      {"HTTP/1.1 302 Found\nLocation: /x\n\nHTTP/1.1 307 Temporary Redirect\n\nHTTP/2 200 \n" + capturedHeaders + "\n{}", 200, "HTTP/2", `{}`},
		"through a proxy":       {"HTTP/1.1 200 Connection established\n\nHTTP/2 200 \n" + capturedHeaders + "\n{}", 200, "HTTP/2", `{}`},
		"chunks undone":         {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n" + capturedHeaders + "\n{\"success\":true}", 200, "HTTP/1.1", `{"success":true}`},
		"length too short":      {"HTTP/1.1 200 OK\nContent-Length: 2\n" + capturedHeaders + "\n{\"success\":true}", 200, "HTTP/1.1", `{"success":true}`},
		"length too long":       {"HTTP/1.1 200 OK\nContent-Length: 200\n" + capturedHeaders + "\n{\"success\":true}", 200, "HTTP/1.1", `{"success":true}`},
		"length that is none":   {"HTTP/1.1 200 OK\nContent-Length: much\n" + capturedHeaders + "\n{}", 200, "HTTP/1.1", `{}`},
		"no body":               {"HTTP/1.1 204 No Content\n" + capturedHeaders + "\n", 204, "HTTP/1.1", ``},
		"head alone":            {"HTTP/1.1 200 OK\n" + capturedHeaders, 200, "HTTP/1.1", ``},
		"status line alone":     {"HTTP/1.1 200 OK", 200, "HTTP/1.1", ``},
		"a redirect not taken":  {"HTTP/1.1 301 Moved Permanently\nLocation: /x\n\n", 301, "HTTP/1.1", ``},
		"blank lines in front":  {"\n  \nHTTP/1.1 200 OK\n" + capturedHeaders + "\n{}", 200, "HTTP/1.1", `{}`},
		"a mark in front":       {"\xef\xbb\xbfHTTP/1.1 200 OK\n" + capturedHeaders + "\n{}", 200, "HTTP/1.1", `{}`},
		"an odd status":         {"HTTP/1.1 999 Request denied\n" + capturedHeaders + "\n{}", 999, "HTTP/1.1", `{}`},
		"a page":                {"HTTP/1.1 502 Bad Gateway\nContent-Type: text/html\n\n<html>HTTP/1.1 200 OK", 502, "HTTP/1.1", `<html>HTTP/1.1 200 OK`},
		"a binary body":         {"HTTP/1.1 200 OK\n\n\x1f\x8b\x00", 200, "HTTP/1.1", "\x1f\x8b\x00"},
		"bare JSON":             {`{"success":true}`, 200, "HTTP/1.1", `{"success":true}`},
		"bare JSON, marked":     {"\xef\xbb\xbf\n {\"success\":true}\n", 200, "HTTP/1.1", "\n {\"success\":true}\n"},
		"bare JSON, cut":        {`{"success":tr`, 200, "HTTP/1.1", `{"success":tr`},
		"bare array":            {`[1]`, 200, "HTTP/1.1", `[1]`},
		"bare null":             {"null\n", 200, "HTTP/1.1", "null\n"},
		"bare number":           {"7", 200, "HTTP/1.1", "7"},
		"bare string":           {`"success"`, 200, "HTTP/1.1", `"success"`},
		"bare, longer than one": {`{"x":"` + strings.Repeat("x", 100_000) + `"}`, 200, "HTTP/1.1", `{"x":"` + strings.Repeat("x", 100_000) + `"}`},
	} {
		for ending, capture := range map[string]string{
			"LF":   row.capture,
			"CRLF": crlf(row.capture),
		} {
			t.Run(name+", "+ending, func(t *testing.T) {
				for _, r := range []io.Reader{strings.NewReader(capture), iotest.OneByteReader(strings.NewReader(capture))} {
					resp, err := contract.ReadCapture(r)
					if err != nil {
						t.Fatal(err)
					}
					if resp.StatusCode != row.status || resp.Proto != row.proto {
						t.Errorf("got %s %d, want %s %d", resp.Proto, resp.StatusCode, row.proto, row.status)
					}
					if strings.Contains(capture, capturedHeaders[:12]) && resp.Header.Get("Content-Type") != "application/json" {
						t.Errorf("Content-Type %q", resp.Header.Get("Content-Type"))
					}
					wantRead(t, resp.Body, row.body)
				}
			})
		}
	}
}

// crlf ends the lines of the heads as HTTP/1 does, and leaves bodies alone.
func crlf(capture string) string {
	if !strings.Contains(capture, "HTTP/") || strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(capture, "\xef\xbb\xbf")), "{") {
		return capture
	}
	end := strings.LastIndex(capture, "\n\n")
	if end < 0 {
		return strings.ReplaceAll(capture, "\n", "\r\n")
	}
	return strings.ReplaceAll(capture[:end+2], "\n", "\r\n") + capture[end+2:]
}

func TestReadCaptureKeepsTheFinalHead(t *testing.T) {
	resp, err := contract.ReadCapture(strings.NewReader("HTTP/1.1 302 Found\r\nSet-Cookie: a\r\nLocation: /x\r\n\r\n" +
		"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\nX-Two: 1\r\nx-two:2\r\nX-Empty:\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != "404 Not Found" || resp.ProtoMajor != 1 || resp.ProtoMinor != 1 || resp.ContentLength != -1 {
		t.Errorf("got %q, %d.%d, length %d", resp.Status, resp.ProtoMajor, resp.ProtoMinor, resp.ContentLength)
	}
	if resp.Header.Get("Location") != "" || len(resp.Header.Values("X-Two")) != 2 || resp.Header.Get("X-Two") != "1" {
		t.Errorf("headers %v", resp.Header)
	}
}

func TestReadCaptureRefusesWhatIsNoResponse(t *testing.T) {
	const give = ": give it what `curl -i` prints, or a JSON body"
	for name, row := range map[string]struct{ capture, want string }{
		"empty":                 {"", "the capture is empty" + give},
		"blank":                 {" \r\n\t\n", "the capture is empty" + give},
		"very blank":            {strings.Repeat(" ", 1<<20), "the capture is empty" + give},
		"only a mark":           {"\xef\xbb\xbf", "the capture is empty" + give},
		"UTF-16":                {"\xff\xfeH\x00T\x00T\x00P\x00", "the capture is written in UTF-16: save it as UTF-8"},
		"words":                 {"curl: (6) Could not resolve host", "the capture is not a response" + give},
		"a page":                {"<html></html>", "the capture is not a response" + give},
		"a request":             {"DELETE /v2/access/chats/7/messages/9 HTTP/1.1\nHost: x\n\n{}", "the capture is not a response" + give},
		"no status":             {"HTTP/1.1\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"a status in words":     {"HTTP/1.1 OK\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"two digits":            {"HTTP/1.1 20 OK\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"four digits":           {"HTTP/1.1 2000 OK\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"a version in words":    {"HTTP/two 200 OK\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"no version":            {"HTTP/ 200 OK\n\n{}", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"behind blank lines":    {"\n\nHTTP/1.1 OK\n", "the capture's first line is not a status line such as HTTP/1.1 200 OK"},
		"a header that is none": {"HTTP/1.1 200 OK\nContent-Type: application/json\n{\"success\":true}\n", "the capture has a line in its head that is not a header: give it all that `curl -i` prints, with an empty line before the body"},
		"a name that is empty":  {"HTTP/1.1 200 OK\n: x\n\n{}", "the capture has a line in its head that is not a header: give it all that `curl -i` prints, with an empty line before the body"},
		"only interim":          {"HTTP/1.1 100 Continue\n\n", "the capture ends after 100: the final response is missing"},
		"an endless line":       {"HTTP/1.1 200 " + strings.Repeat("x", 2<<20), "the capture's heads are longer than 1024 KiB"},
		"endless headers":       {"HTTP/1.1 200 OK\n" + strings.Repeat("a: b\n", 1<<20), "the capture's heads are longer than 1024 KiB"},
		"endless responses":     {strings.Repeat("HTTP/1.1 100 Continue\n\n", 1<<20), "the capture ends after 100: the final response is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := contract.ReadCapture(strings.NewReader(row.capture))
			if err == nil || resp != nil {
				t.Fatalf("got %v and %v", resp, err)
			}
			if err.Error() != row.want {
				t.Errorf("error %q, want %q", err, row.want)
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

func TestCaptureIsJudged(t *testing.T) {
	v := newValidator(t)
	for name, row := range map[string]struct {
		capture string
		want    []string
	}{
		"documented":         {"HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n" + testdata(t, "documented.json"), nil},
		"bare":               {testdata(t, "wire.json"), nil},
		"cut in half":        {testdata(t, "wire.json")[:2000], []string{""}},
		"another endpoint":   {"HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n{\"id\":1}", []string{"/success"}},
		"a page":             {"HTTP/2 200 \r\ncontent-type: text/html\r\n\r\n<html>", []string{"header:Content-Type"}},
		"no content":         {"HTTP/2 204 \r\n\r\n", []string{"status"}},
		"as fetched by gzip": {"HTTP/2 200 \r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n{\"success\":true}", nil},
		"deep nesting":       {strings.Repeat("[", 9<<20), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := contract.ReadCapture(strings.NewReader(row.capture))
			if err != nil {
				t.Fatal(err)
			}
			wantPointers(t, v.CheckResponse(nil, resp), row.want...)
		})
	}
}

func TestCaptureOfAGigabyte(t *testing.T) {
	v := newValidator(t)
	for name, head := range map[string]string{"bare": "", "with a head": "HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			wantAllocated(t, 128*mib, func() {
				resp, err := contract.ReadCapture(io.MultiReader(strings.NewReader(head), endless(gib)))
				if err != nil {
					t.Fatal(err)
				}
				wantLines(t, v.CheckResponse(nil, resp), "response body: found more than 8 MiB, want a body within this limit")
			})
		})
	}
	if resp, err := contract.ReadCapture(io.LimitReader(repeat("x"), gib)); err == nil {
		t.Errorf("a gigabyte of x is a response: %v", resp.Status)
	}
}
