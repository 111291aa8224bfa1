package api_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/unsend-go/unsend/api"
)

// TestRedirectsAreNotFollowed has one server that answers with a redirect, and another that it
// points to, which would say that all is well. The key must not reach it.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int64
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		followed.Add(1)
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(second.Close)
	// The policy of the caller's client says to follow; it is not asked.
	lenient := func(req *http.Request, _ []*http.Request) error {
		t.Errorf("the redirect policy was asked about %s", req.URL.Host)
		return nil
	}
	locations := map[string]string{
		"another host": second.URL + "/v2/access/chats/1/messages/2", "the same host": "/v2/access/chats/1/messages/2",
		"malformed": "http://[::1:broken%zz", "none": "",
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, location := range locations {
			t.Run(http.StatusText(status)+" to "+name, func(t *testing.T) {
				var asked atomic.Int64
				base, transport := onSocket(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					if r.Method != http.MethodDelete {
						t.Errorf("the first server was asked to %s %s", r.Method, r.URL.Path)
					}
					w.Header().Set("Location", location)
					w.Header().Set("X-Request-Id", "req_redirected")
					w.WriteHeader(status)
				}))
				client := newClient(t, nil, api.WithBaseURL(base), api.WithHTTPClient(
					&http.Client{Transport: validatedRequests(t, transport), CheckRedirect: lenient}))

				_, err := unsend(t.Context(), t, client)
				e := apiError(t, err)
				if e.StatusCode != status || !errors.Is(err, api.ErrUnexpectedResponse) || e.RequestID != "req_redirected" || e.Attempts != 1 {
					t.Errorf("the error is %v", err)
				}
				// After a 303 the request counts as carried out, by what the status means.
				if e.MaybeUnsent != (status == http.StatusSeeOther) {
					t.Errorf("MaybeUnsent %v", e.MaybeUnsent)
				}

				resp, err := client.Generated().UnsendChatMessage(t.Context(), userID, messageID, unsendBody())
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != status || asked.Load() != 2 || followed.Load() != 0 {
					t.Errorf("the generated client got a %d; the first server was asked %d times, the second %d", resp.StatusCode, asked.Load(), followed.Load())
				}
			})
		}
	}
}
