//go:build !race

package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

const mebibyte = 1 << 20

// TestHostileBodies are made to cost time and memory. What a call allocates in all stays within
// a few times the 8 MiB that are read of a body, and what an error holds within some texts.
func TestHostileBodies(t *testing.T) {
	text := strings.Repeat("x", 8*mebibyte-100)
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write([]byte(`{"success":`))
	for blanks := bytes.Repeat([]byte(" "), mebibyte); bomb.Len() < mebibyte/16; { // 64 MiB
		_, _ = zip.Write(blanks)
	}
	_ = zip.Close()
	whole := func(status int, header, body string) func(net.Conn) {
		response := fmt.Appendf(nil, "HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
		return func(conn net.Conn) { _, _ = conn.Write(response) }
	}
	endless := func(head, piece string) func(net.Conn) {
		more := []byte(piece)
		return func(conn net.Conn) {
			_, err := conn.Write([]byte(head))
			for err == nil {
				_, err = conn.Write(more)
			}
		}
	}
	slowly := func(head string) func(net.Conn) {
		return func(conn net.Conn) {
			_, err := conn.Write([]byte(head))
			for ticks := time.NewTicker(20 * time.Millisecond); err == nil; <-ticks.C {
				_, err = conn.Write([]byte("x"))
			}
		}
	}
	for name, c := range map[string]struct {
		respond func(net.Conn)
		certain bool // the message was not unsent
	}{
		"an error's text":       {respond: whole(400, "", `{"error":"`+text+`","type":"X"}`), certain: true},
		"an error's escapes":    {respond: whole(400, "", `{"error":"`+strings.Repeat(`\u00e9`, 1_398_000)+`"}`), certain: true},
		"a number":              {respond: whole(400, "", `{"error":`+strings.Repeat("9", len(text))+`}`), certain: true},
		"an error's bomb":       {respond: whole(403, "Content-Encoding: gzip\r\n", bomb.String()), certain: true},
		"a bomb":                {respond: whole(200, "Content-Encoding: gzip\r\n", bomb.String())},
		"endless":               {respond: endless("HTTP/1.1 200 OK\r\n\r\n{\"a\":\"", text[:mebibyte])},
		"endless chunks":        {respond: endless("HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+text[:65536]+"\r\n")},
		"an endless header":     {respond: endless("HTTP/1.1 200 OK\r\n", "A: "+text[:4000]+"\r\n")},
		"an announced length":   {respond: endless("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", text[:mebibyte])},
		"a byte now and then":   {respond: slowly("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{")},
		"a header byte by byte": {respond: slowly("HTTP/1.1 200 OK\r\nA: ")},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				if s.readRequest(bufio.NewReader(conn)) {
					c.respond(conn)
				}
			})
			opts := []api.Option{api.WithRetries(0)}
			if strings.Contains(name, "byte") {
				opts = append(opts, api.WithTimeout(200*time.Millisecond))
			}
			client := newOwnClient(t, "http://"+server.address, opts...)
			var err error
			used := allocated(func() { _, err = client.Unsend(t.Context(), userID, messageID) })
			e := apiError(t, err)
			if e.MaybeUnsent == c.certain {
				t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
			}
			checkErrorText(t, err)
			if n := len(e.Body()) + len(e.Message) + len(e.Type); n > 3<<16 {
				t.Errorf("the error holds %d bytes", n)
			}
			if used > 64*mebibyte {
				t.Errorf("%d MiB were allocated", used/mebibyte)
			}
		})
	}
}

// TestHostileSnapshots decodes bodies that are made to cost time and memory.
func TestHostileSnapshots(t *testing.T) {
	for name, c := range map[string]struct{ head, repeated, tail string }{
		"deep lists":             {head: `"queue":`, repeated: "["},
		"media of release forms": {head: `"queue":{"id":1,"media":[`, repeated: `{"releaseForms":[{},{},{},{}]},`, tail: "{}]}}"},
		"previews as fractions":  {head: `"queue":{"id":1,"previews":[`, repeated: "1.5,", tail: "1]}}"},
		"any lists":              {head: `"queue":{"id":1,"releaseForms":[`, repeated: "[],", tail: "1]}}"},
		"any names":              {head: `"queue":{"id":1,"releaseForms":{`, repeated: `"#":1,`, tail: `"a":1}}}`},
		"a text of no UTF-8":     {head: `"queue":{"id":1,"text":"`, repeated: "\xff", tail: `","text":"x"}}`},
		"repeated lists":         {head: `"queue":{"id":1`, repeated: `,"media":[{}]`, tail: "}}"},
		"an added name":          {head: `"`, repeated: "n", tail: `":{"m":[`},
		"long names, deep":       {head: `"a":1`, repeated: `,"` + strings.Repeat("~", 250) + `":{"a":1`},
	} {
		t.Run(name, func(t *testing.T) {
			var body strings.Builder
			body.WriteString(`{"success":true,` + c.head)
			for n := 0; body.Len() < api.MaxBody-100; n++ {
				body.WriteString(strings.Replace(c.repeated, "#", strconv.Itoa(n), 1))
			}
			body.WriteString(c.tail)
			result := &api.Result{Outcome: api.Unsent, Raw: []byte(body.String())}
			var err error
			used := allocated(func() { _, err = result.Queue() })
			if err != nil {
				checkQueueError(t, err)
			}
			if used > 64*mebibyte {
				t.Errorf("%d MiB were allocated; %v", used/mebibyte, err)
			}
		})
	}
}

// allocated counts the bytes that are allocated while f runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
