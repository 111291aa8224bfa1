//go:build !race

package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// TestHostileBodies are made to cost time and memory. What a call allocates in all stays within
// a few times the 8 MiB that are read of a body, and what an error holds within some texts.
func TestHostileBodies(t *testing.T) {
	const mebibyte = 1 << 20
	text := strings.Repeat("x", 8*mebibyte-100)
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write([]byte(`{"success":`))
	for blank := make([]byte, mebibyte); bomb.Len() < mebibyte/2; { // half a gigabyte
		_, _ = zip.Write(bytes.Map(func(rune) rune { return ' ' }, blank))
	}
	_ = zip.Close()
	whole := func(status int, body string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
		}
	}
	endless := func(head, piece string) func(net.Conn) {
		return func(conn net.Conn) {
			_, err := io.WriteString(conn, head)
			for err == nil {
				_, err = io.WriteString(conn, piece)
			}
		}
	}
	for name, c := range map[string]struct {
		says   func(net.Conn)
		atMost uint64 // MiB allocated
		maybe  bool
	}{
		"an error's text":    {whole(400, `{"error":"`+text+`","type":"X"}`), 64, false},
		"an error's escapes": {whole(400, `{"error":"`+strings.Repeat(`\u00e9`, 1_398_000)+`"}`), 64, false},
		"an error's details": {whole(400, `{"error":"No","details":["`+text+`"]}`), 64, false},
		"a number":           {whole(400, `{"error":`+strings.Repeat("9", len(text))+`}`), 64, false},
		"many members":       {whole(400, `{`+strings.Repeat(`"error":"x",`, 600_000)+`"type":"X"}`), 64, false},
		"many values":        {whole(400, `{"details":[`+strings.Repeat("0,", 4_000_000)+`0]}`), 64, false},
		"deep":               {whole(400, strings.Repeat(`{"error":`, 900_000)), 64, false},
		"a page":             {whole(502, "<html>"+text), 64, true},
		"a 200 of text":      {whole(200, text), 64, true},
		"a 200 of members":   {whole(200, `{`+strings.Repeat(`"a":{},`, 1_100_000)+`"b":1}`), 64, true},
		"success late":       {whole(200, `{"a":"`+text+`","success":1}`), 64, true},
		"endless":            {endless("HTTP/1.1 200 OK\r\n\r\n{\"a\":\"", text[:mebibyte]), 64, true},
		"endless chunks":     {endless("HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+text[:65536]+"\r\n"), 64, true},
		"an endless header":  {endless("HTTP/1.1 200 OK\r\n", "A: "+text[:4000]+"\r\n"), 64, true},
		"endless interim":    {endless("", "HTTP/1.1 102 X\r\nA: "+text[:4000]+"\r\n\r\n"), 64, true},
		"a bomb": {func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.String())
		}, 64, true},
		"an announced length": {endless("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", text[:mebibyte]), 64, true},
		"an error's bomb": {func(conn net.Conn) {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 403 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.String())
		}, 64, false},
		"a byte now and then":   {slowly("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{"), 1, true},
		"a header byte by byte": {slowly("HTTP/1.1 200 OK\r\nA: "), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRawServer(t, nil, func(s *rawServer, conn net.Conn) {
				if s.readRequest(bufio.NewReader(conn)) {
					c.says(conn)
				}
			})
			opts := []api.Option{api.WithRetries(0)}
			if c.atMost == 1 {
				opts = append(opts, api.WithTimeout(200*time.Millisecond))
			}
			client := newOwnClient(t, "http://"+server.address, opts...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			_, err := client.Unsend(t.Context(), userID, messageID)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			e := apiError(t, err)
			if e.MaybeUnsent != c.maybe {
				t.Errorf("MaybeUnsent %v: %v", e.MaybeUnsent, err)
			}
			checkErrorText(t, err)
			if n := len(e.Body()) + len(e.Message) + len(e.Type); n > 3<<16 {
				t.Errorf("the error holds %d bytes", n)
			}
			used := (after.TotalAlloc - before.TotalAlloc) / mebibyte
			t.Logf("%d MiB allocated, %v", used, took.Round(time.Millisecond))
			if used > c.atMost {
				t.Errorf("%d MiB were allocated, want at most %d", used, c.atMost)
			}
		})
	}
}

// slowly says head, and then a byte now and then.
func slowly(head string) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, head)
		for ticks := time.NewTicker(20 * time.Millisecond); err == nil; <-ticks.C {
			_, err = io.WriteString(conn, "x")
		}
	}
}

// TestHostileSnapshots has bodies made to cost time and memory.
func TestHostileSnapshots(t *testing.T) {
	for name, c := range map[string]struct{ head, repeated, tail string }{
		"deep lists":              {head: `"queue":`, repeated: "["},
		"deep objects":            {head: `"queue":`, repeated: `{"a":`},
		"media":                   {head: `"queue":{"id":1,"media":[`, repeated: "{},", tail: "{}]}}"},
		"media of release forms":  {head: `"queue":{"id":1,"media":[`, repeated: `{"releaseForms":[{},{},{},{}]},`, tail: "{}]}}"},
		"release forms":           {head: `"queue":{"id":1,"media":[{"releaseForms":[`, repeated: "{},", tail: "{}]}]}}"},
		"sources":                 {head: `"queue":{"id":1,"media":[{"files":{"full":{"sources":[`, repeated: "{},", tail: "{}]}}}]}}"},
		"previews":                {head: `"queue":{"id":1,"previews":[`, repeated: "1,", tail: "1]}}"},
		"previews as texts":       {head: `"queue":{"id":1,"previews":[`, repeated: `"",`, tail: "1]}}"},
		"previews as fractions":   {head: `"queue":{"id":1,"previews":[`, repeated: "1.5,", tail: "1]}}"},
		"any lists":               {head: `"queue":{"id":1,"releaseForms":[`, repeated: "[],", tail: "1]}}"},
		"any objects":             {head: `"queue":{"id":1,"releaseForms":[`, repeated: `{"a":1},`, tail: "1]}}"},
		"any numbers":             {head: `"queue":{"id":1,"releaseForms":[`, repeated: "1,", tail: "1]}}"},
		"any texts":               {head: `"queue":{"id":1,"releaseForms":[`, repeated: `"a",`, tail: "1]}}"},
		"any names":               {head: `"queue":{"id":1,"releaseForms":{`, repeated: `"#":1,`, tail: `"a":1}}}`},
		"a text":                  {head: `"queue":{"id":1,"text":"`, repeated: "x", tail: `"}}`},
		"a text of escapes":       {head: `"queue":{"id":1,"text":"`, repeated: `\n`, tail: `"}}`},
		"a text of no UTF-8":      {head: `"queue":{"id":1,"text":"`, repeated: "\xff", tail: `"}}`},
		"a text twice":            {head: `"queue":{"id":1,"text":"`, repeated: "\xff", tail: `","text":"x"}}`},
		"repeated snapshots":      {head: `"queue":{}`, repeated: `,"queue":{}`, tail: "}"},
		"repeated lists":          {head: `"queue":{"id":1`, repeated: `,"media":[{}]`, tail: "}}"},
		"an added name":           {head: `"`, repeated: "n", tail: `":{"m":[`},
		"long names, deep":        {head: `"a":1`, repeated: `,"` + strings.Repeat("~", 250) + `":{"a":1`},
		"added members":           {head: `"a":1`, repeated: `,"#":[]`, tail: `,"queue":{"id":1}}`},
		"added members, repeated": {head: `"a":1`, repeated: `,"a":[]`, tail: `,"queue":{"id":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			var body strings.Builder
			body.WriteString(`{"success":true,` + c.head)
			for n := 0; body.Len() < api.MaxBody-100; n++ {
				body.WriteString(strings.ReplaceAll(c.repeated, "#", strconv.Itoa(n)))
			}
			body.WriteString(c.tail)
			result := &api.Result{Outcome: api.Unsent, Raw: []byte(body.String())}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := result.Queue()
			runtime.ReadMemStats(&after)
			if err != nil {
				checkQueueError(t, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MiB were allocated; %v", used>>20, err)
			}
		})
	}
}
