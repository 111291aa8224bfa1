package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/gen"
	"github.com/unsend-go/unsend/mock"
)

// plantedKey is the key of every client in these tests. It must never show.
const plantedKey = "sk_sandbox_PLANTED_7f3a9c51e2"

const (
	connection = "conn_tests"
	userID     = "51234567"
	messageID  = "6432457811894"
)

// TestMain fails if a goroutine outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	return newClient(t, validated(t, server.Client().Transport), opts...)
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

// validated checks every exchange against the contract, in both directions.
func validated(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	return validatedRequests(t, next, contract.Response)
}

// validatedRequests is for servers that violate the contract on purpose; sides are checked besides.
func validatedRequests(t testing.TB, next http.RoundTripper, sides ...contract.Side) http.RoundTripper {
	t.Helper()
	return contract.Transport(next, func(vs []contract.Violation) {
		for _, v := range vs {
			if v.Side == contract.Request || slices.Contains(sides, v.Side) {
				t.Errorf("violates the contract: %v", v)
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

// doer is a transport made of a function, which reads the body itself.
type doer func(*http.Request) (*http.Response, error)

func (f doer) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// respond is a transport that returns one response again and again. It may violate the contract; the
// requests must not.
func respond(t testing.TB, status int, header http.Header, body string) http.RoundTripper {
	t.Helper()
	return validatedRequests(t, roundTrip(func(req *http.Request) (*http.Response, error) {
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

// unsend makes a call, assertNoKey for the key in all that came of it, and checks what holds for
// every call: a result or an error and never both, and a result that names its outcome.
func unsend(ctx context.Context, t testing.TB, client *api.Client, opts ...api.CallOption) (*api.Result, error) {
	t.Helper()
	return unsendMessage(ctx, t, client, userID, messageID, opts...)
}

func unsendMessage(ctx context.Context, t testing.TB, c *api.Client, user, message string, opts ...api.CallOption) (*api.Result, error) {
	t.Helper()
	result, err := c.Unsend(ctx, user, message, opts...)
	if err != nil {
		assertNoKey(t, err)
		if result != nil {
			t.Errorf("a result beside the error %v", err)
		}
		checkErrorText(t, err)
		return nil, err
	}
	if result == nil || (result.Outcome != api.Unsent && result.Outcome != api.AlreadyGone) || result.Attempts < 1 {
		t.Fatalf("no error, and this result: %+v", result)
	}
	assertNoKey(t, result)
	return result, nil
}

// fail makes a call whose response has status and body, without retries.
func fail(t testing.TB, status int, header http.Header, body string) *api.Error {
	t.Helper()
	client := newClient(t, respond(t, status, header, body), api.WithRetries(0), api.WithoutRateLimit())
	_, err := unsend(t.Context(), t, client)
	if err == nil {
		t.Fatalf("a %d is no error", status)
	}
	e := apiError(t, err)
	if e.StatusCode != status {
		t.Errorf("StatusCode %d, want %d", e.StatusCode, status)
	}
	return e
}

// apiError is the *api.Error in err; there must be one.
func apiError(t testing.TB, err error) *api.Error {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an *api.Error, got %T: %v", err, err)
	}
	return e
}

// assertNoKey looks for the planted key in every printed form of v.
func assertNoKey(t testing.TB, v any) {
	t.Helper()
	forms := map[string]string{}
	if result, ok := v.(*api.Result); ok {
		_, err := result.Queue()
		forms["request id, header, queue's error"] = fmt.Sprintf("%s %v %v %#v", result.RequestID, result.Header, err, err)
		v = &api.Result{Outcome: result.Outcome} // Raw is as received
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		forms[verb] = fmt.Sprintf(verb, v)
	}
	if text, err := json.Marshal(v); err == nil { // functions have no JSON
		forms["JSON"] = string(text)
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("dump", "value", v)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("dump", "value", v)
	forms["slog text"], forms["slog JSON"] = text.String(), object.String()

	if e, ok := v.(*api.Error); ok {
		for verb, form := range map[string]string{"value %v": "%v", "value %+v": "%+v", "value %#v": "%#v"} {
			forms[verb] = fmt.Sprintf(form, *e)
		}
		forms["body"] = string(e.Body())
		forms["fields"] = strings.Join([]string{e.Message, e.Type, e.RequestID, e.ActionRequired}, "\n")
	}
	for name, form := range forms {
		if strings.Contains(form, plantedKey) {
			t.Errorf("the key shows in %s of a %T", name, v)
		}
	}
}

// checkErrorText holds an error to one line of at most 400 bytes that a terminal can show.
func checkErrorText(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 400 {
		t.Errorf("an error of %d bytes", len(text))
	}
	if !utf8.ValidString(text) {
		t.Errorf("an error that is not UTF-8: %q", text)
	}
	if i := strings.IndexFunc(text, unprintable); i >= 0 {
		t.Errorf("an error with %q in it", []rune(text[i:])[0])
	}
	if text != strings.TrimSpace(text) || text == "" {
		t.Errorf("an error with blanks around it: %q", text)
	}
}

// unprintable are characters that break a line or rearrange it.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// unsendBody is the documented body of a request.
func unsendBody() gen.UnsendRequest { return gen.UnsendRequest{WithUserID: gen.String(userID)} }

// pass lets time go by in a bubble, and what is due in it happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
