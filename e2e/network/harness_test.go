package network

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

const userID = "51234567"

// TestMain fails if a goroutine is left: of the client, of the mock, or of a connection. Those
// of Toxiproxy are its own affair: a link whose toxic has closed it may leave what feeds it.
func TestMain(m *testing.M) {
	const its = "github.com/Shopify/toxiproxy/v2"
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(its+".(*ToxicLink).read"),
		goleak.IgnoreAnyFunction(its+".(*ToxicLink).write"),
		goleak.IgnoreAnyFunction(its+"/toxics.(*ToxicStub).Run"))
}

// line is a mock, and a proxy before it that can be poisoned.
type line struct {
	server *mock.Server
	proxy  *toxiproxy.Proxy
}

// newLine starts both on loopback. Each message exists until it is unsent.
func newLine(t *testing.T) *line {
	t.Helper()
	server := mock.New(mock.WithoutRateLimit())
	base, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	quiet := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(quiet, t.Name(), "127.0.0.1:0", strings.TrimPrefix(base, "http://"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proxy.Toxics.ResetToxics(t.Context())
		proxy.Stop()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &line{server: server, proxy: proxy}
}

// poison adds a toxic to what comes back from the service, or to what goes there.
func (l *line) poison(t *testing.T, stream, kind, attributes string) {
	t.Helper()
	toxic := fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":{%s}}`, kind+stream, kind, stream, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Errorf("%s: %v", toxic, err)
	}
}

func (l *line) cure(t *testing.T) {
	t.Helper()
	l.proxy.Toxics.ResetToxics(t.Context())
}

// client reaches the mock through the proxy. before, where it is not nil, is called ahead of
// each attempt with its number.
func (l *line) client(t *testing.T, before func(attempt int), opts ...api.Option) *api.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(t, "http://"+l.proxy.Listen, &counted{next: transport, before: before}, opts...)
}

// newClient is a client of base whose requests must keep the contract. What comes back may
// be broken off, and is not judged.
func newClient(t *testing.T, base string, next http.RoundTripper, opts ...api.Option) *api.Client {
	t.Helper()
	judged := contract.Transport(next, func(vs []contract.Violation) {
		for _, v := range vs {
			if v.Side == contract.Request {
				t.Errorf("breaks the contract: %v", v)
			}
		}
	})
	client, err := api.New(mock.DemoKey, append([]api.Option{
		api.WithConnection(mock.DemoConnection), api.WithBaseURL(base), api.WithHTTPClient(&http.Client{Transport: judged}), api.WithoutRateLimit(),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// counted numbers the attempts.
type counted struct {
	next   http.RoundTripper
	before func(attempt int)
	body   func(io.ReadCloser) io.ReadCloser // wraps the bodies of answers
	n      atomic.Int64
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	n := c.n.Add(1)
	if c.before != nil {
		c.before(int(n))
	}
	resp, err := c.next.RoundTrip(req)
	if err == nil && c.body != nil {
		resp.Body = c.body(resp.Body)
	}
	return resp, err
}

// after calls do once n bytes of a body were read.
func after(n int, do func()) func(io.ReadCloser) io.ReadCloser {
	return func(body io.ReadCloser) io.ReadCloser { return &watched{ReadCloser: body, left: n, do: do} }
}

type watched struct {
	io.ReadCloser
	left int
	do   func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if before := w.left; before > 0 {
		if w.left -= n; w.left <= 0 {
			w.do()
		}
	}
	return n, err
}

// ending is what a call must come to.
type ending struct {
	outcome  api.Outcome // 0: an error, with the rest
	maybe    bool
	attempts int // 0: any number
	status   int
}

// end makes a call and holds it against want, and against what the mock did: no message is
// taken away twice, or unknown to the caller, and none is said to be gone that is there.
func (l *line) end(t *testing.T, client *api.Client, want ending) (*api.Result, error) {
	t.Helper()
	messageID := fmt.Sprint(time.Now().UnixNano() % 1e13)
	before := len(l.server.Journal())
	result, err := client.Unsend(t.Context(), userID, messageID)
	attempts := 0
	if want.outcome != 0 {
		if err != nil {
			t.Fatalf("want %v, got %v", want.outcome, err)
		}
		attempts = result.Attempts
		if result.Outcome != want.outcome {
			t.Errorf("the outcome is %v, want %v", result.Outcome, want.outcome)
		}
		if l.server.Exists(userID, messageID) {
			t.Errorf("%v is said of a message that exists", result.Outcome)
		}
	} else {
		e := failure(t, err)
		attempts = e.Attempts
		if e.MaybeUnsent != want.maybe || e.StatusCode != want.status {
			t.Errorf("MaybeUnsent %v, status %d, want %v, %d: %v", e.MaybeUnsent, e.StatusCode, want.maybe, want.status, err)
		}
		if !l.server.Exists(userID, messageID) && !e.MaybeUnsent {
			t.Errorf("the message is gone, and the error has no doubt: %v", err)
		}
	}
	if want.attempts != 0 && attempts != want.attempts {
		t.Errorf("%d attempts, want %d", attempts, want.attempts)
	}
	arrived, acted := 0, 0
	for _, entry := range l.server.Journal()[before:] {
		if entry.MessageID == messageID {
			arrived++
			if entry.Acted {
				acted++
			}
		}
	}
	if arrived > attempts || acted > 1 {
		t.Errorf("%d requests arrived of %d attempts, and %d took the message away", arrived, attempts, acted)
	}
	return result, err
}
