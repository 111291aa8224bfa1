package api_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsend-go/unsend/api"
)

// checkRefusal holds an error of New, or of a call that was not sent, to one clear line.
func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, api.ErrConfig) {
		t.Fatalf("want an ErrConfig, got %v", err)
	}
	checkErrorText(t, err)
	hunt(t, err)
	if !strings.Contains(err.Error(), want) {
		t.Errorf("the error %q does not say %q", err, want)
	}
}

func TestNewRefusesKeys(t *testing.T) {
	for name, c := range map[string]struct{ key, want string }{
		"empty":            {"", "api key is missing"},
		"newline behind":   {plantedKey + "\n", "api key has a space, a newline"},
		"newline inside":   {"sk_\r\nHost: evil.example", "api key has a space, a newline"},
		"blank before":     {" " + plantedKey, "api key has a space, a newline"},
		"only blanks":      {"   ", "api key has a space, a newline"},
		"control":          {plantedKey + "\x00", "api key has a space, a newline"},
		"delete":           {plantedKey + "\x7f", "api key has a space, a newline"},
		"beyond ASCII":     {plantedKey + "é", "api key has a space, a newline"},
		"not UTF-8":        {plantedKey + "\xff", "api key has a space, a newline"},
		"byte order mark":  {"\ufeff" + plantedKey, "api key has a space, a newline"},
		"non-breaking gap": {plantedKey + "\u00a0", "api key has a space, a newline"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := api.New(c.key, api.WithConnection(connection))
			if client != nil {
				t.Error("a client beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for name, c := range map[string]struct {
		opt  api.Option
		want string
	}{
		"nil option":           {nil, "option 2 is nil"},
		"nil http client":      {api.WithHTTPClient(nil), "http client is nil"},
		"nil logger":           {api.WithLogger(nil), "logger is nil"},
		"no connection":        {api.WithConnection(""), "connection id is empty"},
		"timeout 0":            {api.WithTimeout(0), "timeout 0s is out of range"},
		"negative timeout":     {api.WithTimeout(-time.Second), "timeout -1s is out of range"},
		"absurd timeout":       {api.WithTimeout(time.Hour + 1), "is out of range; want more than 0 and at most 1h"},
		"negative retries":     {api.WithRetries(-1), "-1 retries are out of range; want 0 to 20"},
		"absurd retries":       {api.WithRetries(21), "21 retries are out of range; want 0 to 20"},
		"rate 0":               {api.WithRateLimit(0, 90), "rate of 0 requests a minute is out of range"},
		"negative rate":        {api.WithRateLimit(-1, 90), "rate of -1 requests a minute is out of range"},
		"absurd rate":          {api.WithRateLimit(1_000_001, 90), "is out of range; want 1 to 1000000"},
		"burst 0":              {api.WithRateLimit(60, 0), "burst of 0 requests is out of range"},
		"negative burst":       {api.WithRateLimit(60, -1), "burst of -1 requests is out of range"},
		"absurd burst":         {api.WithRateLimit(60, 1_000_001), "is out of range; want 1 to 1000000"},
		"user agent empty":     {api.WithUserAgent(""), "user agent must be printable ASCII"},
		"user agent newline":   {api.WithUserAgent("a\r\napiKey: b"), "user agent must be printable ASCII"},
		"user agent not ASCII": {api.WithUserAgent("ä"), "user agent must be printable ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := api.New(plantedKey, api.WithConnection(connection), c.opt)
			if client != nil {
				t.Error("a client beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
}

func TestNewTakesBounds(t *testing.T) {
	for name, opt := range map[string]api.Option{
		"shortest timeout": api.WithTimeout(1),
		"longest timeout":  api.WithTimeout(time.Hour),
		"no retries":       api.WithRetries(0),
		"most retries":     api.WithRetries(20),
		"slowest":          api.WithRateLimit(1, 1),
		"fastest":          api.WithRateLimit(1_000_000, 1_000_000),
		"unlimited":        api.WithoutRateLimit(),
		"longest id":       api.WithConnection(strings.Repeat("c", 64)),
		"logger":           api.WithLogger(slog.New(slog.DiscardHandler)),
		"user agent":       api.WithUserAgent("tool/1.0 (+https://tool.example)"),
	} {
		t.Run(name, func(t *testing.T) {
			client, err := api.New("k", opt)
			if err != nil || client == nil {
				t.Errorf("New: %v, %v", client, err)
			}
		})
	}
}

// TestCallsRefusedUnsent holds what is refused at the call to sending nothing.
func TestCallsRefusedUnsent(t *testing.T) {
	sent := &counter{next: newMock().Client().Transport}
	client := newClient(t, sent)
	bare, err := api.New(plantedKey, api.WithHTTPClient(&http.Client{Transport: sent}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		client *api.Client
		opt    api.CallOption
		want   string
	}{
		"no connection":       {bare, api.WithUserID(userID), "no connection; use WithConnection, OnConnection or OFAUTH_CONNECTION_ID"},
		"nil client":          {nil, api.WithUserID(userID), "client is nil or was not made by New"},
		"zero client":         {&api.Client{}, api.WithUserID(userID), "client is nil or was not made by New"},
		"nil call option":     {client, nil, "call option 1 is nil"},
		"empty connection":    {client, api.OnConnection(""), "connection id is empty"},
		"empty with-user id":  {client, api.WithUserID(""), "with-user id is empty"},
		"connection newline":  {client, api.OnConnection("conn_a\r\napiKey: x"), "connection id"},
		"with-user id quoted": {client, api.WithUserID(`1","admin":"1`), "with-user id"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := c.client.Unsend(t.Context(), userID, messageID, c.opt)
			if result != nil {
				t.Error("a result beside the error")
			}
			checkRefusal(t, err, c.want)
		})
	}
	t.Run("nil context", func(t *testing.T) {
		_, err := client.Unsend(nil, userID, messageID) //nolint:staticcheck // on purpose
		checkRefusal(t, err, "context is nil")
	})
	if n := sent.n.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if generated := (*api.Client)(nil).Generated(); generated != nil {
		t.Error("a nil client has a generated one")
	}
}
