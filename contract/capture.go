package contract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxHead = 1 << 20 // bytes of all heads together
	sniffed = 4 << 10 // bytes that decide what an input is
)

// statusLine admits what net/http does not: curl prints no minor version, and often no reason,
// for HTTP/2 and HTTP/3.
var statusLine = regexp.MustCompile(`^\s*(HTTP/[1-3](?:\.[0-9])?) (([1-9][0-9]{2})(?: [^\r\n]*)?)\r?(?:\n|$)`)

// ReadCapture reads a response as `curl -i` prints it: HTTP/1, HTTP/2 or HTTP/3, with CRLF or
// LF. Of several responses, after a redirect, a proxy's tunnel or 100 Continue, it returns the
// last. A bare JSON body is read as that of a 200 response.
//
// The body is everything after the head: curl has decoded the chunks, so Transfer-Encoding and
// Content-Length are ignored. It is not read yet: the response's Body continues to read r, which
// the caller closes.
//
// An error means that the input is no response at all, or that its heads are longer than 1 MiB.
// Violations are not errors: [Validator.CheckResponse] returns them.
func ReadCapture(r io.Reader) (*http.Response, error) {
	heads := &io.LimitedReader{R: r, N: maxHead}
	in := bufio.NewReaderSize(heads, sniffed)
	start, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the capture cannot be read: %w", err)
	}
	start, marked := bytes.CutPrefix(start, []byte("\xef\xbb\xbf")) // editors put it in front of UTF-8
	if marked {
		_, _ = in.Discard(3)
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}}
	bare := bytes.TrimSpace(start)
	switch {
	case statusLine.Match(start):
		if resp, err = readHeads(in); err != nil {
			return nil, err
		}
		if heads.N <= 0 {
			return nil, fmt.Errorf("the capture's heads are longer than %d KiB", maxHead>>10)
		}
	case len(bare) == 0:
		return nil, errors.New("the capture is empty: give it what `curl -i` prints, or a JSON body")
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		return nil, errors.New("the capture is written in UTF-16: save it as UTF-8")
	case bytes.HasPrefix(bare, []byte("HTTP/")):
		return nil, errors.New("the capture's first line is not a status line such as HTTP/1.1 200 OK")
	case bare[0] != '{' && bare[0] != '[' && !json.Valid(bare):
		return nil, errors.New("the capture is not a response: give it what `curl -i` prints, or a JSON body")
	}
	heads.N = math.MaxInt64
	resp.Body, resp.ContentLength = io.NopCloser(in), -1
	return resp, nil
}

// readHeads reads one head after another, as long as a status line follows, and returns the
// last.
func readHeads(in *bufio.Reader) (*http.Response, error) {
	var resp *http.Response
	for {
		next, _ := in.Peek(sniffed)
		m := statusLine.FindSubmatch(next)
		if m == nil {
			break
		}
		status, _ := strconv.Atoi(string(m[3])) // three digits, as matched
		resp = &http.Response{Proto: string(m[1]), Status: strings.TrimSpace(string(m[2])), StatusCode: status}
		_, _ = in.Discard(len(m[0]))
		header, err := textproto.NewReader(in).ReadMIMEHeader()
		if errors.As(err, new(textproto.ProtocolError)) {
			return nil, errors.New("the capture has a line in its head that is not a header: " +
				"give it all that `curl -i` prints, with an empty line before the body")
		}
		if err != nil && !errors.Is(err, io.EOF) { // a head may be all that there is
			return nil, fmt.Errorf("the capture cannot be read: %w", err)
		}
		resp.Header = http.Header(header)
	}
	if resp.StatusCode < http.StatusOK {
		return nil, fmt.Errorf("the capture ends after %d: the final response is missing", resp.StatusCode)
	}
	return resp, nil
}
