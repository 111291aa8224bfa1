package network

import (
	"net/http"
	"strings"
	"testing"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/mock"
)

// restarting is a mock without a proxy before it, and a client of it.
func restarting(t *testing.T, before func(server *mock.Server, addr string, attempt int)) (*line, *api.Client) {
	t.Helper()
	server := mock.New(mock.WithoutRateLimit())
	base, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	addr := strings.TrimPrefix(base, "http://")
	client := newClient(t, base, &counted{next: transport, before: func(attempt int) { before(server, addr, attempt) }})
	return &line{server: server}, client
}

// TestServerRestarts between calls: the kept connection is dead, and nobody has said so.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	l, client := restarting(t, func(server *mock.Server, addr string, attempt int) {
		if attempt%2 == 0 {
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if _, err := server.StartAddr(addr); err != nil {
				t.Error(err)
			}
		}
	})
	for range 6 {
		_, _ = l.end(t, client, ending{outcome: api.Unsent})
	}
	if n := l.server.Counts().Unsent; n != 6 {
		t.Errorf("%d messages are gone, want 6", n)
	}
}

// TestServerGoesDown for the first attempt, and is back for the second.
func TestServerGoesDown(t *testing.T) {
	t.Parallel()
	l, client := restarting(t, func(server *mock.Server, addr string, attempt int) {
		var err error
		switch attempt {
		case 1:
			err = server.Close()
		case 2:
			_, err = server.StartAddr(addr)
		}
		if err != nil {
			t.Error(err)
		}
	})
	_, _ = l.end(t, client, ending{outcome: api.Unsent, attempts: 2})
}

// TestServerStopsInACall: it has taken the message away, and goes down before it answers.
func TestServerStopsInACall(t *testing.T) {
	t.Parallel()
	l, client := restarting(t, func(server *mock.Server, addr string, attempt int) {
		if attempt == 2 {
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if _, err := server.StartAddr(addr); err != nil {
				t.Error(err)
			}
		}
	})
	l.server.Next(mock.Fault{Kind: mock.Drop, Acted: true})
	_, _ = l.end(t, client, ending{outcome: api.AlreadyGone, attempts: 2})
}
