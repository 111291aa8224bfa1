package consumer

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/batch"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

// TestFirst runs the first snippet of the README, with an answer and without.
func TestFirst(t *testing.T) {
	for name, faults := range map[string][]mock.Fault{
		"plain":       nil,
		"lost answer": {{Kind: mock.Drop, Acted: true}},
		"no snapshot": {{Body: `{"success":true}`}},
	} {
		t.Run(name, func(t *testing.T) {
			server := mock.New(mock.WithMessages(mock.Message{UserID: "51234567", MessageID: "6432457811894"}))
			address, err := server.Start()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Close() }()
			server.Next(faults...)
			t.Setenv("OFAUTH_API_KEY", mock.DemoKey)
			t.Setenv("OFAUTH_CONNECTION_ID", mock.DemoConnection)
			t.Setenv("OFAUTH_BASE_URL", address)
			first(t.Context())
			if n := server.UnsentCount("51234567", "6432457811894"); n != 1 {
				t.Errorf("unsent %d times; want once", n)
			}
		})
	}
}

// watched is a client of a mock that is held to the contract.
func watched(t *testing.T, server *mock.Server) *api.Client {
	t.Helper()
	client, err := Client(mock.DemoKey, server.Client().Transport, func(violations []contract.Violation) {
		t.Errorf("departs from the contract: %v", violations)
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestTakeBack(t *testing.T) {
	for name, row := range map[string]struct {
		faults []mock.Fault
		says   string
		took   time.Duration
	}{
		"plain":    {nil, "unsent", 0},
		"limited":  {[]mock.Fault{{Status: 429, RetryAfter: "7"}}, "unsent", 7 * time.Second},
		"patience": {[]mock.Fault{{Status: 429, RetryAfter: "61"}}, "rate limited: wait 1m1s", 0},
		"expired":  {[]mock.Fault{{Status: 401, Type: "SESSION_EXPIRED"}}, "session expired: SESSION_EXPIRED", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := mock.New()
				server.Next(row.faults...)
				client, began := watched(t, server), time.Now()
				says, _ := TakeBack(t.Context(), client, "1", "2")
				if took := time.Since(began); !strings.HasPrefix(says, row.says) || took != row.took {
					t.Errorf("%q after %v; want %q after %v", says, took, row.says, row.took)
				}
			})
		})
	}
}

func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := watched(t, mock.New())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		TakeBack(ctx, client, "1", "2")
		if says, _ := TakeBack(ctx, client, "1", "3"); says != "rate limited: wait 1s" {
			t.Errorf("the second call says %q", says)
		}
	})
}

func TestTakeBackAll(t *testing.T) {
	client, path := watched(t, mock.New()), filepath.Join(t.TempDir(), "messages.db")
	const list = "user_id,message_id\n1,2\n1,3\n"
	for run, want := range []map[batch.Outcome]int{{batch.Unsent: 2}, {}} {
		ended, unsent, err := TakeBackAll(t.Context(), client, list, path)
		if err != nil || !maps.Equal(ended, want) || unsent != 2 {
			t.Errorf("run %d: ended as %v, %d unsent in all, %v; want %v and 2", run+1, ended, unsent, err, want)
		}
	}
	if _, bad, err := TakeBackAll(t.Context(), client, list+"no id,4\n", path); !errors.Is(err, api.ErrInvalidID) || bad != 1 {
		t.Errorf("%d bad rows: %v; want one, %v", bad, err, api.ErrInvalidID)
	}
}

func TestCheck(t *testing.T) {
	req, err := http.NewRequest(http.MethodDelete, "http://service.example/v2/access/chats/1/messages/2", strings.NewReader(`{"withUserId":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("apiKey", mock.DemoKey)
	req.Header.Set("x-connection-id", mock.DemoConnection)
	resp, err := mock.New().Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	contract.Check(t, req, resp)
}
