package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

const (
	connection = "conn_tests"
	userID     = "51234567"
	messageID  = "6432457811894"
)

// newMock is a mock that takes the planted key.
func newMock(opts ...mock.Option) *mock.Server {
	return mock.New(append([]mock.Option{
		mock.WithKeys(plantedKey),
		mock.WithConnections(mock.Connection{ID: connection}),
	}, opts...)...)
}

// mockClient is a client of the mock, whose exchanges must keep the contract on both sides.
func mockClient(t testing.TB, server *mock.Server, opts ...api.Option) *api.Client {
	t.Helper()
	return newClient(t, judged(t, server.Client().Transport), opts...)
}

// newClient is a client with the planted key, a connection, and backoff without chance: each
// wait is its ceiling.
func newClient(t testing.TB, next http.RoundTripper, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(plantedKey, append([]api.Option{
		api.WithConnection(connection),
		api.WithHTTPClient(&http.Client{Transport: next}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	client.SetJitter(func(ceiling time.Duration) time.Duration { return ceiling })
	return client
}

// judged holds every exchange against the contract, in both directions.
func judged(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	return contract.Transport(next, func(vs []contract.Violation) {
		for _, v := range vs {
			t.Errorf("breaks the contract: %v", v)
		}
	})
}

// judgedRequests is for servers that break the contract on purpose.
func judgedRequests(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	return contract.Transport(next, func(vs []contract.Violation) {
		for _, v := range vs {
			if v.Side == contract.Request {
				t.Errorf("breaks the contract: %v", v)
			}
		}
	})
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return f(req)
}

// answer is a transport that always answers the same. Its answers may break the contract; the
// requests must not.
func answer(t testing.TB, status int, header http.Header, body string) http.RoundTripper {
	t.Helper()
	return judgedRequests(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		return newResponse(req, status, header, strings.NewReader(body)), nil
	}))
}

func newResponse(req *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for name, values := range header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(body), ContentLength: -1, Request: req,
	}
}

// counter counts the requests that reach its transport.
type counter struct {
	next http.RoundTripper
	n    atomic.Int64
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.RoundTrip(req)
}

// unsend makes a call, hunts for the key in all that came of it, and checks what holds for
// every call: a result or an error and never both, and a result that names its outcome.
func unsend(ctx context.Context, t testing.TB, client *api.Client, opts ...api.CallOption) (*api.Result, error) {
	t.Helper()
	return unsendMessage(ctx, t, client, userID, messageID, opts...)
}

func unsendMessage(ctx context.Context, t testing.TB, client *api.Client, user, message string, opts ...api.CallOption) (*api.Result, error) {
	t.Helper()
	result, err := client.Unsend(ctx, user, message, opts...)
	if err != nil {
		hunt(t, err)
		if result != nil {
			t.Errorf("a result beside the error %v", err)
		}
		checkErrorText(t, err)
		return nil, err
	}
	if result == nil || (result.Outcome != api.Unsent && result.Outcome != api.AlreadyGone) || result.Attempts < 1 {
		t.Fatalf("no error, and this result: %+v", result)
	}
	hunt(t, result)
	return result, nil
}
