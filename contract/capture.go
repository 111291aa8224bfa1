package contract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A captured head is bounded, so that no input can fill the memory.
const (
	maxHead = 1 << 20 // bytes of all heads together
	sniffed = 4 << 10 // bytes looked at to tell what an input is
)

// ReadCapture reads a response as `curl -i` prints it: HTTP/1, HTTP/2 or HTTP/3, with CRLF or
// LF. Of several responses, after a redirect, a proxy's tunnel or 100 Continue, it returns the
// last. A bare JSON body is taken for that of a 200 answer of the contract's media type.
//
// The body is what stands behind the head, as it stands there: curl has undone the chunks, so
// neither Transfer-Encoding nor Content-Length counts. It is not read yet; the response's
// Body reads on from r, which stays the caller's to close.
//
// An error means that the input is no response at all. A response that departs from the
// contract is none: [Validator.CheckResponse] judges it.
func ReadCapture(r io.Reader) (*http.Response, error) {
	in := bufio.NewReaderSize(r, sniffed)
	if err := skipBOM(in); err != nil {
		return nil, err
	}
	start, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the capture cannot be read: %w", err)
	}
	whole, trimmed := errors.Is(err, io.EOF), bytes.TrimSpace(start)
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("the capture is empty: give it what `curl -i` prints, or a JSON body")
	case bytes.HasPrefix(trimmed, []byte("HTTP/")):
		return readHeads(in)
	case bytes.IndexByte(trimmed, 0) >= 0:
		return nil, errors.New("the capture is binary, not a response: give it what `curl -i` prints, or a JSON body")
	case trimmed[0] == '{', trimmed[0] == '[', whole && json.Valid(trimmed):
		return bareJSON(in), nil
	}
	return nil, errors.New("the capture is not a response: give it what `curl -i` prints, or a JSON body")
}

// skipBOM drops the mark that editors put in front of UTF-8, and names the encoding that some
// shells write into files by themselves.
func skipBOM(in *bufio.Reader) error {
	mark, _ := in.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		return errors.New("the capture is written in UTF-16: save it as UTF-8")
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(len(mark)) // these bytes were just seen
	}
	return nil
}

func bareJSON(body io.Reader) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(body),
		ContentLength: -1,
	}
}

// readHeads reads one head after another, and returns the last with the rest as its body.
func readHeads(in *bufio.Reader) (*http.Response, error) {
	lines := &lineReader{in: in, left: maxHead}
	for {
		resp, err := readHead(lines)
		if err != nil {
			return nil, err
		}
		interim := resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols
		next, _ := in.Peek(sniffed)
		if !startsWithStatusLine(next) {
			if interim {
				return nil, fmt.Errorf("the capture ends after %d: the final response is missing", resp.StatusCode)
			}
			resp.Body = io.NopCloser(in)
			return resp, nil
		}
	}
}

func readHead(lines *lineReader) (*http.Response, error) {
	line, err := lines.next()
	for err == nil && strings.TrimSpace(line) == "" {
		line, err = lines.next() // ends, since a status line was seen ahead
	}
	if err != nil {
		return nil, err
	}
	resp, ok := parseStatusLine(line)
	if !ok {
		return nil, fmt.Errorf("line %d of the capture is not a status line such as HTTP/1.1 200 OK", lines.read)
	}
	for {
		line, err := lines.next()
		if err != nil || line == "" {
			return resp, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return nil, fmt.Errorf("line %d of the capture is not a header; give it all that `curl -i` prints, with an empty line before the body", lines.read)
		}
		resp.Header.Add(name, strings.TrimSpace(value))
	}
}

// lineReader reads the lines of heads. The end of the input is an empty line: a head may be
// all that there is.
type lineReader struct {
	in   *bufio.Reader
	read int // lines
	left int // bytes
}

func (l *lineReader) next() (string, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line, l.left = append(line, part...), l.left-len(part)
		switch {
		case l.left < 0:
			return "", fmt.Errorf("the capture's heads are longer than %d KiB", maxHead>>10)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return "", fmt.Errorf("the capture cannot be read: %w", err)
		}
		l.read++
		return strings.TrimRight(string(line), "\r\n"), nil
	}
}
