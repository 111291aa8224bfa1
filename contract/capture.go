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
	sniffed = 4 << 10 // bytes looked at to tell what an input is
)

// statusLine admits what net/http does not: curl prints no minor version, and often no reason,
// for HTTP/2 and HTTP/3.
var statusLine = regexp.MustCompile(`^(HTTP/([1-3])(?:\.([0-9]))?) ([1-9][0-9]{2})(?: (.*))?$`)

// ReadCapture reads a response as `curl -i` prints it: HTTP/1, HTTP/2 or HTTP/3, with CRLF or
// LF. Of several responses, after a redirect, a proxy's tunnel or 100 Continue, it returns the
// last. A bare JSON body is taken for that of a 200 answer of the contract's media type.
//
// The body is what stands behind the head, as it stands there: curl has undone the chunks, so
// neither Transfer-Encoding nor Content-Length counts. It is not read yet; the response's
// Body reads on from r, which stays the caller's to close.
//
// An error means that the input is no response at all, or that its heads are longer than 1 MiB.
// A response that departs from the contract is none: [Validator.CheckResponse] says so.
func ReadCapture(r io.Reader) (*http.Response, error) {
	heads := &io.LimitedReader{R: r, N: maxHead}
	in := bufio.NewReaderSize(heads, sniffed)
	start, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the capture cannot be read: %w", err)
	}
	if bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) {
		return nil, errors.New("the capture is written in UTF-16: save it as UTF-8")
	}
	start, marked := bytes.CutPrefix(start, []byte("\xef\xbb\xbf")) // editors put it in front of UTF-8
	if marked {
		_, _ = in.Discard(3)
	}
	var resp *http.Response
	switch start = bytes.TrimSpace(start); {
	case len(start) == 0:
		err = errors.New("the capture is empty: give it what `curl -i` prints, or a JSON body")
	case bytes.HasPrefix(start, []byte("HTTP/")):
		resp, err = readHeads(in)
		if heads.N == 0 && in.Buffered() == 0 {
			err = fmt.Errorf("the capture's heads are longer than %d KiB", maxHead>>10)
		}
	case start[0] == '{', start[0] == '[', json.Valid(start):
		resp, err = parseStatusLine("HTTP/1.1 200 OK")
		resp.Header = http.Header{"Content-Type": {"application/json"}}
	default:
		err = errors.New("the capture is not a response: give it what `curl -i` prints, or a JSON body")
	}
	if err != nil {
		return nil, err
	}
	heads.N = math.MaxInt64
	resp.Body, resp.ContentLength = io.NopCloser(in), -1
	return resp, nil
}

// readHeads reads one head after another and returns the last.
func readHeads(in *bufio.Reader) (*http.Response, error) {
	lines := textproto.NewReader(in)
	for {
		line, err := lines.ReadLine()
		for err == nil && strings.TrimSpace(line) == "" {
			line, err = lines.ReadLine() // ends, since a status line was seen ahead
		}
		if err != nil {
			return nil, fmt.Errorf("the capture cannot be read: %w", err)
		}
		resp, err := parseStatusLine(line)
		if err != nil {
			return nil, err
		}
		header, err := lines.ReadMIMEHeader()
		if errors.As(err, new(textproto.ProtocolError)) {
			return nil, errors.New("the capture has a line in its head that is not a header: give it all that `curl -i` prints, with an empty line before the body")
		}
		if err != nil && !errors.Is(err, io.EOF) { // a head may be all that there is
			return nil, fmt.Errorf("the capture cannot be read: %w", err)
		}
		resp.Header = http.Header(header)
		next, _ := in.Peek(sniffed)
		first, _, _ := bytes.Cut(bytes.TrimLeft(next, "\r\n"), []byte("\n"))
		if statusLine.Match(bytes.TrimRight(first, "\r")) {
			continue // another response follows
		}
		if resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("the capture ends after %d: the final response is missing", resp.StatusCode)
		}
		return resp, nil
	}
}

func parseStatusLine(line string) (*http.Response, error) {
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return nil, errors.New("the capture's first line is not a status line such as HTTP/1.1 200 OK")
	}
	resp := &http.Response{Status: strings.TrimSpace(m[4] + " " + m[5]), Proto: m[1]}
	resp.ProtoMajor, _ = strconv.Atoi(m[2]) // one digit, as matched
	resp.ProtoMinor, _ = strconv.Atoi(m[3]) // one digit or none
	resp.StatusCode, _ = strconv.Atoi(m[4]) // three digits
	return resp, nil
}
