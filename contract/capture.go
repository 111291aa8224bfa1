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

// headerLine has a name as RFC 9110, section 5.6.2, allows it.
var headerLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$")

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
	limited := &io.LimitedReader{R: r, N: maxHead}
	c := &capture{in: bufio.NewReaderSize(limited, sniffed), limited: limited}
	resp, err := c.read()
	if err != nil {
		return nil, err
	}
	limited.N = math.MaxInt64
	resp.Body, resp.ContentLength = io.NopCloser(c.in), -1
	return resp, nil
}

type capture struct {
	in      *bufio.Reader
	limited *io.LimitedReader // what in reads from
	lines   int               // read so far
}

func (c *capture) read() (*http.Response, error) {
	mark, _ := c.in.Peek(3)
	if bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // editors put it in front of UTF-8
		_, _ = c.in.Discard(len(mark))
	}
	if bytes.HasPrefix(mark, []byte("\xff\xfe")) || bytes.HasPrefix(mark, []byte("\xfe\xff")) {
		return nil, errors.New("the capture is written in UTF-16: save it as UTF-8")
	}
	start, err := c.in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the capture cannot be read: %w", err)
	}
	start = bytes.TrimSpace(start)
	switch {
	case len(start) == 0:
		return nil, errors.New("the capture is empty: give it what `curl -i` prints, or a JSON body")
	case bytes.HasPrefix(start, []byte("HTTP/")):
		return c.heads()
	case start[0] == '{', start[0] == '[', json.Valid(start):
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}},
		}, nil
	}
	return nil, errors.New("the capture is not a response: give it what `curl -i` prints, or a JSON body")
}

// heads reads one head after another and returns the last.
func (c *capture) heads() (*http.Response, error) {
	for {
		resp, err := c.head()
		if err != nil {
			return nil, err
		}
		next, _ := c.in.Peek(sniffed)
		line, _, _ := bytes.Cut(bytes.TrimLeft(next, "\r\n"), []byte("\n"))
		switch {
		case statusLine.Match(bytes.TrimRight(line, "\r")): // another response follows
		case resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols:
			return nil, fmt.Errorf("the capture ends after %d: the final response is missing", resp.StatusCode)
		default:
			return resp, nil
		}
	}
}

func (c *capture) head() (*http.Response, error) {
	line, err := c.line()
	for err == nil && strings.TrimSpace(line) == "" {
		line, err = c.line() // ends, since a status line was seen ahead
	}
	if err != nil {
		return nil, err
	}
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("line %d of the capture is not a status line such as HTTP/1.1 200 OK", c.lines)
	}
	resp := &http.Response{Status: strings.TrimSpace(m[4] + " " + m[5]), Proto: m[1], Header: http.Header{}}
	resp.ProtoMajor, _ = strconv.Atoi(m[2]) // one digit, as matched
	resp.ProtoMinor, _ = strconv.Atoi(m[3]) // one digit or none
	resp.StatusCode, _ = strconv.Atoi(m[4]) // three digits
	for {
		line, err := c.line()
		if err != nil || line == "" {
			return resp, err
		}
		m := headerLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d of the capture is not a header; give it all that `curl -i` prints, with an empty line before the body", c.lines)
		}
		resp.Header.Add(m[1], strings.TrimSpace(m[2]))
	}
}

// line reads a line of a head. The end of the input is an empty line: a head may be all that
// there is.
func (c *capture) line() (string, error) {
	line, err := c.in.ReadString('\n')
	c.lines++
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF):
		return "", fmt.Errorf("the capture cannot be read: %w", err)
	case c.limited.N == 0:
		return "", fmt.Errorf("the capture's heads are longer than %d KiB", maxHead>>10)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
