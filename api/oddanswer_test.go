package api_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestOddAnswers sends what no server should over HTTP/1.1. The call must neither panic nor be
// wrong, its text must name the cause, and the connection must not be used again.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	const ok, body = "HTTP/1.1 200 OK\r\n", `{"success":true}`
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(body))
	_ = zip.Close()
	packedLength := fmt.Sprintf("Content-Length: %d\r\n\r\n", packed.Len())
	for name, c := range map[string]struct {
		answer  string
		last    bool   // the server closes the connection
		unsent  bool   // the call succeeds
		status  int    // else
		retried bool   // the error may be retried, and is
		text    string // of the error
		kept    bool   // the connection is used again
	}{
		"a good answer": {answer: goodAnswer, unsent: true, kept: true},

		"status 000":                 {answer: "HTTP/1.1 000 X\r\n\r\n", text: "a status that HTTP does not define"},
		"status 000 with a body":     {answer: "HTTP/1.1 000 X\r\n" + length + "\r\n" + body, text: "a status that HTTP does not define"},
		"status 099":                 {answer: "HTTP/1.1 099 X\r\n" + length + "\r\n" + body, status: 99, text: "a status that HTTP does not define"},
		"status 101":                 {answer: "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + body, status: 101, text: "a status that HTTP does not define"},
		"status 600":                 {answer: "HTTP/1.1 600 X\r\n" + length + "\r\n" + body, status: 600, text: "a status that HTTP does not define"},
		"status 999":                 {answer: "HTTP/1.1 999 X\r\n" + length + "\r\n" + body, status: 999, text: "a status that HTTP does not define"},
		"status 1000":                {answer: "HTTP/1.1 1000 X\r\n" + length + "\r\n" + body, retried: true, text: "malformed HTTP status code"},
		"status -01":                 {answer: "HTTP/1.1 -01 X\r\n" + length + "\r\n" + body, retried: true, text: "malformed HTTP status code"},
		"status 20":                  {answer: "HTTP/1.1 20 X\r\n" + length + "\r\n" + body, retried: true, text: "malformed HTTP status code"},
		"no status":                  {answer: "HTTP/1.1\r\n" + length + "\r\n" + body, retried: true, text: "malformed HTTP response"},
		"no reason":                  {answer: "HTTP/1.1 200\r\n" + length + "\r\n" + body, unsent: true, kept: true},
		"another version":            {answer: "HTTP/9.9 200 OK\r\n" + length + "\r\n" + body, unsent: true, kept: true},
		"no version":                 {answer: "HTTP/x 200 OK\r\n" + length + "\r\n" + body, retried: true, text: "malformed HTTP version"},
		"another protocol":           {answer: "SSH-2.0-OpenSSH_9.9\r\n", last: true, retried: true, text: "malformed HTTP"},
		"nothing":                    {last: true, retried: true, text: "closed before a response came"},
		"half a status":              {answer: "HTTP/1.1 2", last: true, retried: true, text: "malformed HTTP status"},
		"half a header":              {answer: ok + "Content-Le", last: true, retried: true, text: "malformed MIME header"},
		"a header without a name":    {answer: ok + ": x\r\n\r\n", retried: true, text: "malformed MIME header"},
		"a header without a colon":   {answer: ok + "nonsense\r\n\r\n", retried: true, text: "malformed MIME header"},
		"a header of 11 MiB":         {answer: ok + "A: " + strings.Repeat("x", 11<<20) + "\r\n\r\n", retried: true, text: "headers exceeded"},
		"interim answers":            {answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 4) + goodAnswer, unsent: true, kept: true},
		"a flood of interim answers": {answer: strings.Repeat("HTTP/1.1 102 Processing\r\nA: "+strings.Repeat("x", 1000)+"\r\n\r\n", 11_000), retried: true, text: "headers exceeded"},

		"a length too long, closed":  {answer: ok + "Content-Length: 99\r\n\r\n" + `{"succ`, last: true, status: 200, retried: true, text: "ended before success could be read: unexpected EOF"},
		"too long behind success":    {answer: ok + "Content-Length: 99\r\n\r\n" + body, last: true, unsent: true},
		"a length too short":         {answer: ok + "Content-Length: 5\r\n\r\n" + body, status: 200, text: "does not report"},
		"surplus bytes":              {answer: goodAnswer + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", unsent: true},
		"two lengths":                {answer: ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", retried: true, text: "multiple Content-Length"},
		"twice the same length":      {answer: ok + length + length + "\r\n" + body, unsent: true, kept: true},
		"a length of nothing":        {answer: ok + "Content-Length: x\r\n\r\n", retried: true, text: "bad Content-Length"},
		"a negative length":          {answer: ok + "Content-Length: -1\r\n\r\n", retried: true, text: "bad Content-Length"},
		"no length, closed":          {answer: ok + "\r\n" + body, last: true, unsent: true},
		"chunked and a length":       {answer: ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + body + "\r\n0\r\n\r\n", unsent: true, kept: true},
		"a chunk of nothing":         {answer: ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", status: 200, retried: true, text: "ended before success could be read: invalid byte in chunk length"},
		"chunks that end early":      {answer: ok + "Transfer-Encoding: chunked\r\n\r\n10\r\n" + `{"succ`, last: true, status: 200, retried: true, text: "ended before success could be read"},
		"a chunk broken off behind":  {answer: ok + "Transfer-Encoding: chunked\r\n\r\n10\r\n" + body + "\r\n5\r\n", last: true, unsent: true},
		"trailers":                   {answer: ok + "Transfer-Encoding: chunked\r\nTrailer: Success\r\n\r\n10\r\n" + body + "\r\n0\r\nSuccess: false\r\n\r\n", unsent: true, kept: true},
		"another transfer encoding":  {answer: ok + "Transfer-Encoding: gzip\r\n\r\n" + body, last: true, retried: true, text: "unsupported transfer encoding"},
		"gzip":                       {answer: ok + "Content-Encoding: gzip\r\n" + packedLength + packed.String(), unsent: true, kept: true},
		"gzip claimed":               {answer: ok + "Content-Encoding: gzip\r\n" + length + "\r\n" + body, status: 200, retried: true, text: "ended before success could be read: gzip: invalid header"},
		"gzip broken off":            {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + packed.String()[:15], status: 200, retried: true, text: "ended before success could be read: unexpected EOF"},
		"gzip not claimed":           {answer: ok + packedLength + packed.String(), status: 200, text: "the response is compressed"},
		"brotli claimed":             {answer: ok + "Content-Encoding: br\r\n" + length + "\r\n" + "\x8b\x07\x80" + body[3:], status: 200, text: "the response is compressed, and the transport did not decompress it"},
		"brotli claimed, not used":   {answer: ok + "Content-Encoding: br\r\n" + length + "\r\n" + body, unsent: true, kept: true},
		"an error, brotli claimed":   {answer: "HTTP/1.1 403 X\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\x8b\x07\x80", status: 403, text: "Forbidden (the response is compressed, and the transport did not decompress it)"},
		"success both ways":          {answer: ok + "Content-Length: 32\r\n\r\n" + `{"success":true,"success":false}`, status: 200, text: "does not report"},
		"success, and nonsense":      {answer: ok + "Content-Length: 19\r\n\r\n" + body + "xyz", unsent: true, kept: true},
		"success, and another value": {answer: ok + "Content-Length: 32\r\n\r\n" + body + body, unsent: true, kept: true},
		"an empty 200":               {answer: ok + "Content-Length: 0\r\n\r\n", status: 200, text: "does not report"},
		"a 204":                      {answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, text: "does not report"},
		"a gateway's page":           {answer: "HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\npage", status: 404, text: "Not Found (a response that is not"},
		"the service's 404":          {answer: "HTTP/1.1 404 X\r\nContent-Length: 25\r\n\r\n" + `{"error":"No","type":"X"}`, status: 404, text: "No", kept: true},
		"a 304 with a body":          {answer: "HTTP/1.1 304 X\r\n" + length + "\r\n" + body, status: 304, text: "redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := says(t, c.answer, c.last)
			client := newOwnClient(t, "http://"+server.address)
			result, err := unsend(t.Context(), t, client, api.WithRetries(0))
			if c.unsent {
				if err != nil || result.Outcome != api.Unsent {
					t.Fatalf("%v, %v", result, err)
				}
			} else {
				e := apiError(t, err)
				if e.StatusCode != c.status || e.Retryable() != c.retried || !strings.Contains(e.Message, c.text) || e.Hint() == "" {
					t.Errorf("%v; retryable %v, hint %q", err, e.Retryable(), e.Hint())
				}
				if certain := c.status/100 == 3 || c.status/100 == 4; e.MaybeUnsent == certain {
					t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
				}
				if c.status/100 != 4 && c.status != 0 && !errors.Is(err, api.ErrUnexpectedResponse) {
					t.Errorf("%v is no ErrUnexpectedResponse", err)
				}
			}
			if n := server.requests.Load(); n != 1 {
				t.Errorf("%d requests arrived of one attempt", n)
			}
			if _, err := unsend(t.Context(), t, client, api.WithRetries(0)); err != nil {
				t.Error(err)
			}
			if kept := server.connections.Load() == 1; kept != c.kept {
				t.Errorf("the connection is used again: %v", kept)
			}
		})
	}
}
