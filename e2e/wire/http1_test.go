package wire

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// serveHTTP1 responds to the requests of a connection by their scenarios.
func (s *service) serveHTTP1(conn *conn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		r := s.arrive(req.URL.Path)
		r.think()
		kept := r.writeHTTP1(conn)
		settle()
		if !kept {
			_ = conn.Close()
		}
		r.rest()
	}
}

// writeHTTP1 sends the response, and reports whether the connection is kept.
func (r reply) writeHTTP1(conn *conn) (kept bool) {
	head := func(lines ...string) string {
		return fmt.Sprintf("HTTP/1.1 %03d X\r\nContent-Type: application/json\r\n%s%s\r\n", r.status, r.header, strings.Join(lines, ""))
	}
	length := func(n int) string {
		if r.status == 204 || r.status == 304 {
			return ""
		}
		return fmt.Sprintf("Content-Length: %d\r\n", n)
	}
	send := func(text string) bool {
		_, err := io.WriteString(conn, text)
		return err == nil
	}
	good := head(length(len(r.body))) + r.body
	switch r.fault.kind {
	case closed:
	case reset:
		conn.reset()
	case stalled:
		_, _ = io.Copy(io.Discard, conn)
	case garbage:
		send("\x00\x01garbage\r\n\r\n")
	case halfHeader:
		send(good[:min(len(good), 5+r.fault.cut)/2])
	case cutBody:
		send(head(length(len(r.body))) + r.body[:min(len(r.body), r.fault.cut)])
	case longLength:
		send(head(length(len(r.body)+10)) + r.body)
	case badChunk:
		send(head("Transfer-Encoding: chunked\r\n") + fmt.Sprintf("%x\r\n%s\r\nzz\r\n", len(r.body), r.body))
	case surplus:
		text := head("Connection: close\r\n", length(len(r.body))) + r.body
		if send(text + "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"success\":true}") {
			r.heard()
		}
	default:
		if r.fault.kind == interim {
			good = strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 1+r.fault.cut%4) + good
		}
		if r.fault.kind == staleUnnoticed {
			conn.goDeaf(r.fault.cut % 2)
		}
		if send(good) {
			r.heard()
		}
		return r.fault.kind != staleAfter
	}
	return false
}
