package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

func TestGeneratedSendsTheSameCredentials(t *testing.T) {
	server := newMock()
	generated := mockClient(t, server).Generated()
	resp, err := generated.UnsendChatMessage(t.Context(), userID, messageID, unsendBody(t))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), `{"success":true`) {
		t.Errorf("%d, %v: %.80s", resp.StatusCode, err, body)
	}
	if server.Exists(userID, messageID) {
		t.Error("the message is still there")
	}
	hunt(t, generated)
}

func TestGeneratedKeepsToItsHost(t *testing.T) {
	for name, target := range map[string]string{
		"another host":   "https://evil.example/v2/access/chats/1/messages/2",
		"another port":   "https://api-next.ofauth.com:8443/v2",
		"another scheme": "http://api-next.ofauth.com/v2",
		"a look-alike":   "https://api-next.ofauth.com.evil.example/",
	} {
		t.Run(name, func(t *testing.T) {
			sent := &counter{next: http.DefaultTransport}
			client := newClient(t, sent)
			detour := func(_ context.Context, req *http.Request) error {
				elsewhere, err := http.NewRequest(req.Method, target, nil)
				req.URL = elsewhere.URL
				return err
			}
			resp, err := client.Generated().UnsendChatMessage(t.Context(), userID, messageID, unsendBody(t), detour)
			if err == nil {
				_ = resp.Body.Close()
			}
			if !errors.Is(err, api.ErrConfig) || !strings.Contains(err.Error(), "credentials go to api-next.ofauth.com only") {
				t.Errorf("want a refusal, got %v", err)
			}
			if sent.n.Load() != 0 {
				t.Error("a request was sent")
			}
			hunt(t, err)
		})
	}
}

// TestGeneratedIsACopy changes all that can be changed of it.
func TestGeneratedIsACopy(t *testing.T) {
	server := newMock()
	client := mockClient(t, server)
	generated := client.Generated()
	doer, ok := generated.Client.(*http.Client)
	if !ok {
		t.Fatalf("the client inside is a %T", generated.Client)
	}
	elsewhere := roundTrip(func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request went to %s by way of the copy", req.URL.Host)
		return nil, errors.New("astray")
	})
	doer.Transport = elsewhere
	doer.Timeout = time.Nanosecond
	doer.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
	for i := range generated.RequestEditors {
		generated.RequestEditors[i] = func(_ context.Context, req *http.Request) error {
			req.Header.Set("apiKey", "another")
			return nil
		}
	}
	generated.Client, generated.Server = &http.Client{Transport: elsewhere}, "https://evil.example/"

	if result, err := unsend(t.Context(), t, client); err != nil || result.Outcome != api.Unsent {
		t.Errorf("the client changed with its copy: %v, %v", result, err)
	}
	if again := client.Generated(); again.Server != api.DefaultBaseURL+"/" {
		t.Errorf("a second copy goes to %s", again.Server)
	}
}

func TestCallersClientStaysAsItIs(t *testing.T) {
	server := newMock()
	own := server.Client()
	own.Timeout = time.Minute
	before := *own
	client, err := api.New(plantedKey, api.WithConnection(connection), api.WithHTTPClient(own))
	if err != nil {
		t.Fatal(err)
	}
	if own.Transport != before.Transport || own.CheckRedirect != nil || own.Timeout != before.Timeout || own.Jar != nil {
		t.Error("New changed the caller's client")
	}
	own.Transport, own.Timeout = nil, 1
	if _, err := unsend(t.Context(), t, client); err != nil {
		t.Errorf("the client changed with the caller's: %v", err)
	}
}
