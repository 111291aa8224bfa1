package contract

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// statusLine admits what net/http does not: curl prints no minor version, and often no reason,
// for HTTP/2 and HTTP/3.
var statusLine = regexp.MustCompile(`^(HTTP/([1-3])(?:\.([0-9]))?) ([1-9][0-9]{2})(?: (.*))?$`)

func parseStatusLine(line string) (*http.Response, bool) {
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return nil, false
	}
	major, _ := strconv.Atoi(m[2]) // one digit, as matched
	minor, _ := strconv.Atoi(m[3]) // one digit or none
	code, _ := strconv.Atoi(m[4])  // three digits
	return &http.Response{
		Status:        strings.TrimSpace(m[4] + " " + m[5]),
		StatusCode:    code,
		Proto:         m[1],
		ProtoMajor:    major,
		ProtoMinor:    minor,
		Header:        http.Header{},
		ContentLength: -1,
	}, true
}

// startsWithStatusLine reports whether another response follows.
func startsWithStatusLine(text []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	return statusLine.Match(bytes.TrimRight(line, "\r"))
}

// isToken reports whether name can name a header (RFC 9110, section 5.6.2).
func isToken(name string) bool {
	return name != "" && strings.Trim(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
