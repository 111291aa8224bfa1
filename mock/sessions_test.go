package mock_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

// sessionOptions are those of the sessions that need some, by title.
func sessionOptions() map[string][]mock.Option {
	return map[string][]mock.Option{
		"control": {mock.WithMessages(mock.Message{UserID: "7", MessageID: "9"}, mock.Message{UserID: "7", MessageID: "8"})},
		"the order of checks": {
			mock.WithKeys("writer", ""), mock.WithRateLimit(1, 1),
			mock.WithMessages(mock.Message{UserID: "7", MessageID: "1"}, mock.Message{UserID: "7", MessageID: "2"}),
			mock.WithConnections(
				mock.Connection{ID: "conn_expired", State: mock.Expired, ReadOnly: true},
				mock.Connection{ID: "conn_outdated", State: mock.RulesOutdated, ReadOnly: true},
				mock.Connection{ID: "conn_empty", ReadOnly: true}, mock.Connection{ID: "conn_reads", ReadOnly: true},
				mock.Connection{ID: "conn_good"}, mock.Connection{ID: "conn_good_too"}, mock.Connection{}, // which has no id
			),
		},
		"the headers of the rate limit": {mock.WithRateLimit(30, 3)},
		"no rate limit":                 {mock.WithoutRateLimit()},
		"pages of a named origin":       {mock.WithCORS("http://localhost:5173")},
		"pages of any origin":           {mock.WithCORS("*")},
	}
}

// The sessions of testdata run one step after the other.
func TestSessions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sessions.txt", "control.txt"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range strings.Split(string(text), "\n== ")[1:] {
			title, steps, _ := strings.Cut(session, "\n")
			t.Run(title, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { runSession(t, title, steps) })
			})
		}
	}
}

func runSession(t *testing.T, title, steps string) {
	t.Helper()
	opts := append([]mock.Option{mock.WithControl("")}, sessionOptions()[title]...)
	if document, _, isOwn := strings.Cut(title, ": "); isOwn {
		text, err := os.ReadFile("testdata/" + document)
		if err != nil {
			t.Fatal(err)
		}
		opts = append(opts, mock.WithDocument(text), mock.WithRateLimit(1, 8))
	}
	g := overPipe(t, opts...)
	if title == "control" {
		g.server.Next(mock.Fault{Status: 500}) // as --fault does
	}
	for line := range strings.Lines(steps) {
		line = strings.TrimSpace(line)
		step, want, _ := strings.Cut(line, " => ")
		method, rest, _ := strings.Cut(step, " ")
		target, body, _ := strings.Cut(strings.ReplaceAll(rest, "(65 KiB)", strings.Repeat(" ", 65<<10)), " ")
		switch {
		case line == "" || method == "#":
		case method == "WAIT":
			wait, err := time.ParseDuration(target)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(wait) //nolint:forbidigo // virtual
		case method == "KEYS":
			g.server.SetKeys(target)
		case strings.HasPrefix(target, mock.ControlPrefix) && !setting.MatchString(body):
			if status, text := control(t, g.server, method, target, body); fmt.Sprint(status, " ", text) != want {
				t.Errorf("%s\n got %d %s\nwant %s", step, status, text, want)
			} else if status >= http.StatusBadRequest && !oneError(text) {
				t.Errorf("%s: %s, want one line of an error", step, text)
			}
		default:
			g.step(step, method, target, body, want)
		}
	}
}

var (
	setting    = regexp.MustCompile(`^([A-Za-z-]+)=(\S*) ?`)
	errorType  = regexp.MustCompile(`^[A-Z_]+\b`)
	headerPart = regexp.MustCompile(`^([A-Z][A-Za-z-]+):(.*)$`)
)

// step sends one request to the API. Its body is the documented one if none is given.
func (g *testServer) step(step, method, target, body, want string) {
	g.t.Helper()
	if method == "FAULT" {
		fault, err := mock.ParseFault(target)
		if err != nil {
			g.t.Fatal(err)
		}
		g.server.Next(fault)
		target = fmt.Sprint(g.server.Counts().Requests)
	}
	user, message, found := strings.Cut(target, "/")
	if !found {
		user, message = "7", target
	}
	req := g.request(user, message)
	if strings.HasPrefix(target, "/") {
		req = g.request("7", "9")
		setBody(req, "")
		u, err := req.URL.Parse("https://localhost" + target)
		if err != nil {
			g.t.Fatal(err)
		}
		req.Method, req.URL, req.Host = method, u, u.Host
		req.Header.Del("Content-Type")
	}
	for m := setting.FindStringSubmatch(body); m != nil; m = setting.FindStringSubmatch(body) {
		req.Header.Set(m[1], m[2])
		body = body[len(m[0]):]
	}
	if body != "" {
		setBody(req, strings.TrimSuffix(body, "(empty)"))
	}
	send := g.tryUnchecked
	if method == "SEND" {
		send = g.try
	}
	r := send(req)
	status, parts, _ := strings.Cut(want, " ")
	if fmt.Sprint(r.status) != status || strings.Contains(r.body, "secret") {
		g.t.Errorf("%s: %d %s %v, want %s", step, r.status, r.body, r.err, want)
	}
	if r.status >= http.StatusBadRequest && method != http.MethodHead && !strings.HasPrefix(target, mock.ControlPrefix) {
		r.wantProblem(g.t, r.status, errorType.FindString(parts))
	}
	for part := range strings.FieldsSeq(parts) {
		if m := headerPart.FindStringSubmatch(part); m != nil && strings.ReplaceAll(r.header.Get(m[1]), " ", "_") != m[2] {
			g.t.Errorf("%s: %s is %q, want %q", step, m[1], r.header.Get(m[1]), m[2])
		} else if m == nil && !strings.Contains(r.body, part) {
			g.t.Errorf("%s: %s, want it to have %s", step, r.body, part)
		}
	}
	for _, v := range r.violations {
		if v.Side == contract.Response && v.Pointer != "operation" {
			g.t.Errorf("%s: %s", step, v)
		}
	}
}
