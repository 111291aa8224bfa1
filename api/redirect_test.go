package api_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/gen"
)

// twoServers are one that answers with a redirect, and the one it points to, which would say
// that all is well.
func twoServers(t *testing.T, status int, location func(second string) string) (first *httptest.Server, asked, followed *atomic.Int64) {
	t.Helper()
	asked, followed = new(atomic.Int64), new(atomic.Int64)
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed.Add(1)
		t.Errorf("%s reached the second server", r.Method)
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, "\n"), plantedKey) {
				t.Errorf("the key reached the second server in %s", name)
			}
		}
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(second.Close)
	first = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodDelete {
			t.Errorf("the first server was asked to %s %s", r.Method, r.URL.Path)
		}
		w.Header().Set("Location", location(second.URL))
		w.Header().Set("X-Request-Id", "req_redirected")
		w.WriteHeader(status)
	}))
	t.Cleanup(first.Close)
	return first, asked, followed
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	locations := map[string]func(string) string{
		"another host":    func(second string) string { return second + "/v2/access/chats/1/messages/2" },
		"the same host":   func(string) string { return "/v2/access/chats/1/messages/2" },
		"without a host":  func(string) string { return "https:///nowhere" },
		"malformed":       func(string) string { return "http://[::1:broken%zz" },
		"another scheme":  func(string) string { return "ftp://files.example/" },
		"a relative path": func(string) string { return "../../elsewhere" },
		"none":            func(string) string { return "" },
	}
	// The policy of the caller's client says to follow; it is not asked.
	lenient := func(req *http.Request, _ []*http.Request) error {
		t.Errorf("the redirect policy was asked about %s", req.URL.Host)
		return nil
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, location := range locations {
			t.Run(http.StatusText(status)+" to "+name, func(t *testing.T) {
				first, asked, followed := twoServers(t, status, location)
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				client := newClient(t, nil, api.WithBaseURL(first.URL), api.WithHTTPClient(
					&http.Client{Transport: judgedRequests(t, transport), CheckRedirect: lenient}))

				_, err := unsend(t.Context(), t, client)
				e := apiError(t, err)
				if e.StatusCode != status || !errors.Is(err, api.ErrUnexpectedResponse) || e.RequestID != "req_redirected" {
					t.Errorf("the error is %v", err)
				}
				// After a 303 the request counts as carried out, by what the status means.
				if e.MaybeUnsent != (status == http.StatusSeeOther) || e.Attempts != 1 {
					t.Errorf("MaybeUnsent %v after %d attempts", e.MaybeUnsent, e.Attempts)
				}

				resp, err := client.Generated().UnsendChatMessage(t.Context(), userID, messageID, unsendBody(t))
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != status {
					t.Errorf("the generated client got a %d", resp.StatusCode)
				}
				if asked.Load() != 2 || followed.Load() != 0 {
					t.Errorf("the first server was asked %d times, the second %d", asked.Load(), followed.Load())
				}
			})
		}
	}
}

func TestOtherRedirectStatusesAreErrors(t *testing.T) {
	for _, status := range []int{300, 304, 305, 306, 310, 399} {
		client := newClient(t, answer(t, status, http.Header{"Location": {"https://evil.example/"}}, ""))
		_, err := unsend(t.Context(), t, client)
		if e := apiError(t, err); e.StatusCode != status || !errors.Is(err, api.ErrUnexpectedResponse) || e.MaybeUnsent {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// unsendBody is the documented body of a request.
func unsendBody(t testing.TB) gen.UnsendRequest {
	t.Helper()
	return gen.UnsendRequest{WithUserID: gen.String(userID)}
}
