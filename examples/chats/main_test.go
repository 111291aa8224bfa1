package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/unsend-go/unsend/api"
	"github.com/unsend-go/unsend/contract"
	"github.com/unsend-go/unsend/mock"
)

const partner = "51234567"

// chat serves 45 messages, 20 at a time at most: every third is the partner's, every fifth too old.
func chat(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	list := []any{}
	for i := offset; i < min(offset+limit, 45); i++ {
		sender, seconds := 7000001, 3600
		if i%3 == 0 {
			sender = 51234567
		}
		if i%5 == 0 {
			seconds = 0
		}
		list = append(list, map[string]any{
			"id": 1000 + i, "text": fmt.Sprint("<p>message ", i, "</p>"), "fromUser": map[string]int{"id": sender}, "cancelSeconds": seconds,
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"list": list, "hasMore": offset+limit < 45})
}

// newClient is a client of a mock of openapi.yaml. Each exchange is checked against it, too.
func newClient(t *testing.T, opts ...mock.Option) (*mock.Server, *api.Client) {
	t.Helper()
	document, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	server := mock.New(append(opts, mock.WithDocument(document))...)
	checked := func(next http.RoundTripper) http.RoundTripper {
		report := func(violations []contract.Violation) { t.Errorf("contract: %v", violations) }
		return contract.Transport(next, report, contract.WithDocument(document))
	}
	client, err := api.New(mock.DemoKey,
		api.WithConnection(mock.DemoConnection), api.WithHTTPClient(server.Client()), api.WithMiddleware(checked))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestUnsendsTheCreatorsMessagesThatMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newClient(t, mock.WithOperation("GET /v2/access/chats/{userId}/messages", http.HandlerFunc(chat)))
		server.Next(mock.Fault{Status: 503}, mock.Fault{Status: 429, RetryAfter: "2"}) // the list is asked for again
		server.NextFor(partner, "1041", mock.Fault{Kind: mock.Drop, Acted: true})      // a response that is lost
		var out bytes.Buffer
		if err := run(t.Context(), &out, client, partner, "message 4", true); err != nil {
			t.Fatal(err)
		}
		// 40 is too old, 42 and 4's neighbors are the partner's or do not match.
		if want := "1004 unsent\n1041 already_gone\n1043 unsent\n1044 unsent\n"; out.String() != want {
			t.Errorf("printed\n%swant\n%s", out.String(), want)
		}
		if got := server.Counts().Unsent; got != 4 {
			t.Errorf("%d messages unsent, want 4", got)
		}
		if e := server.Journal()[0]; e.Method != http.MethodGet || e.Fault != "503" || e.ConnectionID != mock.DemoConnection {
			t.Errorf("journal %+v, want a list with the client's credentials", e)
		}
	})
}

func TestListsWithoutUnsending(t *testing.T) {
	server, client := newClient(t) // its list is the example of openapi.yaml
	var out bytes.Buffer
	if err := run(t.Context(), &out, client, partner, "morning", false); err != nil {
		t.Fatal(err)
	}
	if got, unsent := out.String(), server.Counts().Unsent; got != "6432457811894\n" || unsent != 0 {
		t.Errorf("printed %q and unsent %d, want the creator's message and none", got, unsent)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	server, client := newClient(t)
	server.SetConnection(mock.Connection{ID: mock.DemoConnection, State: mock.Expired})
	if err := run(t.Context(), &bytes.Buffer{}, client, partner, "morning", true); !errors.Is(err, api.ErrSessionExpired) {
		t.Errorf("%v, want api.ErrSessionExpired", err)
	}
	for _, userID := range []string{"..", "", "7/messages/9"} {
		if err := run(t.Context(), &bytes.Buffer{}, client, userID, "morning", true); err == nil {
			t.Errorf("user id %q was accepted", userID)
		}
	}
	if n := len(server.Journal()); n != 1 {
		t.Errorf("%d requests, want none for ids that lead elsewhere", n)
	}
}

func TestGeneratedCodeIsCurrent(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "chats.gen.go")
	cmd := exec.CommandContext(t.Context(), "go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "-o", fresh, "openapi.yaml")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("chats/chats.gen.go")
	if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(string(want)) {
		t.Errorf("chats/chats.gen.go is not what openapi.yaml gives: run go generate ./... (%v)", err)
	}
}
