package transport_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/internal/transport"
)

// TestSafeRequestsAreReplayed: a GET may be sent twice, whatever was written of the first.
func TestSafeRequestsAreReplayed(t *testing.T) {
	for method, want := range map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPost: false, http.MethodDelete: false} {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := new(transport.ConnTrace).Follow(t.Context(), req).GetBody(); (err == nil) != want {
			t.Errorf("the body of a %s is sent again: %v", method, err)
		}
	}
}

// TestConnTrace compares what a trace concludes with what a transport did, step by step.
func TestConnTrace(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		steps     string // of a transport; those of net/http's own begin with "standard", those of ours with "own"
		err       error
		unwritten bool
		sentTwice bool
		replays   string // of the replays that a transport attempts, y for each that is granted
	}{
		"no connection":                    {steps: "standard want", err: failed, unwritten: true},
		"no connection, a caller's":        {steps: "want", err: failed, unwritten: true},
		"a connection":                     {steps: "standard want got host", err: failed},
		"a connection, a caller's":         {steps: "want got host", err: failed},
		"nothing begun":                    {steps: "standard want got", err: failed, unwritten: true},
		"nothing begun, a caller's":        {steps: "want got", err: failed},
		"nothing begun, left":              {steps: "standard want got", err: context.Canceled},
		"nothing begun, late":              {steps: "standard want got", err: &net.DNSError{IsTimeout: true}},
		"stale, then none":                 {steps: "standard want got host again want", err: failed, unwritten: true, replays: "y"},
		"stale, then lost":                 {steps: "standard want got host again want got host", err: failed, replays: "y"},
		"stale and unread, then none":      {steps: "standard want got want", err: failed, unwritten: true},
		"stale and unread, then lost":      {steps: "standard want got want got host", err: failed},
		"stale twice":                      {steps: "standard want got host again got host again", err: failed, unwritten: true, replays: "yn"},
		"stale, a caller's":                {steps: "want got host again", err: failed, replays: "n"},
		"a caller's sends twice":           {steps: "want got host want got host", err: failed, sentTwice: true},
		"a caller's hedges":                {steps: "want ask got host", err: failed, sentTwice: true},
		"net/http's own requests two":      {steps: "standard want ask got host", err: failed},
		"HTTP/2 reset":                     {steps: "standard want got :method again", err: failed, replays: "n"},
		"HTTP/2 connection unusable":       {steps: "standard want got again want got :method", err: failed, replays: "y"},
		"HTTP/2 unusable, then none":       {steps: "standard want got again want", err: failed, unwritten: true, replays: "y"},
		"HTTP/2 unusable, then reset":      {steps: "standard want got again got :method again", err: failed, replays: "yn"},
		"a replay before any connection":   {steps: "standard again", err: failed, replays: "n"},
		"nothing requested, ours":          {steps: "own", err: context.DeadlineExceeded, unwritten: true},
		"nothing requested, a caller's":    {steps: "standard", err: context.DeadlineExceeded},
		"a certificate, untraced":          {err: x509.UnknownAuthorityError{}, unwritten: true},
		"an untraced dial":                 {err: &net.OpError{Op: "dial"}, unwritten: true},
		"an untraced proxy":                {err: &net.OpError{Op: "proxyconnect"}, unwritten: true},
		"an untraced name":                 {err: &net.DNSError{}, unwritten: true},
		"an untraced read":                 {err: &net.OpError{Op: "read"}},
		"a dial's error on a connection":   {steps: "standard want got host", err: &net.OpError{Op: "dial"}},
		"another dial's error, and a name": {steps: "want got host", err: &net.DNSError{}},
	} {
		t.Run(name, func(t *testing.T) {
			steps := strings.Fields(c.steps)
			kinds := map[string]transport.Kind{"standard": transport.Standard, "own": transport.Own}
			trace := transport.ConnTrace{Kind: kinds[append(steps, "")[0]]}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://localhost/", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			req = trace.Follow(t.Context(), req)
			hooks := httptrace.ContextClientTrace(req.Context())
			replays := ""
			for _, step := range steps {
				switch step {
				case "standard", "own":
				case "want", "ask":
					hooks.GetConn("localhost:80")
				case "got":
					hooks.GotConn(httptrace.GotConnInfo{})
				case "again":
					body, err := req.GetBody()
					if err != nil {
						replays += "n"
						break
					}
					replays += "y"
					if text, err := io.ReadAll(body); err != nil || string(text) != "{}" {
						t.Errorf("the body is sent again as %q, %v", text, err)
					}
				default:
					if trace.Kind == transport.Standard {
						hooks.WroteHeaderField(step, nil)
					}
				}
			}
			end := trace.End(t.Context(), c.err)
			if end.Unwritten != c.unwritten {
				t.Errorf("Unwritten is %v, want %v", end.Unwritten, c.unwritten)
			}
			if end.SentTwice != c.sentTwice {
				t.Errorf("SentTwice is %v, want %v", end.SentTwice, c.sentTwice)
			}
			if replays != c.replays {
				t.Errorf("replays are granted as %q, want %q", replays, c.replays)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if name == "nothing begun" && trace.End(ended, c.err).Unwritten {
				t.Error("Unwritten of a call whose context has ended")
			}
		})
	}
}
