package mock_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/mock"
)

// Each kind of fault does what its name says; broken is whether it violates the contract.
func TestFaultsDoWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	const plain = `{"success":true,"queue":{"id":9,`
	wire, err := os.ReadFile("../contract/testdata/wire.json")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		fault  mock.Fault
		status int
		prefix string // of the body
		suffix string
		length int // 0: any
		cut    bool
		broken bool
		unsent bool
	}{
		{fault: mock.Fault{}, status: 200, prefix: plain, suffix: "}}", unsent: true},
		{fault: mock.Fault{Status: 201}, status: 201, prefix: plain, suffix: "}}", broken: true, unsent: true},
		{fault: mock.Fault{Status: 204}, status: 204, broken: true},
		{fault: mock.Fault{Status: 204, Acted: true}, status: 204, broken: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Drop}, cut: true},
		{fault: mock.Fault{Kind: mock.Drop, Acted: true}, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Truncated}, status: 200, prefix: `{"succ`, length: 6, cut: true},
		{fault: mock.Fault{Kind: mock.Truncated, Acted: true}, status: 200, prefix: `{"succ`, length: 6, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.TruncatedLate}, status: 200, prefix: plain, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Truncated, Status: 502}, status: 502, prefix: `{"error":"Proxy error"`, cut: true},
		{fault: mock.Fault{Kind: mock.Truncated, Body: `{"success":true`}, status: 200,
			prefix: `{"success":true`, length: 15, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Truncated, Body: `{"success":tru`, Acted: true}, status: 200,
			prefix: `{"success":tru`, length: 14, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Truncated, Body: `{"success":false`, Acted: true}, status: 200,
			prefix: `{"success":false`, length: 16, cut: true},
		{fault: mock.Fault{Kind: mock.TruncatedLate, Body: `{"success":true`}, status: 200,
			prefix: `{"success":true`, length: 15, cut: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Oversized}, status: 200, prefix: plain, suffix: "}}", length: 9 << 20, broken: true, unsent: true},
		{fault: mock.Fault{Kind: mock.OversizedLate, Acted: true}, status: 200,
			prefix: `{"queue":{"id":9,`, suffix: `,"success":true}`, length: 9 << 20, broken: true, unsent: true},
		{fault: mock.Fault{Kind: mock.OversizedLate}, status: 200, suffix: `,"success":false}`, length: 9 << 20, broken: true},
		{fault: mock.Fault{Kind: mock.Slow, Delay: time.Nanosecond}, status: 200, prefix: plain, suffix: "}}", unsent: true},
		{fault: mock.Fault{Kind: mock.Text}, status: 200, prefix: "upstream", broken: true},
		{fault: mock.Fault{Kind: mock.HTML}, status: 200, prefix: "<!DOCTYPE html>", suffix: "</html>", broken: true},
		{fault: mock.Fault{Kind: mock.HTML, Status: 502, Acted: true}, status: 502, prefix: "<!DOCTYPE html>", broken: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Null, Acted: true}, status: 200, prefix: "null", length: 4, broken: true, unsent: true},
		{fault: mock.Fault{Kind: mock.Empty}, status: 200, broken: true},
		{fault: mock.Fault{Kind: mock.Refused}, status: 200, prefix: `{"success":false}`},
		{fault: mock.Fault{Kind: mock.SuccessLast}, status: 200, prefix: `{"queue":{"id":9,`, suffix: `,"success":true}`, unsent: true},
		{fault: mock.Fault{Kind: mock.Mislabeled}, status: 200, prefix: plain, broken: true, unsent: true},
		{fault: mock.Fault{ContentType: "application/problem+json"}, status: 200, prefix: plain, broken: true, unsent: true},
		{fault: mock.Fault{Body: string(wire)}, status: 200, prefix: string(wire), length: len(wire), unsent: true},
		{fault: mock.Fault{Body: `{"success":false,"queue":null}`}, status: 200, prefix: `{"success":false,`},
		{fault: mock.Fault{Status: 404, Body: `{"error":"no","type":"RESOURCE_NOT_FOUND"}`}, status: 404, prefix: `{"error":"Route not found"`},
		{fault: mock.Fault{Status: 303, Acted: true}, status: 303, prefix: `{"error":`, broken: true, unsent: true},
		{fault: mock.Fault{Status: 307, Acted: true}, status: 307, prefix: `{"error":`, broken: true},
		{fault: mock.Fault{Status: 304}, status: 304, broken: true},
		{fault: mock.Fault{Status: 700}, status: 500, prefix: `{"error":"This scripted fault`},
		{fault: mock.Fault{Kind: "nonsense", Acted: true}, status: 500, prefix: `{"error":"This scripted fault`, unsent: true},
		{fault: mock.Fault{Set: "queue.id=x"}, status: 500, prefix: `{"error":"This scripted fault`},
		{fault: mock.Fault{Set: "queue=null", Body: "{}"}, status: 500, prefix: `{"error":"This scripted fault`},
		{fault: mock.Fault{Set: "queue=null"}, status: 200, prefix: `{"success":true,"queue":null}`, unsent: true},
		{fault: mock.Fault{Set: `queue.id={}`}, status: 200, prefix: `{"success":true,"queue":{"id":{},`, broken: true, unsent: true},
		{fault: mock.Fault{Set: "success={}", Acted: true}, status: 200,
			prefix: `{"success":{},"queue":{"id":9,`, broken: true, unsent: true},
		{fault: mock.Fault{Set: "success=false"}, status: 200, prefix: `{"success":false,"queue":{"id":9,`},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%.60v", row.fault), func(t *testing.T) {
			t.Parallel()
			g := overPipe(t)
			g.server.Next(row.fault)
			r := g.try(g.request("7", "9"))
			if r.status != row.status || (r.err != nil) != row.cut {
				t.Errorf("status %d, error %v; want %d, broken off: %v", r.status, r.err, row.status, row.cut)
			}
			if !strings.HasPrefix(r.body, row.prefix) || !strings.HasSuffix(r.body, row.suffix) {
				t.Errorf("body %.80q … %q", r.body, r.body[max(0, len(r.body)-30):])
			}
			if len(r.body) < row.length || row.length > 0 && len(r.body) > row.length+4096 {
				t.Errorf("%d bytes, want about %d", len(r.body), row.length)
			}
			if (len(r.violations) > 0) != row.broken && !row.cut {
				t.Errorf("violations %v, want some: %v", r.violations, row.broken)
			}
			if got := !g.server.Exists("7", "9"); got != row.unsent {
				t.Errorf("unsent: %v, want %v", got, row.unsent)
			}
			wantEntry(t, g, row.fault, row.status, row.unsent)
		})
	}
}

func wantEntry(t *testing.T, g *testServer, f mock.Fault, status int, acted bool) {
	t.Helper()
	e := g.server.Journal()[0]
	name := f.String()
	if f == (mock.Fault{}) {
		name = ""
	}
	if e.Fault != name || e.Status != status || e.Acted != acted || e.UserID != "7" || e.MessageID != "9" {
		t.Errorf("journal %+v", e)
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			fault mock.Fault
			after time.Duration
			early bool // whether the message is unsent at once
		}{
			{mock.Fault{Delay: 2 * time.Second}, 2 * time.Second, false},
			{mock.Fault{Delay: 2 * time.Second, Acted: true}, 2 * time.Second, true},
			{mock.Fault{Delay: 2 * time.Second, Kind: mock.SuccessLast}, 2 * time.Second, false},
			{mock.Fault{Delay: 2 * time.Second, Kind: mock.SuccessLast, Acted: true}, 2 * time.Second, true},
			{mock.Fault{Kind: mock.Slow, Body: `{"success":true}`}, 16 * time.Millisecond, true},
			{mock.Fault{Kind: mock.Slow, Body: `{"success":true}`, Delay: time.Second}, 16 * time.Second, true},
		} {
			g := overPipe(t)
			g.server.Next(row.fault)
			early := make(chan bool, 1)
			time.AfterFunc(row.after/2, func() { early <- !g.server.Exists("7", "9") })
			started := time.Now()
			g.unsend("7", "9").wantSuccess(t)
			if took := time.Since(started); took != row.after {
				t.Errorf("%v: took %v, want %v", row.fault, took, row.after)
			}
			if got := <-early; got != row.early {
				t.Errorf("%v: unsent while it waits: %v", row.fault, got)
			}
		}
	})
}

func (r result) wantSuccess(t *testing.T) {
	t.Helper()
	if r.status != http.StatusOK || parsed(t, r.body)["success"] != true {
		t.Errorf("status %d %.60s, want a success", r.status, r.body)
	}
}

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mock.Fault{
		"acted, 503":                      {Status: 503, Acted: true},
		"429,retry-after=-1":              {Status: 429, RetryAfter: "-1"},
		"401,type=RULES_OUTDATED":         {Status: 401, Type: "RULES_OUTDATED"},
		"html,502":                        {Kind: mock.HTML, Status: 502},
		"delay=2s,acted":                  {Delay: 2 * time.Second, Acted: true},
		"acted, set=success= null ":       {Set: "success= null", Acted: true},
		"set=queue.media[].type=":         {Set: "queue.media[].type="},
		`503,set=details={"a": "b, c=d"}`: {Status: 503, Set: `details={"a": "b, c=d"}`},
		"truncated-late,delay=1s,201":     {Kind: mock.TruncatedLate, Delay: time.Second, Status: 201},
		"mislabeled,503,type=X":           {Kind: mock.Mislabeled, Status: 503, Type: "X"},
		" oversized-late , acted , 200":   {Kind: mock.OversizedLate, Acted: true, Status: 200},
	} {
		got, err := mock.ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                        "drop",
		"nonsense":                "set=PATH=JSON, or one of drop",
		"drift-price-number":      "set=queue.price=0",
		"503,":                    "unknown kind",
		"99":                      "200 to 599",
		"600":                     "200 to 599",
		"0":                       "200 to 599",
		"500,501":                 "one status",
		"drop,html":               "one kind",
		"delay=soon":              `delay: "soon" is not a time such as 2s or 10ms`,
		"delay=-1s":               "is not a time",
		"delay=":                  "delay",
		"503,retry-after=":        "needs a value",
		"503,shape=earlier":       `unknown setting "shape"; use delay, retry-after, type or set`,
		"set=":                    "needs a value",
		"set=queue":               "PATH=JSON",
		"set==1":                  "PATH=JSON",
		"set=success=yes":         "quote a text",
		"set=queue.media[]=1":     "member after []",
		"set=success=1,503":       "quote a text",
		"drop,set=success=1":      "cannot be combined",
		"acted,set=success=false": "leave out acted",
		"404,acted":               "leave out acted",
		"refused,acted":           "leave out acted",
		"301,acted":               "leave out acted",
		"500\nacted":              "unknown kind",
		"type=X":                  "type needs a status",
		"drop,503,type=X":         "type needs a status",
	} {
		_, err := mock.ParseFault(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
}

func TestFaultTextsAreReadBack(t *testing.T) {
	t.Parallel()
	for _, f := range append(mock.DefaultFaults(), everyFault()...) {
		if f.Body != "" {
			continue // has no text
		}
		got, err := mock.ParseFault(f.String())
		switch {
		case err != nil && !strings.Contains(err.Error(), "leave out acted") && !strings.Contains(err.Error(), "set needs"):
			t.Errorf("%+v writes itself as %q: %v", f, f, err)
		case err == nil && got != f && f != (mock.Fault{}):
			t.Errorf("%+v writes itself as %q, read as %+v", f, f, got)
		}
	}
}
