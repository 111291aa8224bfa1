package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

func newService(t *testing.T, server *mock.Server) *service {
	t.Helper()
	client, err := api.New(mock.DemoKey, api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()), api.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return &service{client: client}
}

func request(t *testing.T, s *service, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, path, nil))
	return w
}

func TestErrorsBecomeStatuses(t *testing.T) {
	for name, c := range map[string]struct {
		fault      mock.Fault
		path       string
		status     int
		retryAfter string
	}{
		"unsent":          {status: http.StatusOK},
		"no id":           {path: "/chats/5/messages/a%2Fb", status: http.StatusBadRequest},
		"no such message": {path: "/chats/5/messages/7", status: http.StatusNotFound},
		"session expired": {fault: mock.Fault{Status: 401, Type: "SESSION_EXPIRED"}, status: http.StatusConflict},
		"rate limit":      {fault: mock.Fault{Status: 429, RetryAfter: "7"}, status: http.StatusServiceUnavailable, retryAfter: "7"},
		"refused":         {fault: mock.Fault{Status: 422}, status: http.StatusUnprocessableEntity},
		"wrong key":       {fault: mock.Fault{Status: 401}, status: http.StatusBadGateway},
		"lost":            {fault: mock.Fault{Kind: mock.Drop}, status: http.StatusAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := mock.New(mock.WithMessages(mock.Message{UserID: "5", MessageID: "6"}))
				if c.fault != (mock.Fault{}) {
					server.Next(c.fault)
				}
				path := c.path
				if path == "" {
					path = "/chats/5/messages/6"
				}
				w := request(t, newService(t, server), path)
				if w.Code != c.status {
					t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
				}
				if got := w.Header().Get("Retry-After"); got != c.retryAfter {
					t.Errorf("Retry-After %q, want %q", got, c.retryAfter)
				}
			})
		})
	}
}

// TestLostResponsesAreSettledLater unsends a message, loses the response, and finds it gone, or a reason
// why no retry can find out.
func TestLostResponsesAreSettledLater(t *testing.T) {
	t.Run("gone", func(t *testing.T) { settles(t, mock.Fault{}) })
	t.Run("key revoked", func(t *testing.T) { settles(t, mock.Fault{Status: 401}) })
}

func settles(t *testing.T, then mock.Fault) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := mock.New()
		server.Next(mock.Fault{Kind: mock.Drop, Acted: true}, then)
		s := newService(t, server)
		if w := request(t, s, "/chats/5/messages/6"); w.Code != http.StatusAccepted {
			t.Fatalf("status %d, want 202: %s", w.Code, w.Body)
		}
		go s.settle(t.Context(), time.Minute)
		time.Sleep(121 * time.Second) //nolint:forbidigo // virtual time
		s.open.Range(func(m, _ any) bool {
			t.Errorf("%v is still open", m)
			return true
		})
		if n := len(server.Journal()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}
